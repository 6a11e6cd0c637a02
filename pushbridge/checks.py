"""System checks: a configuration that would lose or misroute a push is refused at start."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from pushbridge.api import checks as api


def drivers(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """psycopg 3 beside psycopg2 would be taken by Django without a word."""
    if importlib.util.find_spec("psycopg") is None:
        return []
    return [
        Error(
            "psycopg 3 is installed beside psycopg2: Django would silently use it.",
            hint="Remove the package `psycopg`; Pushbridge is built and measured on psycopg2.",
            id="pushbridge.E001",
        )
    ]


def applications(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Without push applications nothing can be delivered; a missing key file is named."""
    if not settings.PUSH_APPLICATIONS_FILE:
        return [
            Warning(
                "PUSH_APPLICATIONS_FILE is not set: no push can be sent.",
                hint='docs/operations.md, section "Push applications", shows the file.',
                id="pushbridge.W001",
            )
        ]
    return [
        Error(
            f"Push application {name!r}: the service account file {path} is missing.",
            id="pushbridge.E002",
        )
        for name, path in settings.FCM_SERVICE_ACCOUNTS.items()
        if not Path(path).is_file()
    ]


def register_all() -> None:
    register(drivers)
    register(applications)
    register(api.issuer)
