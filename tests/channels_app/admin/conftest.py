from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def static_files(settings: Settings, tmp_path: Path) -> None:
    """WhiteNoise warns of a folder that is not there; nothing was collected for the tests."""
    settings.STATIC_ROOT = tmp_path
