"""What holds for the whole test session."""

import os

import pytest


def pytest_configure() -> None:
    """Never test on the data of a running system, which the settings would otherwise find."""
    if not {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys():
        pytest.exit("The tests need servers of their own: python3 manage.py test", returncode=4)
