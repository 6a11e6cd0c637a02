"""Web Push: what autopush refuses, and with which numbers."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from channels_app.sandbox.process import SandboxProcess
from tests.channels_app.sandbox.senders import Push, Senders, encrypt

Phone = Mapping[str, Any]


def test_a_correct_message_is_created_and_shown(
    sandbox: SandboxProcess, senders: Senders, browser: Phone
) -> None:
    answer = senders.send(senders.webpush(browser, {"title": "Hi", "body": "there", "tag": "a"}))
    assert (answer.status, answer.headers["ttl"]) == (201, "60")
    assert answer.headers["location"].startswith(f"{sandbox.url}/m/")
    [banner] = sandbox.screen(browser["id"])
    assert (banner["title"], banner["body"], banner["warnings"]) == ("Hi", "there", [])


@pytest.mark.parametrize(
    ("headers", "status", "errno"),
    [
        ({"ttl": None}, 400, 111),
        ({"ttl": "soon"}, 400, 111),
        ({"ttl": "1.5"}, 400, 111),
        ({"ttl": "-1"}, 400, 114),
        ({"topic": "x" * 33}, 400, 113),
        ({"topic": "a+b"}, 400, 113),
        ({"topic": ""}, 400, 113),
        ({"urgency": "critical"}, 400, None),
        ({"content_encoding": None}, 400, 110),
        ({"content_encoding": "aesgcm"}, 400, 110),
        ({"encryption": "salt=abc"}, 400, 110),
        ({"crypto_key": "dh=abc"}, 400, 110),
        ({"authorization": None}, 401, 109),
        ({"authorization": "WebPush abc"}, 401, 109),
        ({"authorization": "vapid t=abc"}, 401, 109),
        ({"authorization": "vapid k=abc"}, 401, 109),
        ({"authorization": "vapid t=abc, k=def"}, 401, 109),
    ],
)
def test_wrong_headers_are_refused(
    senders: Senders,
    browser: Phone,
    headers: dict[str, Any],
    status: int,
    errno: int | None,
) -> None:
    answer = senders.send(senders.webpush(browser, **headers))
    assert (answer.status, answer.json["errno"]) == (status, errno)


@pytest.mark.parametrize("urgency", ["very-low", "low", "normal", "high"])
def test_the_four_urgencies_are_taken(senders: Senders, browser: Phone, urgency: str) -> None:
    assert senders.send(senders.webpush(browser, urgency=urgency)).status == 201


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"aud": "https://push.example.com"}, "Invalid VAPID audience"),
        ({"exp": int(time.time()) - 10}, "Invalid VAPID expiry"),
        ({"exp": int(time.time()) + 90_000}, "expiration is too long"),
        ({"exp": None}, "Invalid VAPID expiry"),
        ({"exp": "tomorrow"}, "Invalid VAPID expiry"),
        ({"sub": None}, "subject"),
        ({"sub": "ops@example.com"}, "subject"),
    ],
)
def test_wrong_vapid_claims_are_refused(
    senders: Senders, browser: Phone, claims: Mapping[str, Any], says: str
) -> None:
    answer = senders.send(senders.webpush(browser, authorization=senders.vapid(**claims)))
    assert (answer.status, answer.json["errno"]) == (401, 109)
    assert says in answer.reason


def test_the_key_must_be_the_one_of_the_subscription(senders: Senders, browser: Phone) -> None:
    stranger = senders.vapid(key=ec.generate_private_key(ec.SECP256R1()))
    answer = senders.send(senders.webpush(browser, authorization=stranger))
    assert (answer.status, answer.reason) == (401, "VAPID public key mismatch")


def test_the_signature_must_be_made_with_the_key(senders: Senders, browser: Phone) -> None:
    stranger = senders.vapid(key=ec.generate_private_key(ec.SECP256R1()))
    _, _, key = senders.vapid().partition(", ")
    forged = f"{stranger.partition(', ')[0]}, {key}"
    answer = senders.send(senders.webpush(browser, authorization=forged))
    assert answer.status == 401 and "Invalid VAPID token" in answer.reason


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda body: body[:-1] + bytes([body[-1] ^ 1]), "not encrypted for this subscription"),
        (lambda body: body[:50], "too short"),
        (lambda body: body[:20] + b"\x41" + b"\x04" + bytes(64) + body[86:], "point on P-256"),
        (lambda body: body[:20] + b"\x00" + body[21:], "65 bytes"),
        (lambda body: body[:16] + (17).to_bytes(4, "big") + body[20:], "below 18"),
        (lambda body: body[:16] + (18).to_bytes(4, "big") + body[20:], "more than one record"),
    ],
)
def test_what_no_browser_could_decrypt_is_refused(
    senders: Senders, browser: Phone, spoil: Callable[[bytes], bytes], says: str
) -> None:
    push = senders.webpush(browser)
    push.body = spoil(push.body)
    answer = senders.send(push)
    assert (answer.status, answer.json["errno"]) == (400, 110)
    assert says in answer.reason


def test_a_message_for_another_subscription_is_refused(
    sandbox: SandboxProcess, senders: Senders, browser: Phone
) -> None:
    other = sandbox.phone("webpush", owner="Somebody else")
    push = senders.webpush(browser)
    push.body = encrypt(b"{}", other)
    assert senders.send(push).status == 400


def test_a_body_of_4096_bytes_is_taken_and_of_4097_is_not(senders: Senders, browser: Phone) -> None:
    overhead = len(encrypt(b"x", browser)) - 1
    push = senders.webpush(browser, plain=b"x" * (4096 - overhead))
    assert (len(push.body), senders.send(push).status) == (4096, 201)
    push = senders.webpush(browser, plain=b"x" * (4097 - overhead))
    answer = senders.send(push)
    assert (answer.status, answer.json["errno"]) == (413, 104)


@pytest.mark.parametrize(
    ("spoil", "status", "errno"),
    [
        (lambda push: setattr(push, "path", "/wpush/v2/unknown"), 404, 102),
        (lambda push: setattr(push, "method", "GET"), 405, None),
    ],
)
def test_wrong_requests_are_refused(
    senders: Senders, browser: Phone, spoil: Callable[[Push], None], status: int, errno: int | None
) -> None:
    push = senders.webpush(browser)
    spoil(push)
    answer = senders.send(push)
    assert (answer.status, answer.json["errno"]) == (status, errno)


def test_a_dead_subscription_is_gone(
    sandbox: SandboxProcess, senders: Senders, browser: Phone
) -> None:
    sandbox.call("DELETE", f"/api/phones/{browser['id']}")
    answer = senders.send(senders.webpush(browser))
    assert (answer.status, answer.json["errno"]) == (410, 106)


def test_a_ttl_beyond_60_days_is_cut(senders: Senders, browser: Phone) -> None:
    answer = senders.send(senders.webpush(browser, ttl="99999999"))
    assert (answer.status, answer.headers["ttl"]) == (201, "5184000")


@pytest.mark.parametrize(
    ("options", "urgency", "level", "rang"),
    [
        ({"requireInteraction": True, "tag": "a", "renotify": True}, "high", "critical", True),
        ({}, "high", "loud", True),
        ({"silent": True}, "low", "quiet", False),
    ],
)
def test_the_options_decide_how_loud_it_is(
    sandbox: SandboxProcess,
    senders: Senders,
    browser: Phone,
    options: dict[str, Any],
    urgency: str,
    level: str,
    rang: bool,
) -> None:
    senders.send(senders.webpush(browser, {"title": "x", **options}, urgency=urgency))
    [banner] = sandbox.screen(browser["id"])
    assert (banner["level"], banner["rang"], banner["warnings"]) == (level, rang, [])


@pytest.mark.parametrize(
    ("payload", "warning"),
    [
        ({"title": "x", "colour": "red"}, "`colour` is ignored"),
        ({"title": "x", "renotify": True}, "`renotify` without a `tag`"),
        ({"title": "x", "actions": [{"action": "a"}]}, "an action needs"),
        ({"title": "x", "silent": "yes"}, "`silent` is ignored"),
    ],
)
def test_what_the_browser_would_stumble_over_is_warned_about(
    sandbox: SandboxProcess,
    senders: Senders,
    browser: Phone,
    payload: dict[str, Any],
    warning: str,
) -> None:
    senders.send(senders.webpush(browser, payload))
    [banner] = sandbox.screen(browser["id"])
    assert any(warning in text for text in banner["warnings"])


@pytest.mark.parametrize("plain", [b"no json", b"[]", b"\xff", b'{"body": "no title"}'])
def test_what_the_service_worker_cannot_show_arrives_with_a_warning(
    sandbox: SandboxProcess, senders: Senders, browser: Phone, plain: bytes
) -> None:
    assert senders.send(senders.webpush(browser, plain=plain)).status == 201
    [arrival] = [a for a in sandbox.banners() if a["phone_id"] == browser["id"]]
    assert arrival["warnings"]


def test_a_message_without_a_body_is_taken_and_shows_nothing(
    sandbox: SandboxProcess, senders: Senders, browser: Phone
) -> None:
    push = senders.webpush(browser, content_encoding=None)
    push.body = b""
    assert senders.send(push).status == 201
    assert sandbox.screen(browser["id"]) == []
