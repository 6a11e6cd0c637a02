"""Bearer tokens of an OpenID issuer: signed JWTs, checked by its published keys (RFC 9068)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import jwt
import structlog
from django.conf import settings

from channels_app.problems import Problem
from pushbridge.api.challenges import refused
from pushbridge.api.issuer_keys import IssuerKeys, KeysUnavailable, UnknownKey

log = structlog.get_logger(__name__)

# Asymmetric ones alone: a shared secret would let whoever checks a token make one.
ALGORITHMS = frozenset(
    f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)
) | {"EdDSA"}
# The issuer's clock may differ from ours by this much.
LEEWAY_SECONDS = 30


def is_of_issuer(token: str, issuer: str) -> bool:
    """Whether a token says that it is a JWT of this issuer. Nothing is checked yet."""
    if not issuer or token.count(".") != 2:
        return False
    body = token.split(".")[1]
    try:
        claims = json.loads(urlsafe_b64decode(f"{body}{'=' * (-len(body) % 4)}"))
    except (ValueError, RecursionError):
        return False
    return isinstance(claims, dict) and claims.get("iss") == issuer


def verify(token: str) -> dict[str, Any]:
    """The claims of a token of the issuer.

    Raises:
        Problem: 401, the token is not valid; 503, the issuer's keys cannot be had.
    """
    keys = keys_of(settings.OIDC_ISSUER, settings.OIDC_JWKS_URL)
    try:
        header = jwt.get_unverified_header(token)
        algorithm = str(header.get("alg"))
        if algorithm not in ALGORITHMS.intersection(settings.OIDC_ALGORITHMS):
            raise jwt.InvalidAlgorithmError("The algorithm is not one that we take")
        return jwt.decode(
            token,
            keys.key(header.get("kid"), algorithm),
            algorithms=[algorithm],
            audience=settings.OIDC_AUDIENCE,
            issuer=settings.OIDC_ISSUER,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
        )
    except KeysUnavailable as error:
        log.error("api.issuer_unavailable", error=str(error))
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "Tokens of the issuer cannot be checked just now. Ask again.",
            headers={"Retry-After": str(error.retry_after)},
        ) from error
    except (UnknownKey, jwt.PyJWTError) as error:
        raise refused(f"This token of the issuer is not valid: {error}.") from None


@lru_cache(maxsize=8)
def keys_of(issuer: str, jwks_url: str) -> IssuerKeys:
    """The keys of an issuer, the same for all threads of this process."""
    return IssuerKeys(issuer=issuer, jwks_url=jwks_url)
