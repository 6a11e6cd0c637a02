from __future__ import annotations

import pytest
from pytest_django import Settings

from channels_app.api.device_tests import DeviceTestsView
from claims.api.actions import ClaimActionView
from tests.channels_app.api.conftest import applications as applications


@pytest.fixture
def unlimited(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many requests as nobody sends: what is tested is not how many."""
    settings.API_USER_LIMIT = settings.API_CLIENT_LIMIT = (1_000_000, 60)
    settings.API_ADDRESS_LIMIT = (1_000_000, 60)
    monkeypatch.setattr(DeviceTestsView, "limits", ())
    monkeypatch.setattr(ClaimActionView, "limits", ())
