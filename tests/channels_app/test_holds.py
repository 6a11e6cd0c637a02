from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from channels_app import holds
from channels_app.fan_out import fan_out
from channels_app.models import (
    Bot,
    Delivery,
    Event,
    Membership,
    Notification,
    Source,
    Subscription,
    User,
)
from tests.crowds import agent, follower
from tests.examples import SMALLEST
from tests.factories import (
    BotFactory,
    ChannelPreferenceFactory,
    EventFactory,
    MembershipFactory,
    PreferenceFactory,
    QuietWindowFactory,
    SnoozeFactory,
    WorkflowFactory,
)
from tests.races import at_once
from workflows.models import Run

NIGHT = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
MORNING = datetime(2026, 11, 24, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.django_db


def happened(source: Source, type: str = "bot.tool_linked", **fields: Any) -> Event:
    event = EventFactory.create(
        connection__organization=source.organization,
        source=source,
        type=type,
        payload={"type": type, "data": SMALLEST[type]},
        received_at=NIGHT,
        **fields,
    )
    fan_out(event_ids=[event.pk], now=NIGHT, room=0)
    return event


def sleeper(bot: Bot, **windows: Any) -> Membership:
    alice = agent(bot=bot)
    QuietWindowFactory.create(membership=alice, **windows)
    return alice


@pytest.fixture
def bot() -> Bot:
    return BotFactory.create(name="Bot X", organization__banners_per_minute=None)


def digests() -> list[dict[str, Any]]:
    found = Event.objects.filter(type="member.digest").order_by("pk")
    return [event.payload["data"] for event in found]


def route_digests(now: datetime) -> None:
    waiting = Event.objects.filter(type="member.digest", state="received")
    fan_out(event_ids=list(waiting.values_list("pk", flat=True)), now=now, room=0)


def test_what_comes_at_night_waits_and_is_in_the_inbox(bot: Bot) -> None:
    sleeper(bot)
    happened(bot)
    held = Notification.objects.get()
    assert (held.outcome, held.decided_by, held.held_until) == ("held", "quiet_hours", MORNING)
    assert held.listed and held.title == "🤖 Bot X auto-updated"
    assert not Delivery.objects.exists()


def test_nothing_is_told_before_the_window_ends(bot: Bot) -> None:
    sleeper(bot)
    happened(bot)
    assert holds.release(now=MORNING - MINUTE, limit=9) == 0
    assert digests() == []


def test_one_digest_names_how_many_and_what(bot: Bot) -> None:
    alice = sleeper(bot)
    for _ in range(7):
        happened(bot)
    assert holds.release(now=MORNING, limit=9) == 1
    [digest] = digests()
    assert (digest["count"], len(digest["items"]), digest["more"]) == (7, 5, 2)
    assert not digest["collapsed"]
    assert digest["items"][0] == {"title": "🤖 Bot X auto-updated"}
    route_digests(MORNING)
    told = Notification.objects.get(membership=alice, event__type="member.digest")
    assert told.outcome == "pushed" and "7" in told.title and not told.listed
    assert Delivery.objects.get().due_at == MORNING


def test_what_was_told_says_by_which_digest(bot: Bot) -> None:
    sleeper(bot)
    event = happened(bot)
    holds.release(now=MORNING, limit=9)
    told = Notification.objects.get(event=event)
    assert (told.outcome, told.released_at, told.held_until) == ("pushed", MORNING, MORNING)
    assert told.held_as == "held"
    assert told.digest is not None and told.digest.type == "member.digest"


def test_a_digest_is_told_exactly_once(bot: Bot) -> None:
    sleeper(bot)
    happened(bot)
    assert [holds.release(now=MORNING, limit=9) for _ in range(3)] == [1, 0, 0]
    assert len(digests()) == 1


def test_of_twenty_twelve_become_moot_and_one_digest_names_eight() -> None:
    workflow = WorkflowFactory.create(organization__banners_per_minute=None)
    alice = follower(workflow=workflow)
    QuietWindowFactory.create(membership=alice)
    for number in range(20):
        Run.objects.create(workflow=workflow, external_id=f"run_{number}")
        happened(workflow, "workflow.run_started", subject=f"run_{number}")
    Run.objects.filter(external_id__in=[f"run_{n}" for n in range(12)]).update(
        state="success", finished_at=NIGHT
    )
    holds.release(now=MORNING, limit=9)
    assert [digest["count"] for digest in digests()] == [8]
    told = Notification.objects.exclude(event__type="member.digest")
    assert told.filter(outcome="moot", digest=None).count() == 12
    assert told.filter(outcome="pushed", digest__isnull=False).count() == 8


@pytest.mark.parametrize("change", ["unsubscribed", "inactive", "type_off"])
def test_what_nobody_wants_any_more_is_not_told(bot: Bot, change: str) -> None:
    alice = sleeper(bot)
    event = happened(bot)
    match change:
        case "unsubscribed":
            Subscription.objects.filter(membership=alice).delete()
        case "inactive":
            User.objects.filter(pk=alice.user_id).update(is_active=False)
        case "type_off":
            PreferenceFactory.create(membership=alice, event_type="bot.tool_linked")
    holds.release(now=MORNING, limit=9)
    assert digests() == []
    expected = {"unsubscribed": "not_subscribed"}.get(change, change)
    assert Notification.objects.get(event=event).outcome == expected


def test_who_is_no_candidate_at_all_any_more_is_told_nothing(bot: Bot) -> None:
    alice = agent(bot=bot, permitted=False)
    QuietWindowFactory.create(membership=alice)
    event = happened(bot)
    Subscription.objects.filter(membership=alice).delete()
    holds.release(now=MORNING, limit=9)
    assert Notification.objects.get(event=event).outcome == "not_subscribed"


def test_what_is_still_not_for_now_is_held_again(bot: Bot) -> None:
    alice = sleeper(bot)
    event = happened(bot)
    later = MORNING + timedelta(hours=2)
    SnoozeFactory.create(membership=alice, until=later)
    holds.release(now=MORNING, limit=9)
    held = Notification.objects.get(event=event)
    assert (held.outcome, held.held_until, held.released_at) == ("snoozed", later, None)
    holds.release(now=later, limit=9)
    assert [digest["count"] for digest in digests()] == [1]


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Asia/Tokyo", None),  # 08:30 there: the night is over at once
        ("Europe/Berlin", datetime(2026, 11, 24, 6, tzinfo=UTC)),
        ("Atlantic/Azores", datetime(2026, 11, 24, 8, tzinfo=UTC)),
    ],
)
def test_a_change_of_time_zone_while_held_moves_the_end(
    bot: Bot, zone: str, expected: datetime | None
) -> None:
    alice = sleeper(bot)
    happened(bot)
    User.objects.filter(pk=alice.user_id).update(time_zone=zone)
    holds.reconsider(membership_ids=[alice.pk], now=NIGHT)
    holds.release(now=NIGHT, limit=9)
    held = Notification.objects.filter(released_at=None, held_until__isnull=False)
    assert list(held.values_list("held_until", flat=True)) == ([expected] if expected else [])


