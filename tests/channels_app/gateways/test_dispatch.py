"""All three gateways through the dispatcher, against the sandbox."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels_app.gateways.dispatch import Dispatcher
from channels_app.gateways.pushes import Verdict
from channels_app.sandbox.process import SandboxProcess
from tests.channels_app.gateways.sandboxed import (
    PLATFORMS,
    Dispatchers,
    answer,
    answers,
    banner_for,
)


@pytest.mark.parametrize("level", ["critical", "loud", "quiet"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_banner_arrives_word_for_word(
    platform: str, level: str, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone(platform, owner=f"Alice {level}")

    got = answer(dispatcher, banner_for(phone, level=level))

    shown = sandbox.screen(phone["id"])[0]
    assert got.verdict is Verdict.ACCEPTED, got
    assert got.gateway_id
    assert got.sent_at <= got.answered_at
    assert shown["title"] == "🆘 Customer escalation: Bot X"
    assert (
        shown["body"] == '"I want to talk to a human about my refund."\nTap to claim and respond.'
    )
    assert shown["level"] == level
    assert shown["link"] == "pushbridge://app/o/acme/conversations/c-1"
    assert [action["action"] for action in shown["actions"]] == ["claim", "view", "snooze"]
    assert shown["data"]["action_token"] == "t-1"
    assert shown["tag"] == "conversation:c-1:1"
    assert shown["warnings"] == []


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_same_identity_replaces_the_banner(
    platform: str, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone(platform, owner="Replaced")

    answer(dispatcher, banner_for(phone))
    answer(dispatcher, banner_for(phone, delivery_id=8, title="✅ Claimed by Alice", level="quiet"))

    assert [shown["title"] for shown in sandbox.screen(phone["id"])] == ["✅ Claimed by Alice"]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_dead_token_is_dead(
    platform: str, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone(platform, owner="Gone")
    sandbox.call("DELETE", f"/api/phones/{phone['id']}")

    got = answer(dispatcher, banner_for(phone))

    assert got.verdict is Verdict.DEAD
    if platform == "apns":
        assert got.dead_since is not None
        assert abs(got.dead_since.timestamp() - time.time()) < 60


def test_one_access_token_serves_all_pushes(
    sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    before = sandbox.call("GET", "/healthz")["requests"]
    phone = sandbox.phone("fcm")

    answers(dispatcher, *(banner_for(phone, delivery_id=number) for number in range(40)))

    assert sandbox.call("GET", "/healthz")["requests"] - before <= 41


def test_an_expired_push_never_leaves(sandbox: SandboxProcess, dispatcher: Dispatcher) -> None:
    phone = sandbox.phone("apns", owner="Too late")
    late = banner_for(phone, expires_at=datetime.now(UTC) - timedelta(seconds=1))

    got = answer(dispatcher, late)

    assert (got.verdict, got.reason) == (Verdict.REJECTED, "Expired")
    assert sandbox.screen(phone["id"]) == []


def test_bad_pushes_come_back_and_good_ones_beside_them_arrive(
    sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone("apns")
    stranger = phone | {"application_id": "nobody-knows-it"}
    fields = {
        1: banner_for(stranger, delivery_id=1),
        2: banner_for(phone, delivery_id=2, title="\ud83d"),
        3: banner_for(phone, delivery_id=3, level="off"),
        4: banner_for(phone | {"registration_id": "../../x"}, delivery_id=4),
        5: banner_for(phone, delivery_id=5),
    }

    got = answers(dispatcher, *fields.values())

    assert {number: (each.verdict, each.reason) for number, each in got.items()} == {
        1: (Verdict.REJECTED, "UnknownApplication"),
        2: (Verdict.REJECTED, "BadText"),
        3: (Verdict.REJECTED, "BadLevel"),
        4: (Verdict.REJECTED, "BadDeviceToken"),
        5: (Verdict.ACCEPTED, ""),
    }


def test_an_application_with_a_broken_key_waits_alone(
    sandbox: SandboxProcess, dispatchers: Dispatchers, tmp_path: Any
) -> None:
    broken = {"ios-sandbox": {"AUTH_KEY_PATH": str(tmp_path / "none.p8")}}
    dispatcher = dispatchers(credentials=broken)

    ios = answer(dispatcher, banner_for(sandbox.phone("apns")))
    web = answer(dispatcher, banner_for(sandbox.phone("webpush")))

    assert (ios.verdict, ios.reason) == (Verdict.CREDENTIALS, "KeyUnreadable")
    assert web.verdict is Verdict.ACCEPTED


def test_a_wrong_topic_or_key_never_says_anything_about_the_device(
    sandbox: SandboxProcess, dispatchers: Dispatchers
) -> None:
    phone = sandbox.phone("apns")
    for wrong in ({"TOPIC": "com.example.other"}, {"AUTH_KEY_ID": "ZZZZZZZZZZ"}):
        dispatcher = dispatchers(credentials={"ios-sandbox": wrong})
        assert answer(dispatcher, banner_for(phone)).verdict is Verdict.CREDENTIALS


def test_a_loopback_endpoint_is_not_connected_to_unless_allowed(
    sandbox: SandboxProcess, dispatchers: Dispatchers
) -> None:
    dispatcher = dispatchers(networks=[])

    got = answer(dispatcher, banner_for(sandbox.phone("webpush")))

    assert (got.verdict, got.reason) == (Verdict.RETRY, "AddressNotAllowed")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_hundreds_of_pushes_all_come_back_and_all_arrive(
    platform: str, sandbox: SandboxProcess, dispatcher: Dispatcher
) -> None:
    phone = sandbox.phone(platform, owner=f"Many {time.time()}")
    many = [
        banner_for(phone, delivery_id=number, collapse_key=f"c-{number}") for number in range(300)
    ]

    got = answers(dispatcher, *many)

    assert {each.verdict for each in got.values()} == {Verdict.ACCEPTED}
    assert len(sandbox.screen(phone["id"])) == 300


def test_a_dispatcher_knows_what_it_holds(sandbox: SandboxProcess, dispatcher: Dispatcher) -> None:
    phone = sandbox.phone("apns")

    assert dispatcher.in_flight == 0
    dispatcher.submit(banner_for(phone), datetime.now(UTC))
    dispatcher.submit(banner_for(phone, delivery_id=2, level="off"), datetime.now(UTC))
    assert dispatcher.in_flight == 2
    assert dispatcher.capacity >= 100
    while dispatcher.in_flight:
        dispatcher.poll(1.0)
    assert dispatcher.poll(5.0) == []
