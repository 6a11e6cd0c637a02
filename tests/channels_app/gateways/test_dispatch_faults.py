"""All three gateways through the dispatcher, against a sandbox that misbehaves."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from channels_app.gateways.dispatch import Dispatcher
from channels_app.gateways.pushes import Answer, Verdict
from channels_app.sandbox.process import SandboxProcess
from tests.channels_app.gateways.sandboxed import (
    PATIENCE,
    PLATFORMS,
    Dispatchers,
    answer,
    answers,
    banner_for,
)


@pytest.mark.parametrize(
    ("platform", "reason", "verdict"),
    [
        ("apns", "BadDeviceToken", Verdict.REJECTED),
        ("apns", "DeviceTokenNotForTopic", Verdict.REJECTED),
        ("apns", "PayloadTooLarge", Verdict.REJECTED),
        ("apns", "TopicDisallowed", Verdict.CREDENTIALS),
        ("apns", "InvalidProviderToken", Verdict.CREDENTIALS),
        ("apns", "Unregistered", Verdict.DEAD),
        ("apns", "TooManyProviderTokenUpdates", Verdict.RETRY),
        ("apns", "InternalServerError", Verdict.RETRY),
        ("fcm", "UNREGISTERED", Verdict.DEAD),
        ("fcm", "SENDER_ID_MISMATCH", Verdict.REJECTED),
        ("fcm", "INVALID_ARGUMENT", Verdict.REJECTED),
        ("fcm", "PERMISSION_DENIED", Verdict.CREDENTIALS),
        ("fcm", "UNAUTHENTICATED", Verdict.CREDENTIALS),
        ("fcm", "UNAVAILABLE", Verdict.RETRY),
        ("webpush", "NoSubscription", Verdict.DEAD),
        ("webpush", "InvalidToken", Verdict.DEAD),
        ("webpush", "PayloadTooLarge", Verdict.REJECTED),
        ("webpush", "InvalidEncryption", Verdict.REJECTED),
        ("webpush", "Forbidden", Verdict.CREDENTIALS),
        ("webpush", "SaveDb", Verdict.RETRY),
    ],
)
def test_a_refusal_is_read_off_the_wire(
    platform: str, reason: str, verdict: Verdict, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone(platform, owner="Refused")
    sandbox.fault(platform, reason=reason)

    assert answer(dispatcher, banner_for(phone)).verdict is verdict


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_retry_waits_as_long_as_the_service_asks(
    platform: str, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    sandbox.fault(platform, status=429, retry_after=7)

    got = answer(dispatcher, banner_for(sandbox.phone(platform)))

    assert (got.verdict, got.status, got.retry_after) == (Verdict.RETRY, 429, 7.0)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_garbage_a_flood_and_a_redirection_are_no_answers_to_trust(
    platform: str, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone(platform)
    faults: list[dict[str, Any]] = [
        {"garbage": True, "status": 503},
        {"huge": 5_000_000, "status": 400},
        {"redirect": "https://169.254.169.254/latest/meta-data/"},
    ]
    verdicts = []
    for fault in faults:
        sandbox.fault(platform, **fault)
        verdicts.append(answer(dispatcher, banner_for(phone)).verdict)

    assert verdicts == [Verdict.RETRY, Verdict.REJECTED, Verdict.REJECTED]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_push_cut_off_after_it_arrived_is_unknown_and_arrived_once(
    platform: str, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone(platform, owner=f"Cut off {time.time()}")
    answer(dispatcher, banner_for(phone, collapse_key="first"))
    sandbox.fault(phone["id"], reset="after")

    got = answer(dispatcher, banner_for(phone, collapse_key="second"))

    assert got.verdict is Verdict.UNKNOWN
    assert len(sandbox.screen(phone["id"])) == 2
    arrived = [banner for banner in sandbox.banners() if banner["phone_id"] == phone["id"]]
    assert len(arrived) == 2


@pytest.mark.parametrize("fault", [{"rst_stream": "REFUSED_STREAM"}, {"goaway": "NO_ERROR"}])
def test_what_the_service_surely_did_not_take_is_sent_again_at_once(
    fault: dict[str, Any], sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone("apns", owner=f"Again {time.time()}")
    answer(dispatcher, banner_for(phone, collapse_key="first"))
    if "goaway" in fault:
        fault = fault | {"last_stream": "previous"}
    sandbox.fault(phone["id"], **fault)

    got = answer(dispatcher, banner_for(phone, collapse_key="second"))

    assert got.verdict is Verdict.ACCEPTED
    assert len(sandbox.screen(phone["id"])) == 2


def test_what_is_refused_again_and_again_is_left_for_later(
    sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    sandbox.fault("apns", times=None, rst_stream="REFUSED_STREAM")

    got = answer(dispatcher, banner_for(sandbox.phone("apns")))

    assert (got.verdict, got.reason) == (Verdict.RETRY, "StreamRefused")


def test_one_device_that_hangs_holds_up_nobody(
    sandbox: SandboxProcess, dispatchers: Dispatchers
) -> None:
    dispatcher = dispatchers(request_seconds=4.0)
    hanging = sandbox.phone("apns", owner="Hanging")
    others = [sandbox.phone(platform, owner="Others") for platform in PLATFORMS]
    sandbox.fault(hanging["id"], hang=True)

    dispatcher.submit(banner_for(hanging, delivery_id=1), datetime.now(UTC))
    for number in range(30):
        one = banner_for(others[number % 3], delivery_id=100 + number)
        dispatcher.submit(one, datetime.now(UTC))
    order: list[Answer] = []
    until = time.monotonic() + PATIENCE
    while dispatcher.in_flight and time.monotonic() < until:
        order += dispatcher.poll(1.0)

    assert {each.verdict for each in order[:-1]} == {Verdict.ACCEPTED}
    assert (order[-1].delivery_id, order[-1].verdict) == (1, Verdict.UNKNOWN)


def test_a_token_on_its_way_holds_up_only_its_own_application(
    sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    sandbox.fault("oauth", delay=1.0)
    android = [banner_for(sandbox.phone("fcm"), delivery_id=number) for number in (1, 2, 3)]
    for each in (*android, banner_for(sandbox.phone("apns"), delivery_id=9)):
        dispatcher.submit(each, datetime.now(UTC))

    first: list[Answer] = []
    while not first:
        first = dispatcher.poll(1.0)
    rest: dict[int, Answer] = {}
    while dispatcher.in_flight:
        rest |= {each.delivery_id: each for each in dispatcher.poll(1.0)}

    assert [each.delivery_id for each in first] == [9]
    assert {number: each.verdict for number, each in rest.items()} == dict.fromkeys(
        (1, 2, 3), Verdict.ACCEPTED
    )


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ({"status": 503}, Verdict.RETRY),
        ({"status": 400}, Verdict.CREDENTIALS),
        ({"reset": "before"}, Verdict.RETRY),
        ({"garbage": True, "status": 200}, Verdict.RETRY),
    ],
)
def test_without_a_token_every_waiting_push_comes_back(
    fault: dict[str, Any], verdict: Verdict, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone("fcm")
    sandbox.fault("oauth", times=1, **fault)

    first = answers(dispatcher, *(banner_for(phone, delivery_id=number) for number in range(5)))
    second = answer(dispatcher, banner_for(phone, delivery_id=9))

    assert {each.verdict for each in first.values()} == {verdict}
    assert second.verdict is Verdict.ACCEPTED
