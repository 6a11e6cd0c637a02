"""How the OpenAPI document says who comes in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.permissions import SAFE_METHODS

from channels_app.api.credentials import SCOPES, Scope

OAUTH = "OAuth2"
OPENID = "OpenID"
SESSION = "Session"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tokens of ours, with a scope for each operation, or the issuer's."""

    target_class = "pushbridge.api.authentication.BearerAuthentication"
    name = [OAUTH, OPENID]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[str]]]:
        scope = Scope.READ if auto_schema.method in SAFE_METHODS else Scope.WRITE
        return [{OAUTH: [scope.value]}, {OPENID: []}]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        url = settings.PUBLIC_URL.rstrip("/")
        return [
            {
                "type": "oauth2",
                "description": "A token of Pushbridge: authorization code with PKCE (S256).",
                "flows": {
                    "authorizationCode": {
                        "authorizationUrl": f"{url}/oauth/authorize",
                        "tokenUrl": f"{url}/oauth/token",
                        "refreshUrl": f"{url}/oauth/token",
                        "scopes": {scope.value: meaning for scope, meaning in SCOPES.items()},
                    }
                },
            },
            _openid(),
        ]


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """For staff who try requests on the documentation page."""

    target_class = "rest_framework.authentication.SessionAuthentication"
    name = SESSION
    priority = 1

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "The session of somebody who is signed in to the admin.",
        }


def _openid() -> dict[str, Any]:
    description = "An access token (JWT) of the OpenID issuer that this Pushbridge trusts."
    if not settings.OIDC_ISSUER:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": f"{description} It trusts none so far.",
        }
    issuer = settings.OIDC_ISSUER.rstrip("/")
    return {
        "type": "openIdConnect",
        "openIdConnectUrl": f"{issuer}/.well-known/openid-configuration",
        "description": description,
    }
