"""What holds for the whole test session."""

import os
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import settings as hypothesis_settings

# The same examples in every run, and no verdict that depends on how fast the machine is.
hypothesis_settings.register_profile("pushbridge", deadline=None, derandomize=True, database=None)
hypothesis_settings.load_profile("pushbridge")


def pytest_configure() -> None:
    """Never test on the data of a running system, which the settings would otherwise find."""
    if not {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys():
        pytest.exit("The tests need servers of their own: python3 manage.py test", returncode=4)


def pytest_sessionstart() -> None:
    """WhiteNoise warns of a folder that only a deployment has."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
