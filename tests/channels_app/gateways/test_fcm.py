"""FCM: the message against Google's own description of it, and the reading of every answer."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import googleapiclient.discovery_cache
import pytest

from channels_app.gateways import fcm, sizes
from channels_app.gateways.fcm import classify, message
from channels_app.gateways.outcomes import Unsendable
from channels_app.gateways.pushes import Push, Verdict
from tests.channels_app.gateways.making import NOW, PUSH, push

DISCOVERY = Path(googleapiclient.discovery_cache.__file__).parent / "documents" / "fcm.v1.json"
SCHEMAS: Mapping[str, Any] = json.loads(DISCOVERY.read_text())["schemas"]


def faults(value: object, schema: Mapping[str, Any], path: str = "$") -> list[str]:
    """Where `value` is not what a schema of the discovery document describes."""
    if "$ref" in schema:
        return faults(value, SCHEMAS[schema["$ref"]], path)
    if schema["type"] == "object":
        if not isinstance(value, dict):
            return [f"{path}: no object"]
        anything = schema.get("additionalProperties")
        found = []
        for key, item in value.items():
            inner = schema.get("properties", {}).get(key, anything)
            found += (
                [f"{path}.{key}: unknown"]
                if inner is None
                else faults(item, inner, f"{path}.{key}")
            )
        return found
    kinds = {"string": str, "boolean": bool, "integer": int, "number": float}
    if not isinstance(value, kinds[schema["type"]]):
        return [f"{path}: no {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path}: not one of {schema['enum']}"]
    return []


def body_of(given: Push, shape: str = "expo") -> dict[str, Any]:
    request = fcm.request(given, url="https://x/send", access_token="t", shape=shape, now=NOW)
    content: dict[str, Any] = json.loads(request.body)
    return content


@pytest.mark.parametrize("shape", ["expo", "plain"])
@pytest.mark.parametrize("level", ["critical", "loud", "quiet"])
@pytest.mark.parametrize("badge", [None, 0, 12])
def test_every_message_is_what_googles_discovery_document_describes(
    level: str, shape: str, badge: int | None
) -> None:
    content = body_of(push(level=level, badge=badge), shape)

    assert faults(content, SCHEMAS["SendMessageRequest"]) == []


def test_the_judge_of_messages_is_not_blind() -> None:
    wrong = {"message": {"data": {"a": 1}, "android": {"priority": "high"}, "titel": "x"}}

    assert len(faults(wrong, SCHEMAS["SendMessageRequest"])) == 3


def test_a_critical_push_is_what_expo_notifications_reads() -> None:
    given = message(PUSH, shape="expo", now=NOW)

    assert json.loads(given["data"].pop("body")) == {
        "event_id": "e-1",
        "notification_id": "n-1",
        "action_token": "t-1",
        "link": "pushbridge://app/o/acme/conversations/c-1",
        "level": "critical",
        "channel": "escalation",
        "thread": "conversation:c-1",
    }
    assert given == {
        "token": PUSH.target.registration_id,
        "data": {
            "title": PUSH.title,
            "message": PUSH.body,
            "channelId": "escalation",
            "categoryId": "ESCALATION",
            "tag": "conversation:c-1:1",
            "sound": "default",
            "color": "#D32F2F",
            "badge": "3",
        },
        "android": {"priority": "HIGH", "ttl": "600s"},
    }


@pytest.mark.parametrize(
    ("level", "priority", "channel", "sound"),
    [
        ("critical", "HIGH", "escalation", "default"),
        ("loud", "HIGH", "loud", "default"),
        ("quiet", "NORMAL", "quiet", ""),
    ],
)
def test_loudness_on_the_wire(level: str, priority: str, channel: str, sound: str) -> None:
    given = message(push(level=level), shape="expo", now=NOW)

    assert given["android"]["priority"] == priority
    assert given["data"]["channelId"] == channel
    assert given["data"]["sound"] == sound


def test_a_plain_app_finds_every_key_on_one_level() -> None:
    data = message(PUSH, shape="plain", now=NOW)["data"]

    assert data["body"] == PUSH.body
    assert data["channel_id"] == "escalation"
    assert data["action_token"] == "t-1"
    assert data["link"] == PUSH.link


@pytest.mark.parametrize("key", ["title", "tag", "from", "google.x", "gcm_y", "message_type"])
def test_a_plain_app_cannot_have_data_under_a_name_that_is_taken(key: str) -> None:
    with pytest.raises(Unsendable, match="BadData"):
        message(push(data={key: "x"}), shape="plain", now=NOW)


def test_nothing_is_collapsed_in_googles_queue() -> None:
    """It keeps four collapse keys per device: a fifth conversation would be lost."""
    given = message(PUSH, shape="expo", now=NOW)

    assert set(given) == {"token", "data", "android"}
    assert set(given["android"]) == {"priority", "ttl"}


@pytest.mark.parametrize(
    ("lifetime", "ttl"),
    [
        (timedelta(seconds=90, milliseconds=900), "90s"),
        (timedelta(days=90), "2419200s"),
        (timedelta(seconds=-5), "0s"),
    ],
)
def test_a_time_to_live_is_whole_seconds_up_to_four_weeks(lifetime: timedelta, ttl: str) -> None:
    given = message(push(expires_at=NOW + lifetime), shape="expo", now=NOW)

    assert given["android"]["ttl"] == ttl


@pytest.mark.parametrize("shape", ["expo", "plain"])
def test_a_long_text_is_cut(shape: str) -> None:
    data = message(push(body='ü"\n🆘' * 2000), shape=shape, now=NOW)["data"]

    assert 4080 <= len(sizes.encode(data)) <= 4096
    assert data["message" if shape == "expo" else "body"].endswith("…")


def test_data_that_does_not_fit_cannot_be_sent() -> None:
    with pytest.raises(Unsendable, match="PayloadTooLarge"):
        message(push(data={"x": "y" * 5000}), shape="expo", now=NOW)


def error(status: int, canonical: str, code: str | None = None) -> bytes:
    details: list[object] = [{"@type": "type.googleapis.com/google.rpc.BadRequest"}, "junk"]
    if code:
        kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
        details.append({"@type": kind, "errorCode": code})
    content = {"code": status, "message": "…", "status": canonical, "details": details}
    return json.dumps({"error": content}).encode()


@pytest.mark.parametrize(
    ("status", "canonical", "code", "verdict"),
    [
        (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", Verdict.REJECTED),
        (400, "INVALID_ARGUMENT", None, Verdict.REJECTED),
        (401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR", Verdict.REJECTED),
        (401, "UNAUTHENTICATED", None, Verdict.CREDENTIALS),
        (403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", Verdict.REJECTED),
        (403, "PERMISSION_DENIED", None, Verdict.CREDENTIALS),
        (404, "NOT_FOUND", "UNREGISTERED", Verdict.DEAD),
        (404, "NOT_FOUND", None, Verdict.REJECTED),
        (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", Verdict.RETRY),
        (500, "INTERNAL", "INTERNAL", Verdict.RETRY),
        (502, "", None, Verdict.RETRY),
        (503, "UNAVAILABLE", "UNAVAILABLE", Verdict.RETRY),
        (400, "INVALID_ARGUMENT", "UNSPECIFIED_ERROR", Verdict.REJECTED),
    ],
)
def test_every_code_of_googles_table(
    status: int, canonical: str, code: str | None, verdict: Verdict
) -> None:
    outcome = classify(status, {}, error(status, canonical, code), NOW)

    assert (outcome.verdict, outcome.reason) == (verdict, code or canonical or f"HTTP {status}")


def test_only_unregistered_proves_a_device_dead() -> None:
    dead = {code for code, verdict in fcm._ERROR_CODES.items() if verdict is Verdict.DEAD}

    assert dead == {"UNREGISTERED"}
    assert Verdict.DEAD not in fcm._STATUSES.values()


def test_a_message_that_was_taken_has_a_name() -> None:
    outcome = classify(200, {}, b'{"name": "projects/p/messages/1"}', NOW)

    assert (outcome.verdict, outcome.gateway_id) == (Verdict.ACCEPTED, "projects/p/messages/1")


def test_a_spent_quota_waits_a_minute_unless_told_otherwise() -> None:
    body = error(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")

    assert classify(429, {}, body, NOW).retry_after == 60.0
    assert classify(429, {"retry-after": "5"}, body, NOW).retry_after == 5.0


@pytest.mark.parametrize(
    "body", [b"", b"<!DOCTYPE html>", b'{"error": 5}', b'{"error": {"details": 5}}']
)
def test_an_answer_that_is_not_googles_is_read_by_its_status(body: bytes) -> None:
    assert classify(502, {}, body, NOW).verdict is Verdict.RETRY
    assert classify(404, {}, body, NOW).verdict is Verdict.REJECTED
