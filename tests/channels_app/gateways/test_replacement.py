"""What a claim leaves on real screens: one banner, in the place of the call, and no sound."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from channels_app import sending
from channels_app.levels import Lane
from channels_app.models import Bot, Delivery, Event, Installation, Membership
from channels_app.sandbox.process import SandboxProcess
from channels_app.sending import Sender
from claims.models import Conversation
from tests.channels_app.gateways.sandboxed import PLATFORMS, Dispatchers
from tests.crowds import agent
from tests.factories import (
    ApnsDeviceFactory,
    BotFactory,
    ConversationFactory,
    EventFactory,
    FcmDeviceFactory,
    InstallationFactory,
    WebPushDeviceFactory,
)

pytestmark = pytest.mark.django_db
CALL = "conversation.human_requested"
Phone = dict[str, Any]


@pytest.fixture
def sender(dispatchers: Dispatchers) -> Sender:
    return Sender(dispatchers())


@pytest.fixture
def conversation() -> Conversation:
    bot: Bot = BotFactory.create(name="Bot X")
    return ConversationFactory.create(organization=bot.organization, bot=bot)


def install(phone: Phone, member: Membership) -> Installation:
    """The member's app on a phone of the sandbox."""
    device = {
        "user": member.user,
        "registration_id": phone["registration_id"],
        "application_id": phone["application_id"],
    }
    made: dict[str, Any]
    match phone["platform"]:
        case "apns":
            made = {"apns": ApnsDeviceFactory.create(**device)}
        case "fcm":
            made = {"apns": None, "fcm": FcmDeviceFactory.create(**device)}
        case _:
            keys = {"p256dh": phone["p256dh"], "auth": phone["auth"]}
            made = {"apns": None, "webpush": WebPushDeviceFactory.create(**device, **keys)}
    return InstallationFactory.create(user=member.user, platform=phone["platform"], **made)


def phones_of(sandbox: SandboxProcess, member: Membership) -> list[Phone]:
    """One on each platform, with the member's app on it."""
    found = [sandbox.phone(platform, owner=f"Member {member.pk}") for platform in PLATFORMS]
    for phone in found:
        install(phone, member)
    return found


def tell(conversation: Conversation, type: str, **facts: Any) -> Event:
    data = {
        "bot": {"id": conversation.bot.external_id, "name": "Bot X"},
        "conversation": {"id": conversation.external_id},
        "message": "I want to talk to a human about my refund.",
        "agent": {"id": "agent_a", "name": "Alice"},
    }
    return EventFactory.create(
        connection__organization=conversation.organization,
        source=conversation.bot,
        subject=conversation.external_id,
        type=type,
        payload={"type": type, "data": data},
        facts={"conversation": conversation.pk, "epoch": conversation.epoch, **facts},
        received_at=timezone.now(),
    )


def claim(conversation: Conversation, by: Membership, tapped: Installation | None = None) -> Event:
    Conversation.objects.filter(pk=conversation.pk).update(
        state="claimed", claimed_at=timezone.now(), holder=by
    )
    where = {"tapped": str(tapped.pk)} if tapped else {}
    return tell(conversation, "conversation.claimed", holder=by.pk, **where)


def drain(sender: Sender) -> None:
    sending.drain(lane=Lane.ESCALATION, sender=sender, clock=timezone.now, seconds=20)
    assert not Delivery.objects.filter(state="sending").exists()


def test_every_screen_holds_one_banner_the_end_and_none_has_rung(
    sandbox: SandboxProcess, sender: Sender, conversation: Conversation
) -> None:
    members = [agent(bot=conversation.bot, devices=0) for _ in range(3)]
    phones = [phone for member in members for phone in phones_of(sandbox, member)]
    before = sandbox.call("GET", "/healthz")["seq"]
    tell(conversation, CALL)
    drain(sender)
    called = {banner["phone_id"]: banner for banner in sandbox.banners(before)}
    assert len(called) == len(phones) == 9

    claim(conversation, members[0])
    drain(sender)
    for phone in phones:
        (banner,) = sandbox.screen(phone["id"])
        call = called[phone["id"]]
        assert banner["title"] == "✅ Claimed by Alice"
        assert banner["replaced"] and not banner["rang"] and not banner["actions"]
        assert (banner["tag"], banner["thread"]) == (call["tag"], call["thread"])
        assert banner["collapse_key"] == call["collapse_key"]
        assert banner["level"] == "quiet" and not banner["warnings"]


def test_the_phone_that_was_tapped_keeps_its_banner(
    sandbox: SandboxProcess, sender: Sender, conversation: Conversation
) -> None:
    alice = agent(bot=conversation.bot, devices=0)
    phone, *others = phones_of(sandbox, alice)
    tell(conversation, CALL)
    drain(sender)
    claim(conversation, alice, tapped=Installation.objects.get(platform=phone["platform"]))
    drain(sender)
    assert [banner["title"] for banner in sandbox.screen(phone["id"])] == [
        "🆘 Customer escalation: Bot X"
    ]
    for other in others:
        assert [b["title"] for b in sandbox.screen(other["id"])] == ["✅ Claimed by Alice"]


def test_a_phone_that_was_away_learns_the_end_alone(
    sandbox: SandboxProcess, sender: Sender, conversation: Conversation
) -> None:
    alice = agent(bot=conversation.bot, devices=0)
    phones = phones_of(sandbox, alice)
    for phone in phones:
        sandbox.call("PATCH", f"/api/phones/{phone['id']}", {"online": False})
    tell(conversation, CALL)
    drain(sender)
    claim(conversation, agent(bot=conversation.bot, devices=0))
    drain(sender)
    before = sandbox.call("GET", "/healthz")["seq"]
    for phone in phones:
        sandbox.call("PATCH", f"/api/phones/{phone['id']}", {"online": True})
    shown = sandbox.banners(before)
    # Google keeps a message by its collapse key, which ours have not: its tag replaces on screen.
    quiet = [banner for banner in shown if banner["platform"] != "fcm"]
    assert [banner["title"] for banner in quiet] == ["✅ Claimed by Alice"] * 2
    assert not any(banner["rang"] for banner in quiet)
    for phone in phones:
        assert [b["title"] for b in sandbox.screen(phone["id"])] == ["✅ Claimed by Alice"]


def test_a_banner_that_was_answered_too_late_is_replaced_once_it_has_come(
    sandbox: SandboxProcess, sender: Sender, conversation: Conversation
) -> None:
    alice = agent(bot=conversation.bot, devices=0)
    (phone, *_) = phones = phones_of(sandbox, alice)
    sandbox.fault(phone["id"], delay=1.0)
    tell(conversation, CALL)
    start = timezone.now()
    sending.drain(lane=Lane.ESCALATION, sender=sender, clock=timezone.now, seconds=0.3)
    assert Delivery.objects.filter(state="sending").count() == 1
    claim(conversation, agent(bot=conversation.bot, devices=0))
    while Delivery.objects.exclude(state="accepted").exists():
        assert timezone.now() - start < timedelta(seconds=20)
        sending.drain(lane=Lane.ESCALATION, sender=sender, clock=timezone.now, seconds=1)
    for each in phones:
        (banner,) = sandbox.screen(each["id"])
        assert banner["title"] == "✅ Claimed by Alice" and not banner["rang"]
