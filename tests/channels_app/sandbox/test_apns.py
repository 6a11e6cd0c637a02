"""APNs: what Apple refuses, and with which words."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from channels_app.sandbox.process import SandboxProcess
from tests.channels_app.sandbox.client import Http2Client
from tests.channels_app.sandbox.senders import Push, Senders, alert

Phone = Mapping[str, Any]
APNS_ID = "eabeae54-14a8-11e5-b60b-1697f925ec7b"


def test_a_correct_notification_is_taken_and_shown(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    answer = senders.send(senders.apns(iphone, {"aps": alert("Hi", "there"), "body": {}}))
    assert (answer.status, answer.body) == (200, b"")
    [banner] = sandbox.screen(iphone["id"])
    assert (banner["title"], banner["body"], banner["warnings"]) == ("Hi", "there", [])


def test_the_senders_apns_id_is_echoed(senders: Senders, iphone: Phone) -> None:
    answer = senders.send(senders.apns(iphone, apns_id=APNS_ID))
    assert answer.headers["apns-id"] == APNS_ID


def test_an_apns_id_is_made_where_none_was_given(senders: Senders, iphone: Phone) -> None:
    assert len(senders.send(senders.apns(iphone)).headers["apns-id"]) == 36


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({"authorization": None}, 403, "MissingProviderToken"),
        ({"authorization": "bearer "}, 403, "MissingProviderToken"),
        ({"authorization": "basic eA=="}, 403, "MissingProviderToken"),
        ({"authorization": "bearer nonsense"}, 403, "InvalidProviderToken"),
        ({"apns_topic": None}, 400, "MissingTopic"),
        ({"apns_topic": "no topic at all"}, 400, "BadTopic"),
        ({"apns_topic": "com.example.unknown"}, 400, "TopicDisallowed"),
        ({"apns_topic": "com.example.foreign"}, 400, "TopicDisallowed"),
        ({"apns_topic": "com.example.plain"}, 400, "DeviceTokenNotForTopic"),
        ({"apns_push_type": None}, 400, "InvalidPushType"),
        ({"apns_push_type": "loud"}, 400, "InvalidPushType"),
        ({"apns_push_type": "background"}, 400, "InvalidPushType"),
        ({"apns_push_type": "voip"}, 400, "TopicDisallowed"),
        (
            {"apns_push_type": "voip", "apns_topic": "com.example.pushbridge.voip"},
            400,
            "InvalidPushType",
        ),
        ({"apns_priority": "7"}, 400, "BadPriority"),
        ({"apns_priority": "high"}, 400, "BadPriority"),
        ({"apns_expiration": "tomorrow"}, 400, "BadExpirationDate"),
        ({"apns_expiration": "1.5"}, 400, "BadExpirationDate"),
        ({"apns_expiration": "-1"}, 400, "BadExpirationDate"),
        ({"apns_collapse_id": "x" * 65}, 400, "BadCollapseId"),
        ({"apns_collapse_id": "ü" * 33}, 400, "BadCollapseId"),
        ({"apns_id": "1234"}, 400, "BadMessageId"),
    ],
)
def test_wrong_headers_are_refused(
    senders: Senders, iphone: Phone, headers: dict[str, Any], status: int, reason: str
) -> None:
    answer = senders.send(senders.apns(iphone, **headers))
    assert (answer.status, answer.reason) == (status, reason)


@pytest.mark.parametrize("priority", ["1", "5", "10"])
def test_the_three_priorities_are_taken(senders: Senders, iphone: Phone, priority: str) -> None:
    assert senders.send(senders.apns(iphone, apns_priority=priority)).status == 200


def test_a_header_that_comes_twice_is_refused(
    connection: Http2Client, senders: Senders, iphone: Phone
) -> None:
    push = senders.apns(iphone)
    headers = [*push.headers.items(), ("apns-priority", "5"), ("apns-priority", "10")]
    stream = connection.open(push.path, headers, push.body)
    connection.flush()
    connection.wait(stream)
    assert connection.answers[stream].reason == "DuplicateHeaders"


@pytest.mark.parametrize(
    ("claims", "header", "reason"),
    [
        ({"iat": int(time.time()) - 3700}, {}, "ExpiredProviderToken"),
        ({"iat": int(time.time()) + 3600}, {}, "InvalidProviderToken"),
        ({"iat": None}, {}, "InvalidProviderToken"),
        ({"iat": "today"}, {}, "InvalidProviderToken"),
        ({"iat": True}, {}, "InvalidProviderToken"),
        ({"iss": "WRONGTEAM0"}, {}, "InvalidProviderToken"),
        ({"iss": None}, {}, "InvalidProviderToken"),
        ({}, {"kid": "WRONGKEY00"}, "InvalidProviderToken"),
        ({}, {"kid": ""}, "InvalidProviderToken"),
    ],
)
def test_wrong_provider_tokens_are_refused(
    senders: Senders, iphone: Phone, claims: dict[str, Any], header: dict[str, Any], reason: str
) -> None:
    token = senders.provider_token(header=header, **claims)
    answer = senders.send(senders.apns(iphone, authorization=f"bearer {token}"))
    assert (answer.status, answer.reason) == (403, reason)


def test_a_provider_token_signed_with_another_key_is_refused(
    senders: Senders, iphone: Phone
) -> None:
    token = senders.provider_token(key=ec.generate_private_key(ec.SECP256R1()))
    answer = senders.send(senders.apns(iphone, authorization=f"bearer {token}"))
    assert (answer.status, answer.reason) == (403, "InvalidProviderToken")


def test_a_second_provider_token_within_20_minutes_is_refused(
    connection: Http2Client, senders: Senders, iphone: Phone
) -> None:
    """Apple, "Establishing a token-based connection": no more than once every 20 minutes."""
    first = senders.apns(iphone)
    other = senders.provider_token(iat=int(time.time()) - 10)
    second = senders.apns(iphone, authorization=f"bearer {other}")
    assert connection.send(first.path, first.headers, first.body).status == 200
    answer = connection.send(second.path, second.headers, second.body)
    assert (answer.status, answer.reason) == (429, "TooManyProviderTokenUpdates")


def test_a_new_token_after_a_refused_one_is_taken(
    connection: Http2Client, senders: Senders, iphone: Phone
) -> None:
    old = senders.provider_token(iat=int(time.time()) - 3700)
    stale, good = senders.apns(iphone, authorization=f"bearer {old}"), senders.apns(iphone)
    refused = connection.send(stale.path, stale.headers, stale.body)
    assert refused.reason == "ExpiredProviderToken"
    assert connection.send(good.path, good.headers, good.body).status == 200


@pytest.mark.parametrize(
    ("spoil", "status", "reason"),
    [
        (lambda push: setattr(push, "path", "/3/device/"), 400, "MissingDeviceToken"),
        (lambda push: setattr(push, "path", "/3/device/xyz"), 400, "BadDeviceToken"),
        (lambda push: setattr(push, "path", f"/3/device/{'ab' * 32}"), 400, "BadDeviceToken"),
        (lambda push: setattr(push, "path", "/2/device/00"), 404, "BadPath"),
        (lambda push: setattr(push, "method", "PUT"), 405, "MethodNotAllowed"),
        (lambda push: setattr(push, "body", b""), 400, "PayloadEmpty"),
        (lambda push: setattr(push, "body", b"{}"), 400, "PayloadEmpty"),
        (lambda push: setattr(push, "body", b" " * 4097), 413, "PayloadTooLarge"),
        (lambda push: setattr(push, "body", b"{'aps'"), 400, "BadPayload"),
        (lambda push: setattr(push, "body", b"[]"), 400, "BadPayload"),
        (lambda push: setattr(push, "body", b'{"aps": {"badge": NaN}}'), 400, "BadPayload"),
    ],
)
def test_wrong_requests_are_refused(
    senders: Senders, iphone: Phone, spoil: Callable[[Push], None], status: int, reason: str
) -> None:
    push = senders.apns(iphone)
    spoil(push)
    answer = senders.send(push)
    assert (answer.status, answer.reason) == (status, reason)


def test_a_payload_of_4096_bytes_is_taken_and_of_4097_is_not(
    senders: Senders, iphone: Phone
) -> None:
    push = senders.apns(iphone, {"aps": alert("x"), "body": {}, "pad": ""})
    room = 4096 - len(push.body)
    push.body = push.body.replace(b'"pad": ""', b'"pad": "' + b"x" * room + b'"')
    assert (len(push.body), senders.send(push).status) == (4096, 200)
    push.body = push.body.replace(b'"pad": "', b'"pad": "x')
    assert senders.send(push).status == 413


def test_a_dead_token_is_unregistered_since_when(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    before = time.time()
    sandbox.call("DELETE", f"/api/phones/{iphone['id']}")
    answer = senders.send(senders.apns(iphone))
    assert (answer.status, answer.reason) == (410, "Unregistered")
    assert before * 1000 - 1 <= answer.json["timestamp"] <= time.time() * 1000


@pytest.mark.parametrize(
    "aps",
    [
        None,
        "text",
        {"alert": 5},
        {"alert": {"title": 5}},
        {"alert": {"colour": "red"}},
        {"alert": {"loc-args": "x"}},
        {"alert": "x", "badge": "1"},
        {"alert": "x", "badge": -1},
        {"alert": "x", "badge": True},
        {"alert": "x", "sound": 1},
        {"alert": "x", "sound": {"critical": 1}},
        {"alert": "x", "sound": {"name": "default", "critical": True}},
        {"alert": "x", "sound": {"name": "default", "volume": 2}},
        {"alert": "x", "sound": {"name": "default", "loud": 1}},
        {"alert": "x", "interruption-level": "urgent"},
        {"alert": "x", "interruption-level": 1},
        {"alert": "x", "interruption-level": "critical"},
        {"alert": "x", "interruption-level": "critical", "sound": "default"},
        {"alert": "x", "relevance-score": 2},
        {"alert": "x", "thread-id": 7},
        {"alert": "x", "category": None},
        {"alert": "x", "mutable-content": True},
        {"alert": "x", "content-available": 0},
        {"alert": "x", "Category": "x"},
    ],
)
def test_an_aps_that_a_device_would_misread_is_refused(
    senders: Senders, iphone: Phone, aps: Any
) -> None:
    answer = senders.send(senders.apns(iphone, {"aps": aps, "body": {}}))
    assert (answer.status, answer.reason) == (400, "BadPayload")


@pytest.mark.parametrize(
    ("payload", "headers", "reason"),
    [
        ({"aps": {"content-available": 1}}, {}, "InvalidPushType"),
        (
            {"aps": {"content-available": 1, "sound": "x"}},
            {"apns_push_type": "background", "apns_priority": "5"},
            "InvalidPushType",
        ),
        ({"aps": {"content-available": 1}}, {"apns_push_type": "background"}, "BadPriority"),
    ],
)
def test_a_payload_that_belies_its_push_type_is_refused(
    senders: Senders,
    iphone: Phone,
    payload: dict[str, Any],
    headers: dict[str, str],
    reason: str,
) -> None:
    answer = senders.send(senders.apns(iphone, payload, **headers))
    assert (answer.status, answer.reason) == (400, reason)


def test_a_background_push_is_taken_and_shows_nothing(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    payload = {"aps": {"content-available": 1}, "body": {}}
    push = senders.apns(iphone, payload, apns_push_type="background", apns_priority="5")
    assert senders.send(push).status == 200
    assert sandbox.screen(iphone["id"]) == []


def test_critical_needs_the_apps_entitlement(
    senders: Senders, iphone: Phone, plain_iphone: Phone
) -> None:
    sound = {"critical": 1, "name": "default", "volume": 1.0}
    payload = {"aps": alert("x", interruption_level="critical", sound=sound), "body": {}}
    assert senders.send(senders.apns(iphone, payload)).status == 200
    assert senders.send(senders.apns(plain_iphone, payload)).reason == "BadPayload"


def test_the_refusals_say_why_in_plain_words(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    senders.send(senders.apns(iphone, {"aps": alert("x", urgency="high")}))
    mine = [r for r in sandbox.call("GET", "/api/refusals") if r["phone_id"] == iphone["id"]]
    assert [(r["status"], r["detail"]) for r in mine] == [(400, "aps.urgency is no key of Apple's")]


def test_a_plain_app_reads_its_data_beside_aps(
    sandbox: SandboxProcess, senders: Senders, plain_iphone: Phone
) -> None:
    payload = {"aps": alert("x"), "link": "app://x", "id": "7"}
    senders.send(senders.apns(plain_iphone, payload))
    [banner] = sandbox.screen(plain_iphone["id"])
    assert (banner["data"], banner["link"]) == ({"link": "app://x", "id": "7"}, "app://x")


def test_an_expo_app_without_its_data_is_warned_about(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    senders.send(senders.apns(iphone, {"aps": alert("x"), "link": "app://x"}))
    [banner] = sandbox.screen(iphone["id"])
    assert banner["data"] == {} and "expo-notifications sees no data" in banner["warnings"][0]


def test_the_provider_token_is_shown_to_nobody(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    senders.send(senders.apns(iphone))
    assert "authorization" not in json.dumps(sandbox.screen(iphone["id"]))
