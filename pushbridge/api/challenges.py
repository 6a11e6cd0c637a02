"""What somebody without a valid token is told (RFC 6750, section 3; RFC 9728, section 5)."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings

from channels_app.problems import Problem

# The API as a protected resource: the audience that a token may be made for.
RESOURCE = f"{settings.PUBLIC_URL.rstrip('/')}/api/"
CHALLENGE = (
    'Bearer realm="Pushbridge", resource_metadata='
    f'"{settings.PUBLIC_URL.rstrip("/")}/.well-known/oauth-protected-resource"'
)


def refused(why: str) -> Problem:
    """401 for a token that does not let its bearer in."""
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        why,
        headers={"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'},
    )