def test_an_escalation_that_was_held_is_in_the_digest_if_it_still_waits(bot: Bot) -> None:
    alice = sleeper(bot)
    ChannelPreferenceFactory.create(membership=alice, overrides_quiet_hours=False)
    happened(bot, "conversation.human_requested")
    holds.release(now=MORNING, limit=9)
    [digest] = digests()
    assert (digest["level"], digest["channels"]) == ("loud", ["escalation"])


def test_what_was_collapsed_is_told_in_one_banner_that_counts(bot: Bot) -> None:
    bot.organization.banners_per_minute = 2
    bot.organization.save()
    agent(bot=bot)
    for _ in range(6):
        happened(bot)
    assert Delivery.objects.count() == 2
    holds.release(now=NIGHT + MINUTE, limit=9)
    [digest] = digests()
    assert (digest["count"], digest["collapsed"]) == (4, True)


def test_each_member_has_a_digest_of_their_own(bot: Bot) -> None:
    people = [sleeper(bot) for _ in range(3)]
    happened(bot)
    assert holds.release(now=MORNING, limit=9) == 3
    route_digests(MORNING)
    told = Notification.objects.filter(event__type="member.digest")
    assert {row.membership_id for row in told} == {person.pk for person in people}
    assert told.count() == 3


def test_a_limit_leaves_the_others_for_the_next_time(bot: Bot) -> None:
    for _ in range(3):
        sleeper(bot)
    happened(bot)
    assert holds.release(now=MORNING, limit=2) == 2
    assert holds.release(now=MORNING, limit=2) == 1


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_tell_each_member_once(bot: Bot) -> None:
    for _ in range(5):
        sleeper(bot)
    for _ in range(4):
        happened(bot)
    at_once(2, lambda _: holds.release(now=MORNING, limit=99))
    assert [digest["count"] for digest in digests()] == [4] * 5


@pytest.mark.django_db(transaction=True)
def test_a_scheduler_that_dies_leaves_all_of_it_to_the_next(bot: Bot) -> None:
    sleeper(bot)
    happened(bot)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        holds.release(now=MORNING, limit=9)
        raise KeyboardInterrupt
    assert digests() == []
    holds.release(now=MORNING, limit=9)
    assert len(digests()) == 1


class Everyone(TestCase):
    """Sent, held and suppressed together are the candidates, each of them once."""

    @hypothesis_settings(max_examples=40)
    @given(
        st.lists(
            st.fixed_dictionaries(
                {
                    "subscribed": st.booleans(),
                    "permitted": st.booleans(),
                    "devices": st.integers(0, 2),
                    "asleep": st.booleans(),
                    "off": st.booleans(),
                    "snoozing": st.booleans(),
                    "active": st.booleans(),
                }
            ),
            max_size=6,
        ),
        st.sampled_from(["conversation.human_requested", "bot.tool_linked"]),
    )
    def test_each_candidate_has_exactly_one_outcome(
        self, people: list[dict[str, Any]], type: str
    ) -> None:
        bot = BotFactory.create()
        candidates = set()
        for person in people:
            member = agent(
                bot=bot,
                subscribed=person["subscribed"],
                permitted=person["permitted"],
                devices=person["devices"],
            )
            if person["subscribed"] or person["permitted"]:
                candidates.add(member.pk)
            if person["asleep"]:
                QuietWindowFactory.create(membership=member)
            if person["off"]:
                PreferenceFactory.create(membership=member, event_type=type)
            if person["snoozing"]:
                SnoozeFactory.create(membership=member, source=bot, until=MORNING)
            Membership.objects.filter(pk=member.pk).update(active=person["active"])
        MembershipFactory.create(organization=bot.organization)
        event = happened(bot, type)
        told = Notification.objects.filter(event=event)
        assert sorted(told.values_list("membership_id", flat=True)) == sorted(candidates)
        sent = told.filter(deliveries__isnull=False).distinct()
        held = told.filter(held_until__isnull=False)
        suppressed = told.filter(deliveries=None, held_until=None)
        assert sent.count() + held.count() + suppressed.count() == len(candidates)
        assert not sent.exclude(outcome="pushed").exists()
        assert not held.exclude(outcome__in=["held", "snoozed", "collapsed"]).exists()
        assert not suppressed.filter(outcome__in=["pushed", "held", "snoozed"]).exists()
