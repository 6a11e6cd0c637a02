"""Web Push: the request, the endpoint's admission, and the reading of every answer."""

import json
from datetime import timedelta
from typing import Any

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from channels_app.gateways import webpush
from channels_app.gateways.exchange import Fate, Reply, Request
from channels_app.gateways.message_encryption import (
    decode_base64url,
    encode_base64url,
    encoded_point,
)
from channels_app.gateways.outcomes import Unsendable
from channels_app.gateways.pushes import Platform, Push, Verdict
from channels_app.gateways.webpush import WebPushApplication, classify, endpoint_error
from tests.channels_app.gateways.making import NOW, push

HOSTS = ("updates.push.services.mozilla.com", "*.notify.windows.com", "localhost:8443")
ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/gAAAA-x_Y="
BROWSER = ec.generate_private_key(ec.SECP256R1())
AUTH = bytes(range(16))
VAPID = ec.generate_private_key(ec.SECP256R1())


def application() -> WebPushApplication:
    return WebPushApplication(VAPID, "mailto:ops@example.com", HOSTS)


def web_push(*, target: dict[str, Any] | None = None, **changes: Any) -> Push:
    browser = {
        "platform": Platform.WEBPUSH,
        "registration_id": ENDPOINT,
        "p256dh": encode_base64url(encoded_point(BROWSER.public_key())),
        "auth": encode_base64url(AUTH),
    }
    return push(target=browser | (target or {}), **changes)


def headers_of(request: Request) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in request.headers if ": " in line)


def decrypted(request: Request) -> dict[str, Any]:
    text = http_ece.decrypt(request.body, private_key=BROWSER, auth_secret=AUTH)
    content: dict[str, Any] = json.loads(text)
    return content


def test_a_critical_push_is_what_the_service_worker_shows() -> None:
    given = web_push()
    request = application().request(given, NOW)

    headers = headers_of(request)
    assert headers.pop("authorization").startswith("vapid t=")
    assert request.url == ENDPOINT
    assert headers == {
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
        "ttl": "600",
        "urgency": "high",
        "topic": webpush.topic("conversation:c-1:1"),
    }
    assert decrypted(request) == {
        "title": given.title,
        "body": given.body,
        "tag": "conversation:c-1:1",
        "renotify": True,
        "requireInteraction": True,
        "silent": False,
        "actions": [
            {"action": "claim", "title": "Claim"},
            {"action": "view", "title": "View"},
            {"action": "snooze", "title": "Snooze"},
        ],
        "data": {
            "event_id": "e-1",
            "notification_id": "n-1",
            "action_token": "t-1",
            "link": given.link,
            "level": "critical",
            "channel": "escalation",
            "thread": "conversation:c-1",
        },
        "lang": "en",
        "dir": "auto",
    }


@pytest.mark.parametrize(
    ("level", "urgency", "stays", "silent"),
    [
        ("critical", "high", True, False),
        ("loud", "high", False, False),
        ("quiet", "low", False, True),
    ],
)
def test_loudness_on_the_wire(level: str, urgency: str, stays: bool, silent: bool) -> None:
    request = application().request(web_push(level=level), NOW)

    content = decrypted(request)
    assert headers_of(request)["urgency"] == urgency
    assert content["requireInteraction"] is content["renotify"] is stays
    assert content["silent"] is silent


def test_no_two_messages_share_their_key_or_salt() -> None:
    app = application()
    bodies = {app.request(web_push(), NOW).body[:86] for _ in range(20)}

    assert len(bodies) == 20


def test_a_long_text_is_cut_to_one_record() -> None:
    request = application().request(web_push(body="🆘 wörk " * 2000), NOW)

    assert 4080 <= len(request.body) <= 4096
    assert decrypted(request)["body"].endswith("…")


def test_a_topic_is_32_characters_of_base64url_and_one_per_banner() -> None:
    topics = {webpush.topic(key) for key in ("a", "b", "conversation:c-1:1", "x" * 64)}

    assert len(topics) == 4
    assert all(len(topic) == 32 and decode_base64url(topic) for topic in topics)


def test_a_push_that_has_expired_is_not_stored() -> None:
    request = application().request(web_push(expires_at=NOW - timedelta(seconds=1)), NOW)

    assert headers_of(request)["ttl"] == "0"


def test_vapid_names_the_push_service_and_whom_to_write_to() -> None:
    scheme = headers_of(application().request(web_push(), NOW))["authorization"]
    token, key = scheme.removeprefix("vapid t=").split(", k=")

    claims = jwt.decode(
        token,
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode_base64url(key)),
        algorithms=["ES256"],
        options={"verify_aud": False, "verify_exp": False},
    )
    assert claims["aud"] == "https://updates.push.services.mozilla.com"
    assert claims["sub"] == "mailto:ops@example.com"
    assert 6 * 3600 < claims["exp"] - NOW.timestamp() <= 12 * 3600


def test_one_vapid_token_serves_all_devices_of_a_push_service() -> None:
    app, other = application(), application()
    first = headers_of(app.request(web_push(), NOW))["authorization"]
    second = headers_of(other.request(web_push(delivery_id=8), NOW))["authorization"]
    elsewhere = web_push(target={"registration_id": "https://wns2-x.notify.windows.com/w/?t=1"})
    later = NOW + timedelta(hours=7)

    assert first == second
    assert first != headers_of(app.request(elsewhere, NOW))["authorization"]
    assert first != headers_of(app.request(web_push(expires_at=later), later))["authorization"]


