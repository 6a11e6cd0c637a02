"""Google's token endpoint: a signed assertion in, an access token of an hour out (RFC 7523).

Source: Google, "Using OAuth 2.0 for server to server applications".
"""

import base64
import binascii
import hashlib
import hmac
import json
from urllib.parse import parse_qs

import jwt

from channels_app.sandbox.applications import Applications, GoogleApp, base64url
from channels_app.sandbox.wire import Reply, Request, json_reply

PATH = "/token"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GOOGLE_AUDIENCE = "https://oauth2.googleapis.com/token"
"""What google-auth always writes into `aud`, whatever the account's `token_uri` is."""
SCOPES = frozenset(
    {
        "https://www.googleapis.com/auth/firebase.messaging",
        "https://www.googleapis.com/auth/cloud-platform",
    }
)
ACCESS_TOKEN_SECONDS = 3600
ASSERTION_SECONDS = 3600
CLOCK_SKEW_SECONDS = 300
TOKEN_PREFIX = "ya29.c."


class Refused(Exception):
    """The grant is refused with OAuth's own error code."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error, description)
        self.error = error
        self.description = description
        self.status = status


class OAuth:
    """Issues access tokens and reads them back; they are signed, so a restart forgets none."""

    def __init__(self, applications: Applications, *, secret: bytes, token_uri: str) -> None:
        self._apps = {app.client_email: app for app in applications.google.values()}
        self._secret = secret
        self._token_uri = token_uri

    def answer(self, request: Request, now: float) -> Reply:
        """Answer `POST /token`."""
        if request.method != "POST":
            return json_reply(405, {"error": "method_not_allowed"}, reason="method_not_allowed")
        try:
            app = self._grant(request, now)
        except Refused as no:
            return json_reply(
                no.status,
                {"error": no.error, "error_description": no.description},
                reason=no.error,
                detail=no.description,
            )
        return json_reply(
            200,
            {
                "access_token": self.issue(app.project_id, now=now),
                "expires_in": ACCESS_TOKEN_SECONDS,
                "token_type": "Bearer",
            },
        )

    def issue(self, project_id: str, *, now: float) -> str:
        """An access token for one Firebase project."""
        claims = json.dumps({"p": project_id, "e": now + ACCESS_TOKEN_SECONDS}).encode()
        return f"{TOKEN_PREFIX}{base64url(claims)}.{base64url(self._sign(claims))}"

    def project_of(self, access_token: str, now: float) -> str | None:
        """The project that a token of ours speaks for; None if it is not valid (any more)."""
        claims_part, _, signature = access_token.removeprefix(TOKEN_PREFIX).partition(".")
        try:
            claims = base64.urlsafe_b64decode(claims_part + "==")
        except (binascii.Error, ValueError):
            return None
        expected = base64url(self._sign(claims)).encode()
        if not hmac.compare_digest(signature.encode(), expected):
            return None
        content = json.loads(claims)
        return str(content["p"]) if content["e"] > now else None

    def _sign(self, claims: bytes) -> bytes:
        return hmac.digest(self._secret, claims, hashlib.sha256)

    def _grant(self, request: Request, now: float) -> GoogleApp:
        form = parse_qs(request.body.decode("ascii", "replace"))
        if form.get("grant_type") != [GRANT_TYPE]:
            raise Refused("unsupported_grant_type", "Invalid grant_type: see RFC 7523")
        assertion = form.get("assertion", [""])[0]
        app = self._issuer(assertion)
        try:
            claims = jwt.decode(
                assertion,
                app.public_key,
                algorithms=["RS256"],
                options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError as error:
            raise Refused("invalid_grant", "Invalid JWT Signature.") from error
        if claims.get("aud") not in (self._token_uri, GOOGLE_AUDIENCE):
            raise Refused("invalid_grant", f"Invalid JWT: aud must be {self._token_uri}")
        _check_times(claims, now)
        if not SCOPES.intersection(str(claims.get("scope", "")).split()):
            raise Refused("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        return app

    def _issuer(self, assertion: str) -> GoogleApp:
        try:
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.InvalidTokenError as error:
            raise Refused("invalid_grant", "Bad Request: not a JWT") from error
        app = self._apps.get(str(claims.get("iss")))
        if app is None:
            raise Refused("invalid_grant", "Invalid grant: account not found")
        return app


def _check_times(claims: dict[str, object], now: float) -> None:
    issued_at, expires_at = claims.get("iat"), claims.get("exp")
    reasonable = (
        isinstance(issued_at, int | float)
        and isinstance(expires_at, int | float)
        and issued_at <= now + CLOCK_SKEW_SECONDS
        and now - CLOCK_SKEW_SECONDS <= expires_at
        and expires_at - issued_at <= ASSERTION_SECONDS
    )
    if not reasonable:
        raise Refused(
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
            "timeframe. Check your iat and exp values in the JWT claim.",
        )
