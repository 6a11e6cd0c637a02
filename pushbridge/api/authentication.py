"""Who comes in to `/api/` with a bearer token: one of ours, or one of the OpenID issuer we trust.

A browser session is REST framework's own matter, with CSRF tokens.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.utils import timezone
from oauth2_provider.models import AccessToken
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from channels_app.api.credentials import SCOPES, Credential, Scope
from channels_app.models import User
from pushbridge.api import openid
from pushbridge.api.challenges import CHALLENGE, RESOURCE, refused

# An issuer's tokens with their many claims are seldom over 4 KiB; ours are 30 characters.
MAX_TOKEN_LENGTH = 16 * 1024


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer …` (RFC 6750). Whose token it is can be seen from its shape."""

    def authenticate(self, request: Request) -> tuple[User, Credential] | None:
        """None without a token.

        Raises:
            Problem: 401, the token does not let its bearer in; 503, that cannot be known just now.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        if not token.isascii() or not 0 < len(token) <= MAX_TOKEN_LENGTH:
            raise refused("It is not a token.")
        if openid.is_of_issuer(token, settings.OIDC_ISSUER):
            return _person_of_issuer(token)
        return _person_of_ours(token)

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


def _person_of_ours(token: str) -> tuple[User, Credential]:
    """By the token's hash, which is all that is kept of it. One query."""
    found = (
        AccessToken.objects.select_related("user", "application")
        .filter(token_checksum=sha256(token.encode()).hexdigest(), expires__gt=timezone.now())
        .first()
    )
    if found is None or found.application is None:
        raise refused("This token is not known, has expired or was revoked.")
    if not found.allows_audience(RESOURCE):
        raise refused("This token was made for another resource.")
    scopes = frozenset(Scope(name) for name in found.scope.split() if name in SCOPES)
    return _active(found.user), Credential(
        client=found.application.client_id,
        scopes=scopes,
        token_id=found.pk,
        expires_at=found.expires,
    )


def _person_of_issuer(token: str) -> tuple[User, Credential]:
    claims = openid.verify(token)
    username = claims.get(settings.OIDC_USERNAME_CLAIM)
    if not isinstance(username, str) or not username or "\0" in username:
        raise refused(f"This token's claim {settings.OIDC_USERNAME_CLAIM!r} names nobody.")
    client = claims.get("azp") or claims.get("client_id") or ""
    user = User.objects.filter(username=username).first()
    # The issuer vouches for the person; what its scopes are called is its own matter.
    return _active(user), Credential(client=f"{client}", expires_at=_expiry(claims))


def _expiry(claims: dict[str, Any]) -> datetime | None:
    """The claim `exp`, which was checked; None where it is beyond all calendars."""
    try:
        return datetime.fromtimestamp(int(claims["exp"]) + openid.LEEWAY_SECONDS, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _active(user: User | None) -> User:
    if user is None or not user.is_active:
        raise refused("The token is valid, but its person has no active account here.")
    return user
