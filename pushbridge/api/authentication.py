"""Who comes in to `/api/`: a browser session, or a bearer token."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from channels_app.api.credentials import Credential
from channels_app.models import User


class BearerAuthentication(BaseAuthentication):
    """A token of ours, or of the OpenID issuer that we trust."""

    def authenticate(self, request: Request) -> tuple[User, Credential] | None:
        return None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Pushbridge"'


__all__ = ["BearerAuthentication", "SessionAuthentication"]
