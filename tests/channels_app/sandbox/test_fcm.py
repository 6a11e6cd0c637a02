"""FCM: what Google refuses, and with which words."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from channels_app.sandbox.process import SandboxProcess
from tests.channels_app.sandbox.senders import Senders, expo_data

Phone = Mapping[str, Any]
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


def test_a_correct_message_is_taken_and_shown(
    sandbox: SandboxProcess, senders: Senders, android: Phone
) -> None:
    answer = senders.send(senders.fcm(android, data=expo_data("Hi", "there", tag="a")))
    assert answer.status == 200
    assert answer.json["name"].startswith("projects/pushbridge-sandbox/messages/")
    [banner] = sandbox.screen(android["id"])
    assert (banner["title"], banner["body"], banner["tag"]) == ("Hi", "there", "a")
    assert banner["warnings"] == []


@pytest.mark.parametrize(
    ("message", "field", "says"),
    [
        ({"data": {"a": 1}}, "message.data[0].value", "TYPE_STRING"),
        ({"data": {"a": {"b": "c"}}}, "message.data[0].value", "TYPE_STRING"),
        ({"data": ["a"]}, "message.data", "Map"),
        ({"title": "x"}, "message", "Unknown name \"title\" at 'message'"),
        ({"android": {"tag": "x"}}, "message.android", 'Unknown name "tag"'),
        ({"android": {"priority": "urgent"}}, "message.android.priority", "TYPE_ENUM"),
        ({"android": {"priority": 5}}, "message.android.priority", "TYPE_ENUM"),
        ({"android": {"ttl": "60"}}, "message.android.ttl", "must end with 's'"),
        ({"android": {"ttl": 60}}, "message.android.ttl", "must end with 's'"),
        ({"android": {"directBootOk": "yes"}}, "message.android.directBootOk", "TYPE_BOOL"),
        (
            {"android": {"notification": {"notificationCount": "many"}}},
            "message.android.notification.notificationCount",
            "TYPE_INT32",
        ),
        (
            {"android": {"notification": {"bodyLocArgs": "x"}}},
            "message.android.notification.bodyLocArgs",
            "repeating",
        ),
        ({"android": "x"}, "message.android", "AndroidConfig"),
    ],
)
def test_what_the_discovery_document_forbids_is_refused(
    senders: Senders, android: Phone, message: dict[str, Any], field: str, says: str
) -> None:
    answer = senders.send(senders.fcm(android, **message))
    assert (answer.status, answer.json["error"]["status"]) == (400, "INVALID_ARGUMENT")
    [detail] = answer.json["error"]["details"]
    assert detail["@type"] == BAD_REQUEST
    [violation] = detail["fieldViolations"]
    assert violation["field"] == field
    assert says in violation["description"]


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ({"data": {"from": "x"}}, "Invalid data payload key: from"),
        ({"data": {"message_type": "x"}}, "Invalid data payload key: message_type"),
        ({"data": {"collapse_key": "x"}}, "Invalid data payload key: collapse_key"),
        ({"data": {"google.x": "x"}}, "Invalid data payload key: google.x"),
        ({"data": {"gcm.x": "x"}}, "Invalid data payload key: gcm.x"),
        ({"data": {"": "x"}}, "Invalid data payload key: "),
        ({"android": {"data": {"from": "x"}}}, "Invalid data payload key: from"),
        ({"android": {"ttl": "2419201s"}}, "TTL"),
        ({"android": {"ttl": "-1s"}}, "TTL"),
        ({"android": {"notification": {"color": "red"}}}, "#RRGGBB"),
        ({"android": {}, "androidV2": {}}, "mutually exclusive"),
        ({"token": "short"}, "not a valid FCM registration token"),
        ({"data": {"a": "x" * 4096}}, "too big"),
    ],
)
def test_what_fcm_itself_forbids_is_refused(
    senders: Senders, android: Phone, message: dict[str, Any], says: str
) -> None:
    answer = senders.send(senders.fcm(android, **message))
    assert answer.status == 400
    assert answer.json["error"]["details"][0] == {
        "@type": FCM_ERROR,
        "errorCode": "INVALID_ARGUMENT",
    }
    assert says in answer.json["error"]["message"]


@pytest.mark.parametrize(
    "message",
    [
        {"token": None},
        {"token": ""},
        {"topic": "news"},
        {"condition": "'a' in topics"},
        {"token": None, "topic": "news", "condition": "'a' in topics"},
    ],
)
def test_a_message_has_exactly_one_target(
    senders: Senders, android: Phone, message: dict[str, Any]
) -> None:
    answer = senders.send(senders.fcm(android, **message))
    assert (answer.status, answer.json["error"]["status"]) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("target", [{"topic": "news"}, {"condition": "'a' in topics"}])
def test_topics_and_conditions_are_taken(
    senders: Senders, android: Phone, target: dict[str, str]
) -> None:
    assert senders.send(senders.fcm(android, token=None, **target)).status == 200


@pytest.mark.parametrize(
    "android_config",
    [
        {"priority": "high"},
        {"priority": "NORMAL", "collapse_key": "a", "ttl": "0s"},
        {"collapseKey": "a", "ttl": "3.5s"},
        {"priority": None},
    ],
)
def test_the_other_spellings_that_google_takes_are_taken(
    senders: Senders, android: Phone, android_config: dict[str, Any]
) -> None:
    assert senders.send(senders.fcm(android, android=android_config)).status == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"message": 5}', b'{"x": 1}'])
def test_what_is_no_message_is_refused(senders: Senders, android: Phone, body: bytes) -> None:
    push = senders.fcm(android)
    push.body = body
    answer = senders.send(push)
    assert (answer.status, answer.json["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_4096_bytes_of_data_are_taken(senders: Senders, android: Phone) -> None:
    assert senders.send(senders.fcm(android, data={"k": "x" * 4095})).status == 200


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer nonsense", "Basic eA=="])
def test_without_a_good_access_token_nothing_is_taken(
    senders: Senders, android: Phone, authorization: str
) -> None:
    push = senders.fcm(android)
    push.headers["authorization"] = authorization
    answer = senders.send(push)
    assert (answer.status, answer.json["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_a_forged_access_token_is_refused(senders: Senders, android: Phone) -> None:
    push = senders.fcm(android)
    push.headers["authorization"] += "x"
    assert senders.send(push).status == 401


def test_a_token_for_another_project_is_denied(
    senders: Senders, android: Phone, plain_android: Phone
) -> None:
    push = senders.fcm(android)
    push.path = senders.fcm(plain_android).path
    answer = senders.send(push)
    assert (answer.status, answer.json["error"]["status"]) == (403, "PERMISSION_DENIED")


def test_another_projects_phone_is_a_sender_id_mismatch(
    senders: Senders, android: Phone, plain_android: Phone
) -> None:
    push = senders.fcm(android, token=plain_android["registration_id"])
    answer = senders.send(push)
    assert (answer.status, answer.reason) == (403, "SENDER_ID_MISMATCH")


def test_a_dead_token_is_unregistered(
    sandbox: SandboxProcess, senders: Senders, android: Phone
) -> None:
    push = senders.fcm(android)
    sandbox.call("DELETE", f"/api/phones/{android['id']}")
    answer = senders.send(push)
    assert (answer.status, answer.reason) == (404, "UNREGISTERED")


def test_a_message_that_is_only_validated_is_not_shown(
    sandbox: SandboxProcess, senders: Senders, android: Phone
) -> None:
    push = senders.fcm(android)
    push.body = json.dumps({**push.content, "validateOnly": True}).encode()
    assert senders.send(push).status == 200
    assert sandbox.screen(android["id"]) == []


def test_any_other_path_is_not_found(senders: Senders, android: Phone) -> None:
    push = senders.fcm(android)
    push.path = "/v1/projects/pushbridge-sandbox/messages"
    assert senders.send(push).status == 404


@pytest.mark.parametrize(
    ("channel", "level", "rang"),
    [("escalation", "critical", True), ("loud", "loud", True), ("quiet", "quiet", False)],
)
def test_the_channel_decides_how_loud_it_is(
    sandbox: SandboxProcess,
    senders: Senders,
    android: Phone,
    channel: str,
    level: str,
    rang: bool,
) -> None:
    senders.send(senders.fcm(android, data=expo_data("x", channel=channel)))
    [banner] = sandbox.screen(android["id"])
    assert (banner["level"], banner["rang"]) == (level, rang)


@pytest.mark.parametrize(
    ("message", "warning"),
    [
        ({"data": expo_data("x", channel="nope")}, "default channel"),
        ({"data": {**expo_data("x"), "body": "[]"}}, "no JSON object"),
        ({"android": {"priority": "NORMAL"}}, "priority normal"),
        ({"notification": {"title": "x"}}, "no buttons"),
    ],
)
def test_what_the_app_would_stumble_over_is_warned_about(
    sandbox: SandboxProcess,
    senders: Senders,
    android: Phone,
    message: dict[str, Any],
    warning: str,
) -> None:
    assert senders.send(senders.fcm(android, **message)).status == 200
    [banner] = sandbox.screen(android["id"])
    assert any(warning in text for text in banner["warnings"])


def test_data_without_title_and_text_shows_nothing(
    sandbox: SandboxProcess, senders: Senders, android: Phone
) -> None:
    senders.send(senders.fcm(android, data={"body": "{}"}))
    assert sandbox.screen(android["id"]) == []


def test_a_plain_app_draws_its_own_keys(
    sandbox: SandboxProcess, senders: Senders, plain_android: Phone
) -> None:
    data = {
        "title": "Hi",
        "body": "there",
        "channel_id": "escalation",
        "category": "ESCALATION",
        "link": "app://x",
    }
    senders.send(senders.fcm(plain_android, data=data))
    [banner] = sandbox.screen(plain_android["id"])
    assert (banner["title"], banner["body"], banner["level"]) == ("Hi", "there", "critical")
    assert [action["action"] for action in banner["actions"]] == ["claim", "view", "snooze"]
    assert (banner["data"], banner["warnings"]) == ({"link": "app://x"}, [])