@pytest.mark.parametrize(
    "url",
    [
        ENDPOINT,
        "https://wns2-par02p.notify.windows.com/w/?token=BQYAAA%2b%3d",
        "https://a.b.notify.windows.com:443/w/",
        "https://UPDATES.push.services.mozilla.com/x",
        "https://localhost:8443/wpush/v2/x",
    ],
)
def test_an_endpoint_of_a_push_service_is_good(url: str) -> None:
    assert endpoint_error(url, HOSTS) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://updates.push.services.mozilla.com/x",
        "https://updates.push.services.mozilla.com",
        "https://updates.push.services.mozilla.com./x",
        "https://evil.example/x",
        "https://evil.example/updates.push.services.mozilla.com/x",
        "https://updates.push.services.mozilla.com.evil.example/x",
        "https://xupdates.push.services.mozilla.com/x",
        "https://notify.windows.com/x",
        "https://evilnotify.windows.com/x",
        "https://a.notify.windows.com:8080/x",
        "https://updates.push.services.mozilla.com:8443/x",
        "https://updates.push.services.mozilla.com:0443/x",
        "https://localhost/x",
        "https://localhost:443/x",
        "https://localhost:8444/x",
        "https://updates.push.services.mozilla.com@evil.example/x",
        "https://user:pass@updates.push.services.mozilla.com/x",
        "https://evil.example\\@updates.push.services.mozilla.com/x",
        "https://evil.example#@updates.push.services.mozilla.com/x",
        "https://updates.push.services.mozilla.com/x#fragment",
        "https://updates.push.services.mozilla.com/x y",
        "https://updates.push.services.mozilla.com/x\r\nHost: evil.example",
        "https://updates.push.services.mozilla.com/x\n",
        "https://updates.push.services.mozilla.com:99999/x",
        "https://updates.push.services.mozilla.com:/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://2130706433/x",
        "https://ｕpdates.push.services.mozilla.com/x",
        "HTTPS://updates.push.services.mozilla.com/x",
        "file:///etc/passwd",
        "https://updates.push.services.mozilla.com/" + "x" * 2048,
    ],
)
def test_anything_else_is_no_endpoint_and_nothing_is_sent_there(url: str) -> None:
    assert endpoint_error(url, HOSTS)
    with pytest.raises(Unsendable, match="BadEndpoint"):
        application().request(web_push(target={"registration_id": url}), NOW)


def test_bad_keys_are_told_at_sending() -> None:
    with pytest.raises(Unsendable, match="BadKeys"):
        application().request(web_push(target={"p256dh": "AAAA"}), NOW)


@pytest.mark.parametrize(
    ("status", "body", "verdict", "reason"),
    [
        (200, b"", Verdict.ACCEPTED, ""),
        (201, b"", Verdict.ACCEPTED, ""),
        (202, b"", Verdict.ACCEPTED, ""),
        (204, b"", Verdict.ACCEPTED, ""),
        (301, b"", Verdict.REJECTED, "HTTP 301"),
        (307, b"", Verdict.REJECTED, "HTTP 307"),
        (400, b'{"errno": 110}', Verdict.REJECTED, "errno 110"),
        (400, b'{"reason": "BadWebPushTopic"}', Verdict.REJECTED, "BadWebPushTopic"),
        (401, b'{"errno": 109}', Verdict.CREDENTIALS, "errno 109"),
        (403, b'{"reason": "BadJwtToken"}', Verdict.CREDENTIALS, "BadJwtToken"),
        (404, b'{"errno": 102}', Verdict.DEAD, "errno 102"),
        (410, b'{"errno": 106}', Verdict.DEAD, "errno 106"),
        (410, b"push subscription has unsubscribed", Verdict.DEAD, "HTTP 410"),
        (413, b"", Verdict.REJECTED, "HTTP 413"),
        (429, b"", Verdict.RETRY, "HTTP 429"),
        (500, b"", Verdict.RETRY, "HTTP 500"),
        (502, b"<html>", Verdict.RETRY, "HTTP 502"),
        (503, b"", Verdict.RETRY, "HTTP 503"),
        (400, b'{"errno": true, "reason": "<script>"}', Verdict.REJECTED, "HTTP 400"),
    ],
)
def test_every_answer_of_a_push_service(
    status: int, body: bytes, verdict: Verdict, reason: str
) -> None:
    outcome = classify(status, {}, body, NOW)

    assert (outcome.verdict, outcome.reason) == (verdict, reason)


def test_a_message_that_was_taken_has_a_location() -> None:
    outcome = classify(201, {"location": "https://push.example/m/1"}, b"", NOW)

    assert outcome.gateway_id == "https://push.example/m/1"


def reply(status: int) -> Reply:
    return Reply(Fate.ANSWERED, status, {}, b"", "", 0.0, 0.0)


def test_a_key_that_was_just_accepted_is_not_what_a_403_is_about() -> None:
    """Anyone can register a subscription made for another key: it must not stop all others."""
    app = application()
    app.outcome(reply(201), web_push(), NOW)

    at_once = app.outcome(reply(403), web_push(), NOW + timedelta(minutes=1))
    later = app.outcome(reply(403), web_push(), NOW + timedelta(minutes=10))

    assert at_once.verdict is Verdict.REJECTED
    assert later.verdict is Verdict.CREDENTIALS


def test_a_throttled_push_waits_as_long_as_it_is_told() -> None:
    outcome = classify(429, {"retry-after": "Mon, 04 May 2026 12:01:30 GMT"}, b"", NOW)

    assert outcome.retry_after == 90.0
