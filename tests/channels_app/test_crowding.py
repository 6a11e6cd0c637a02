from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import transaction

from channels_app.crowding import Crowd
from channels_app.fan_out import fan_out
from channels_app.levels import Level
from channels_app.models import Bot, Delivery, Membership, Notification
from channels_app.routing import Candidate, Decision, Device, Outcome
from tests.crowds import agent
from tests.examples import SMALLEST
from tests.factories import BotFactory, EventFactory
from tests.races import at_once

NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
PHONE = Device(installation_id=UUID(int=1), critical_sounds=True)
TABLET = Device(installation_id=UUID(int=2), critical_sounds=True)
ALICE = Candidate(
    membership_id=1,
    external_id="",
    active=True,
    permitted=True,
    subscribed=True,
    devices=(PHONE, TABLET),
)


def ago(seconds: int) -> datetime:
    return NOW - timedelta(seconds=seconds)


def room_at(crowd: Crowd, limit: int | None = 2) -> datetime | None:
    return crowd.room_at(ALICE, limit=limit, now=NOW)


def test_below_the_limit_there_is_room() -> None:
    assert room_at(Crowd(shown={PHONE.installation_id: [ago(30)]})) is None


def test_at_the_limit_there_is_room_when_the_first_of_them_is_a_minute_old() -> None:
    shown = {PHONE.installation_id: [ago(50), ago(40), ago(10)]}
    assert room_at(Crowd(shown=shown)) == ago(40) + timedelta(minutes=1)


def test_what_is_a_minute_old_is_in_nobodys_way() -> None:
    assert room_at(Crowd(shown={PHONE.installation_id: [ago(60), ago(10)]})) is None


def test_the_fullest_device_decides() -> None:
    shown = {PHONE.installation_id: [ago(50), ago(40)], TABLET.installation_id: [ago(30), ago(20)]}
    assert room_at(Crowd(shown=shown)) == ago(30) + timedelta(minutes=1)


def test_without_a_limit_there_is_always_room() -> None:
    assert room_at(Crowd(shown={PHONE.installation_id: [NOW] * 99}), limit=None) is None


def test_what_comes_while_something_is_collected_joins_it() -> None:
    later = NOW + timedelta(seconds=20)
    assert room_at(Crowd(collecting={1: later})) == later


def test_what_is_decided_counts_for_the_next_event_of_the_batch() -> None:
    crowd = Crowd()
    told = Decision(Outcome.PUSHED, Level.LOUD, devices=(PHONE,))
    crowd.note(ALICE, told, now=NOW)
    crowd.note(ALICE, told, now=NOW)
    assert room_at(crowd) == NOW + timedelta(minutes=1)


@pytest.fixture
def bot() -> Bot:
    return BotFactory.create(organization__banners_per_minute=3)


def learned(bot: Bot, type: str = "bot.tool_linked") -> int:
    return EventFactory.create(
        connection__organization=bot.organization,
        source=bot,
        type=type,
        payload={"type": type, "data": SMALLEST[type]},
        received_at=NOW,
    ).pk


def outcomes(alice: Membership) -> list[str]:
    told = Notification.objects.filter(membership=alice).order_by("event")
    return list(told.values_list("outcome", flat=True))


@pytest.mark.django_db
def test_what_goes_beyond_the_limit_is_collapsed_and_kept(bot: Bot) -> None:
    alice = agent(bot=bot)
    fan_out(event_ids=[learned(bot) for _ in range(5)], now=NOW, room=0)
    assert outcomes(alice) == ["pushed"] * 3 + ["collapsed"] * 2
    kept = Notification.objects.filter(outcome="collapsed")
    assert {row.held_until for row in kept} == {NOW + timedelta(minutes=1)}
    assert all(row.listed and row.title for row in kept)
    assert set(kept.values_list("decided_by", flat=True)) == {"banners_per_minute"}


@pytest.mark.django_db
def test_what_was_shown_by_earlier_batches_counts(bot: Bot) -> None:
    alice = agent(bot=bot)
    for seconds in (0, 10, 20, 30):
        now = NOW + timedelta(seconds=seconds)
        fan_out(event_ids=[learned(bot)], now=now, room=0)
    assert outcomes(alice) == ["pushed"] * 3 + ["collapsed"]
    fan_out(event_ids=[learned(bot)], now=NOW + timedelta(seconds=59), room=0)
    assert outcomes(alice)[-1] == "collapsed"
    assert set(
        Notification.objects.filter(outcome="collapsed").values_list("held_until", flat=True)
    ) == {NOW + timedelta(minutes=1)}


@pytest.mark.django_db
def test_an_escalation_comes_whatever_the_storm(bot: Bot) -> None:
    alice = agent(bot=bot)
    fan_out(event_ids=[learned(bot) for _ in range(4)], now=NOW, room=0)
    fan_out(event_ids=[learned(bot, "conversation.human_requested")], now=NOW, room=0)
    assert outcomes(alice)[-2:] == ["collapsed", "pushed"]


@pytest.mark.django_db
def test_one_members_storm_is_not_anothers(bot: Bot) -> None:
    agent(bot=bot)
    fan_out(event_ids=[learned(bot) for _ in range(4)], now=NOW, room=0)
    bob = agent(bot=bot)
    fan_out(event_ids=[learned(bot)], now=NOW, room=0)
    assert outcomes(bob) == ["pushed"]


@pytest.mark.django_db(transaction=True)
def test_workers_that_judge_at_once_do_not_exceed_the_limit(bot: Bot) -> None:
    agent(bot=bot)
    events = [learned(bot) for _ in range(8)]

    def route(number: int) -> None:
        with transaction.atomic():
            fan_out(event_ids=[events[number]], now=NOW, room=0)

    at_once(8, route)
    assert Delivery.objects.count() == 3
    assert Notification.objects.filter(outcome="collapsed").count() == 5
