"""System checks: an issuer that cannot be believed is refused at start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error

from pushbridge.api.openid import ALGORITHMS

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def issuer(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Whose tokens we take, for whom they are, and that nobody else can make one."""
    if not settings.OIDC_ISSUER:
        return []
    found: list[CheckMessage] = []
    if not settings.OIDC_AUDIENCE:
        found.append(
            Error(
                "OIDC_ISSUER is set without OIDC_AUDIENCE: tokens that the issuer made for others"
                " would have to be let in.",
                id="pushbridge.E003",
            )
        )
    if unsafe := sorted(set(settings.OIDC_ALGORITHMS) - ALGORITHMS):
        found.append(
            Error(
                f"OIDC_ALGORITHMS has {', '.join(unsafe)}: not an asymmetric signature.",
                hint=f"Use some of {', '.join(sorted(ALGORITHMS))}.",
                id="pushbridge.E004",
            )
        )
    for url in filter(None, (settings.OIDC_ISSUER, settings.OIDC_JWKS_URL)):
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            found.append(
                Error(
                    f"{url} is not https: anybody on the way could publish keys.",
                    id="pushbridge.E005",
                )
            )
    return found
