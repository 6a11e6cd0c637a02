from __future__ import annotations

import pytest
from pytest_django import Settings


@pytest.fixture
def applications(settings: Settings) -> None:
    """One app of each platform, and one browser vendor."""
    settings.PUSH_APPLICATIONS = {
        "ios": {"PLATFORM": "APNS"},
        "android": {"PLATFORM": "FCM"},
        "web": {"PLATFORM": "WP"},
    }
    settings.WEBPUSH_HOSTS = ["updates.push.services.mozilla.com"]
