"""APNs: the request, byte for byte, and the reading of every answer."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from channels_app.gateways import apns
from channels_app.gateways.apns import ApnsApplication, classify, loudness
from channels_app.gateways.outcomes import Unsendable
from channels_app.gateways.pushes import Push, Verdict
from tests.channels_app.gateways.making import NOW, PUSH, push

KEY = ec.generate_private_key(ec.SECP256R1())


def application(**changes: Any) -> ApnsApplication:
    fields: dict[str, Any] = {
        "url": apns.PRODUCTION_URL,
        "topic": "com.example.pushbridge",
        "team_id": "DEF123GHIJ",
        "key_id": "ABC123DEFG",
        "key": KEY,
        "shape": "expo",
        "entitled": True,
    }
    return ApnsApplication(**(fields | changes))


def headers_of(given: Push, **changes: Any) -> dict[str, str]:
    lines = apns.request(given, application(**changes), NOW).headers
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def payload_of(given: Push, **changes: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(apns.request(given, application(**changes), NOW).body)
    return content


def test_a_critical_push_is_what_the_specification_says() -> None:
    headers, payload = headers_of(PUSH), payload_of(PUSH)

    del headers["authorization"]
    assert headers == {
        "apns-id": apns.apns_id(PUSH),
        "apns-topic": "com.example.pushbridge",
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": str(int(PUSH.expires_at.timestamp())),
        "apns-collapse-id": "conversation:c-1:1",
    }
    assert payload == {
        "aps": {
            "alert": {"title": PUSH.title, "body": PUSH.body},
            "badge": 3,
            "sound": {"critical": 1, "name": "default", "volume": 1.0},
            "thread-id": "conversation:c-1",
            "category": "ESCALATION",
            "interruption-level": "critical",
            "relevance-score": 1.0,
        },
        "body": {
            "event_id": "e-1",
            "notification_id": "n-1",
            "action_token": "t-1",
            "link": "pushbridge://app/o/acme/conversations/c-1",
            "level": "critical",
            "channel": "escalation",
            "thread": "conversation:c-1",
        },
    }


@pytest.mark.parametrize(
    ("level", "entitled", "allowed", "priority", "interruption_level", "sound"),
    [
        ("critical", True, True, 10, "critical", dict(apns._CRITICAL_SOUND)),
        ("critical", True, False, 10, "time-sensitive", "default"),
        ("critical", False, True, 10, "time-sensitive", "default"),
        ("loud", True, True, 10, "time-sensitive", "default"),
        ("quiet", True, True, 5, "passive", None),
    ],
)
def test_loudness_on_the_wire(
    level: str,
    entitled: bool,
    allowed: bool,
    priority: int,
    interruption_level: str,
    sound: object,
) -> None:
    given = push(level=level, target={"critical_allowed": allowed})

    aps = payload_of(given, entitled=entitled)["aps"]

    assert headers_of(given, entitled=entitled)["apns-priority"] == str(priority)
    assert aps["interruption-level"] == interruption_level
    assert aps.get("sound") == sound
    downgraded = loudness(level, entitled=entitled, allowed=allowed).downgraded
    assert downgraded is (level == "critical" and interruption_level != "critical")


def test_a_plain_app_finds_its_data_beside_aps() -> None:
    payload = payload_of(PUSH, shape="plain")

    assert payload["event_id"] == "e-1"
    assert "body" not in payload
    assert set(payload) > {"aps", "link", "action_token"}


def test_a_plain_app_cannot_have_data_called_aps() -> None:
    with pytest.raises(Unsendable, match="BadData"):
        payload_of(push(data={"aps": "x"}), shape="plain")


def test_what_a_push_does_not_have_is_left_out() -> None:
    aps = payload_of(push(badge=None, category="", thread=""))["aps"]

    assert not {"badge", "category", "thread-id"} & set(aps)


def test_a_badge_of_zero_takes_the_number_away() -> None:
    assert payload_of(push(badge=0))["aps"]["badge"] == 0


def test_a_long_text_is_cut_to_apples_limit() -> None:
    body = apns.request(push(body="🆘 wörk " * 2000), application(), NOW).body

    assert 4090 <= len(body) <= 4096


def test_data_that_does_not_fit_cannot_be_sent() -> None:
    with pytest.raises(Unsendable, match="PayloadTooLarge"):
        payload_of(push(data={"x": "y" * 5000}))


@pytest.mark.parametrize("token", ["", "xyz", "ab/../../1", "ab cd", "ab\r\nx: y", "é"])
def test_a_token_that_is_not_hexadecimal_never_becomes_a_path(token: str) -> None:
    with pytest.raises(Unsendable, match="BadDeviceToken"):
        headers_of(push(target={"registration_id": token}))


@pytest.mark.parametrize("key", ["", "x" * 65, "a b", "a\r\nb", "ü"])
def test_a_collapse_id_is_64_printable_bytes(key: str) -> None:
    with pytest.raises(Unsendable, match="BadCollapseId"):
        headers_of(push(collapse_key=key))


def test_a_level_that_nobody_knows_cannot_be_sent() -> None:
    with pytest.raises(Unsendable, match="BadLevel"):
        headers_of(push(level="off"))


def test_every_attempt_of_a_delivery_has_the_same_id_and_no_other_has_it() -> None:
    again = push(title="another text")
    others = [push(delivery_id=8), push(target={"registration_id": "cd" * 32})]

    assert apns.apns_id(again) == apns.apns_id(PUSH)
    assert apns.apns_id(PUSH) not in {apns.apns_id(other) for other in others}


def issued_at(token: str) -> float:
    claims = jwt.decode(
        token, KEY.public_key(), algorithms=["ES256"], options={"verify_iat": False}
    )
    assert claims["iss"] == "DEF123GHIJ"
    return float(claims["iat"])


def test_processes_that_start_together_share_every_provider_token() -> None:
    first, second = application(), application()
    tokens = set()
    for minute in range(180):
        now = NOW.timestamp() + 60 * minute
        assert first.provider_token(now) == second.provider_token(now)
        tokens.add(first.provider_token(now))
    assert 5 <= len(tokens) <= 7  # one every 30 minutes


@pytest.mark.parametrize("minute", range(30))
def test_whenever_it_starts_a_process_keeps_a_token_as_long_as_apple_demands(minute: int) -> None:
    app, start = application(), NOW.timestamp() + 60 * minute
    changes, token = [], ""
    for now in range(int(start), int(start) + 3 * 3600, 30):
        if app.provider_token(now) != token:
            token = app.provider_token(now)
            changes.append(now)
        assert 60 <= now - issued_at(token) < 55 * 60
    assert min(later - earlier for earlier, later in pairwise(changes)) > 20 * 60


REASONS = {
    Verdict.REJECTED: {
        400: "BadCollapseId BadDeviceToken BadExpirationDate BadMessageId BadPriority "
        "DeviceTokenNotForTopic DuplicateHeaders InvalidPushType MissingDeviceToken PayloadEmpty",
        404: "BadPath",
        405: "MethodNotAllowed",
        413: "PayloadTooLarge",
    },
    Verdict.CREDENTIALS: {
        400: "BadTopic MissingTopic TopicDisallowed",
        403: "BadCertificate BadCertificateEnvironment BadEnvironmentKeyIdInToken "
        "ExpiredProviderToken Forbidden InvalidProviderToken MissingProviderToken "
        "UnrelatedKeyIdInToken BadEnvironmentKeyInToken SomethingNew",
    },
    Verdict.DEAD: {410: "ExpiredToken Unregistered"},
    Verdict.RETRY: {
        400: "IdleTimeout",
        429: "TooManyProviderTokenUpdates TooManyRequests",
        500: "InternalServerError",
        503: "ServiceUnavailable Shutdown SomethingNew",
    },
}


@pytest.mark.parametrize(
    ("status", "reason", "verdict"),
    [
        (status, reason, verdict)
        for verdict, table in REASONS.items()
        for status, reasons in table.items()
        for reason in reasons.split()
    ],
)
def test_every_reason_of_apples_table(status: int, reason: str, verdict: Verdict) -> None:
    outcome = classify(status, {"apns-id": "i"}, json.dumps({"reason": reason}).encode(), NOW)

    assert (outcome.verdict, outcome.reason, outcome.gateway_id) == (verdict, reason, "i")


def test_only_410_proves_a_device_dead() -> None:
    dead = {reason for reason, verdict in apns._REASONS.items() if verdict is Verdict.DEAD}

    assert dead == {"Unregistered", "ExpiredToken"}


def test_success_is_accepted() -> None:
    outcome = classify(200, {"apns-id": "i"}, b"", NOW)

    assert (outcome.verdict, outcome.gateway_id) == (Verdict.ACCEPTED, "i")


def test_a_dead_token_is_dead_since_apple_says() -> None:
    since = datetime(2026, 5, 1, 8, 30, tzinfo=UTC)
    body = json.dumps({"reason": "Unregistered", "timestamp": since.timestamp() * 1000}).encode()

    assert classify(410, {}, body, NOW).dead_since == since


@pytest.mark.parametrize("timestamp", [None, "soon", True, 1e300, -1e300])
def test_a_senseless_timestamp_is_none(timestamp: object) -> None:
    body = json.dumps({"reason": "Unregistered", "timestamp": timestamp}).encode()

    assert classify(410, {}, body, NOW).dead_since is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"reason": 5}'])
def test_without_a_reason_the_status_decides(body: bytes) -> None:
    verdicts = {status: classify(status, {}, body, NOW).verdict for status in (400, 403, 410, 503)}

    assert verdicts == {
        400: Verdict.REJECTED,
        403: Verdict.CREDENTIALS,
        410: Verdict.DEAD,
        503: Verdict.RETRY,
    }


def test_too_many_requests_waits_as_long_as_apple_asks() -> None:
    outcome = classify(429, {"retry-after": "17"}, b'{"reason": "TooManyRequests"}', NOW)

    assert outcome.retry_after == 17.0


def test_an_expiry_in_the_past_is_still_a_number() -> None:
    given = replace(PUSH, expires_at=NOW - timedelta(days=1))

    assert int(headers_of(given)["apns-expiration"]) < NOW.timestamp()
