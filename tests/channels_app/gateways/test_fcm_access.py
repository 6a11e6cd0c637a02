"""The access token: when it is fetched, when it is used, and when a refusal is news."""

import json
from datetime import timedelta
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.auth.crypt import RSASigner

from channels_app.gateways.exchange import Fate, Reply
from channels_app.gateways.fcm_access import SCOPE, FcmApplication
from channels_app.gateways.pushes import Verdict
from tests.channels_app.gateways.making import NOW, PUSH

KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
GRANTED = json.dumps({"access_token": "ya29.x", "expires_in": 3600}).encode()


def application() -> FcmApplication:
    return FcmApplication(
        send_url="https://fcm.googleapis.com/v1/projects/p/messages:send",
        token_url="https://oauth2.googleapis.com/token",
        email="a@example.com",
        signer=RSASigner.from_string(PEM, "k1"),  # type: ignore[no-untyped-call]
        shape="expo",
    )


def reply(status: int | None, body: bytes = b"", fate: Fate = Fate.ANSWERED) -> Reply:
    return Reply(fate, status, {}, body, "" if status else "Timeout", 0.0, 0.0)


def lasting(seconds: str) -> bytes:
    """A granted token; `seconds` is JSON."""
    return b'{"access_token": "ya29.x", "expires_in": %s}' % seconds.encode()


def with_token() -> FcmApplication:
    app = application()
    app.take_token(reply(200, GRANTED), NOW)
    return app


def test_the_assertion_is_what_google_asks_for() -> None:
    form = parse_qs(application().token_request(NOW).body.decode())

    claims = jwt.decode(
        form["assertion"][0],
        KEY.public_key(),
        algorithms=["RS256"],
        options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
    )
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert claims == {
        "iss": "a@example.com",
        "scope": SCOPE,
        "aud": "https://oauth2.googleapis.com/token",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 3600,
    }


def test_a_token_is_used_and_renewed_before_it_ends() -> None:
    app = with_token()
    soon = NOW + timedelta(minutes=56)

    assert "authorization: Bearer ya29.x" in app.request(PUSH, NOW).headers
    assert app.has_token(NOW) and not app.needs_token(NOW)
    assert app.has_token(soon) and app.needs_token(soon)
    assert not app.has_token(NOW + timedelta(hours=1))


def test_nobody_asks_twice_at_once() -> None:
    app = application()
    app.fetching = True

    assert not app.needs_token(NOW)


@pytest.mark.parametrize(
    ("status", "body", "verdict", "reason"),
    [
        (400, b'{"error": "invalid_grant"}', Verdict.CREDENTIALS, "Token invalid_grant"),
        (401, b'{"error": "invalid_client"}', Verdict.CREDENTIALS, "Token invalid_client"),
        (503, b"", Verdict.RETRY, "Token HTTP 503"),
        (200, b"{}", Verdict.RETRY, "Token HTTP 200"),
        (200, b'{"access_token": 5, "expires_in": 3600}', Verdict.RETRY, "Token HTTP 200"),
        (200, lasting("0"), Verdict.RETRY, "Token HTTP 200"),
        (200, lasting("-3600"), Verdict.RETRY, "Token HTTP 200"),
        (200, lasting("NaN"), Verdict.RETRY, "Token HTTP 200"),
        (200, lasting("true"), Verdict.RETRY, "Token HTTP 200"),
        (200, lasting('"3600"'), Verdict.RETRY, "Token HTTP 200"),
        (302, b"", Verdict.RETRY, "Token HTTP 302"),
    ],
)
def test_a_refused_token_says_what_befalls_the_pushes(
    status: int, body: bytes, verdict: Verdict, reason: str
) -> None:
    app = application()
    app.fetching = True

    outcome = app.take_token(reply(status, body), NOW)

    assert (outcome.verdict, outcome.reason) == (verdict, reason)
    assert not app.has_token(NOW)
    assert app.needs_token(NOW)


@pytest.mark.parametrize("seconds", ["9" * 400, "Infinity", "1e999"])
def test_no_token_is_believed_to_live_longer_than_googles_do(seconds: str) -> None:
    app = application()

    assert app.take_token(reply(200, lasting(seconds)), NOW).verdict is Verdict.ACCEPTED
    assert app.has_token(NOW + timedelta(hours=11))
    assert not app.has_token(NOW + timedelta(hours=12))


@pytest.mark.parametrize("fate", [Fate.UNSENT, Fate.UNANSWERED])
def test_no_push_has_left_while_its_token_was_awaited(fate: Fate) -> None:
    outcome = application().take_token(reply(None, fate=fate), NOW)

    assert (outcome.verdict, outcome.reason) == (Verdict.RETRY, "Token Timeout")


def test_a_failed_renewal_leaves_the_old_token_in_use() -> None:
    app = with_token()

    app.take_token(reply(503), NOW + timedelta(minutes=56))

    assert app.has_token(NOW + timedelta(minutes=57))


def test_an_old_token_that_is_refused_is_fetched_anew() -> None:
    app = with_token()
    later = NOW + timedelta(minutes=30)

    outcome = app.outcome(reply(401), PUSH, later)

    assert outcome.verdict is Verdict.RETRY
    assert app.needs_token(later)


def test_a_fresh_token_that_is_refused_means_broken_credentials() -> None:
    outcome = with_token().outcome(reply(401), PUSH, NOW + timedelta(seconds=5))

    assert outcome.verdict is Verdict.CREDENTIALS
