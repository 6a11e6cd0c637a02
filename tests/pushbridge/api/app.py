"""A native app that signs a person in by the authorization code grant with PKCE (RFC 7636)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client
from oauth2_provider.models import Application

from channels_app.models import User

REDIRECT_URI = "pushbridge://oauth"
VERIFIER = "a verifier of the app's own, which is at least 43 letters long".replace(" ", "-")[:64]
VERIFIER = VERIFIER.replace("'", "").replace(",", "")
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


def registered(**more: Any) -> Application:
    """An app as an operator registers it."""
    return Application.objects.create(
        **{
            "name": "Pushbridge for phones",
            "client_type": Application.CLIENT_PUBLIC,
            "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
            "redirect_uris": REDIRECT_URI,
            "client_secret": "",
            "hash_client_secret": False,
            **more,
        }
    )


@dataclass
class App:
    """One copy of the app, on the phone of a person who is signed in in its browser."""

    person: User
    application: Application = field(default_factory=registered)
    browser: Client = field(default_factory=Client)

    def __post_init__(self) -> None:
        self.browser.force_login(self.person)

    def request(self, **otherwise: str | None) -> dict[str, str]:
        """An authorization request's parameters; None leaves one out."""
        usual: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.application.client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": "read write",
            "state": "xyz",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (usual | otherwise).items() if value is not None}

    def authorize(self, *, allow: bool = True, **otherwise: str | None) -> Any:
        """What the browser gets when the person presses a button of the consent page."""
        pressed = {"allow": "true"} if allow else {}
        return self.browser.post("/oauth/authorize", self.request(**otherwise) | pressed)

    def code(self) -> str:
        (code,) = redirected(self.authorize())["code"]
        return code

    def exchange(self, code: str, **otherwise: str) -> Any:
        return self.browser.post(
            "/oauth/token",
            {
                "grant_type": "authorization_code",
                "client_id": self.application.client_id,
                "redirect_uri": REDIRECT_URI,
                "code": code,
                "code_verifier": VERIFIER,
            }
            | otherwise,
        )

    def refresh(self, refresh_token: str) -> Any:
        return self.browser.post(
            "/oauth/token",
            {
                "grant_type": "refresh_token",
                "client_id": self.application.client_id,
                "refresh_token": refresh_token,
            },
        )

    def tokens(self) -> dict[str, Any]:
        """Signed in."""
        found: dict[str, Any] = self.exchange(self.code()).json()
        return found


def redirected(answer: Any) -> dict[str, list[str]]:
    """What an answer brings back to the app."""
    assert answer.status_code == 302, answer.content
    assert answer["Location"].startswith(REDIRECT_URI), answer["Location"]
    address = urlsplit(answer["Location"])
    return parse_qs(address.query or address.fragment)
