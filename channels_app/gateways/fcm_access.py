"""The access token of an FCM application, fetched without ever waiting for it.

Source: Google, "Using OAuth 2.0 for Server to Server Applications" (a signed JWT is exchanged for
an access token; RFC 7523). google-auth signs; our own transport carries, so that pushes of other
applications flow on while a token is on its way, and this one's wait beside it.
"""

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeGuard
from urllib.parse import urlencode

import google.auth.jwt
from google.auth.crypt import RSASigner

from channels_app.gateways import fcm, outcomes
from channels_app.gateways.exchange import Fate, Reply, Request
from channels_app.gateways.outcomes import BrokenCredentials, Outcome
from channels_app.gateways.pushes import Push, Verdict

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS = 3600
REFRESH_BEFORE_SECONDS = 300.0
"""A new token is fetched so long before the old one ends; pushes use the old one meanwhile."""
USABLE_BEFORE_SECONDS = 10.0
MAX_TOKEN_SECONDS = 12 * 3600.0
"""Google's tokens live one hour, or up to twelve where an organization policy says so."""
FRESH_SECONDS = 60.0
"""A token that is refused this soon after it was issued was not refused for its age."""


class Signer(Protocol):
    """What google-auth signs with."""

    @property
    def key_id(self) -> str | None: ...

    def sign(self, message: bytes) -> bytes: ...


@dataclass(slots=True)
class FcmApplication:
    """An Android app's Firebase project, its service account, and the token it holds just now."""

    send_url: str
    token_url: str
    email: str
    signer: Signer
    shape: str
    waiting: deque[Push] = field(default_factory=deque)
    fetching: bool = False
    _access_token: str = ""
    _issued_at: float = 0.0
    _expires_at: float = 0.0

    def has_token(self, now: datetime) -> bool:
        """Whether a push can be sent at once."""
        return now.timestamp() < self._expires_at - USABLE_BEFORE_SECONDS

    def needs_token(self, now: datetime) -> bool:
        """Whether it is time to ask for a new token, and nobody has."""
        return not self.fetching and now.timestamp() >= self._expires_at - REFRESH_BEFORE_SECONDS

    def token_request(self, now: datetime) -> Request:
        """Ask for an access token with an assertion signed for this moment."""
        issued_at = int(now.timestamp())
        claims = {
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.token_url,
            "iat": issued_at,
            "exp": issued_at + ASSERTION_SECONDS,
        }
        assertion: bytes = google.auth.jwt.encode(self.signer, claims)  # type: ignore[no-untyped-call]
        form = {"grant_type": GRANT_TYPE, "assertion": assertion}
        headers = ("content-type: application/x-www-form-urlencoded", "accept:", "user-agent:")
        return Request(self.token_url, headers, urlencode(form).encode())

    def take_token(self, reply: Reply, now: datetime) -> Outcome:
        """Read the answer to `token_request`: ACCEPTED, or what befalls the pushes that wait."""
        self.fetching = False
        if reply.fate is not Fate.ANSWERED or reply.status is None:
            # Whether or not the token request arrived, no push has left.
            return Outcome(Verdict.RETRY, f"Token {reply.fault}")
        content = outcomes.json_object(reply.body)
        token, seconds = content.get("access_token"), content.get("expires_in")
        if reply.status == 200 and isinstance(token, str) and _is_lifetime(seconds):
            self._access_token = token
            self._issued_at = now.timestamp()
            self._expires_at = now.timestamp() + min(seconds, MAX_TOKEN_SECONDS)
            return Outcome(Verdict.ACCEPTED, "")
        return _token_refusal(reply.status, content.get("error"), reply, now)

    def request(self, push: Push, now: datetime) -> Request:
        """`push` as an HTTP request; only while `has_token`."""
        return fcm.request(
            push, url=self.send_url, access_token=self._access_token, shape=self.shape, now=now
        )

    def outcome(self, reply: Reply, push: Push, now: datetime) -> Outcome:
        """What FCM answered; a refused token is dropped, and is news only if it was fresh."""
        assert reply.status is not None
        outcome = fcm.classify(reply.status, reply.headers, reply.body, now)
        if reply.status == 401 and outcome.verdict is Verdict.CREDENTIALS:
            was_fresh = now.timestamp() - self._issued_at < FRESH_SECONDS
            self._expires_at = 0.0
            return outcome if was_fresh else Outcome(Verdict.RETRY, outcome.reason)
        return outcome


def _is_lifetime(seconds: object) -> TypeGuard[int | float]:
    """Whether a token of so many seconds can be used at all; NaN is greater than nothing."""
    return isinstance(seconds, int | float) and seconds > USABLE_BEFORE_SECONDS


def _token_refusal(status: int, error: object, reply: Reply, now: datetime) -> Outcome:
    """RFC 6749, section 5.2: 400 and 401 speak of our assertion (`invalid_grant`, …)."""
    reason = f"Token {outcomes.word(error) or f'HTTP {status}'}"
    if status in (400, 401, 403, 404):
        return Outcome(Verdict.CREDENTIALS, reason)
    retry = Outcome(Verdict.RETRY, reason)
    return outcomes.with_retry_after(retry, reply.headers, now)


def load(path: str, *, url: str, shape: str) -> FcmApplication:
    """The application of a service account file. Raises BrokenCredentials for a bad one."""
    try:
        account = json.loads(Path(path).read_text())
        signer: Signer = RSASigner.from_service_account_info(account)  # type: ignore[no-untyped-call]
        return FcmApplication(
            send_url=f"{url}/v1/projects/{account['project_id']}/messages:send",
            token_url=account["token_uri"],
            email=account["client_email"],
            signer=signer,
            shape=shape,
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BrokenCredentials("ServiceAccountUnreadable", repr(error)) from error
