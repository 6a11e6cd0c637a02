from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from channels_app import deliveries, notifications, sending, shown
from channels_app.fan_out import fan_out
from channels_app.leases import Leased
from channels_app.levels import Lane
from channels_app.models import (
    Attempt,
    Bot,
    BotUserPermission,
    Delivery,
    Event,
    Installation,
    Membership,
    Notification,
    Subscription,
)
from channels_app.sending import push
from claims.models import Conversation
from tests.crowds import agent, crowd
from tests.factories import (
    BotFactory,
    ConversationFactory,
    EventFactory,
    InstallationFactory,
    MembershipFactory,
    QuietWindowFactory,
    RunFactory,
    SnoozeFactory,
    WorkflowFactory,
)
from tests.queries import taken_by
from tests.races import at_once

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
CALL = "conversation.human_requested"
CLAIMED = "conversation.claimed"


@pytest.fixture
def bot() -> Bot:
    return BotFactory.create()


@pytest.fixture
def conversation(bot: Bot) -> Conversation:
    return ConversationFactory.create(organization=bot.organization, bot=bot, external_id="conv_1")


def event_of(conversation: Conversation, type: str = CALL, **facts: Any) -> Event:
    data = {
        "bot": {"id": conversation.bot.external_id, "name": "Bot X"},
        "conversation": {"id": conversation.external_id},
        "agent": {"id": "agent_a", "name": "Alice"},
        "waited_seconds": 60,
    }
    return EventFactory.create(
        connection__organization=conversation.organization,
        source=conversation.bot,
        subject=conversation.external_id,
        type=type,
        payload={"type": type, "data": data},
        facts={"conversation": conversation.pk, "epoch": conversation.epoch, **facts},
        received_at=NOW,
    )


def route(*events: Event, room: int = 0) -> list[Leased]:
    with transaction.atomic():
        return fan_out(event_ids=[event.pk for event in events], now=NOW, room=room).leased


def settle(event: Event, state: str = "accepted", **which: Any) -> None:
    open_ones = Delivery.objects.filter(notification__event=event, **which)
    open_ones.update(state=state, settled_at=None if state in ("pending", "sending") else NOW)


def becomes(conversation: Conversation, state: str, **fields: Any) -> None:
    claimed_at = NOW if state == "claimed" else None
    Conversation.objects.filter(pk=conversation.pk).update(
        state=state, claimed_at=claimed_at, **fields
    )


def rung(conversation: Conversation, state: str = "accepted") -> Event:
    """A call that has gone out, and what became of it on every device."""
    call = event_of(conversation)
    route(call)
    settle(call, state)
    return call


def answer(conversation: Conversation, type: str = CLAIMED, **facts: Any) -> Event:
    """Somebody claims (or ends) it, and that is routed."""
    said = {
        CLAIMED: "claimed",
        "conversation.handed_back": "with_bot",
        "conversation.resolved": "resolved",
    }
    becomes(conversation, said[type], holder=facts.get("holder") if type == CLAIMED else None)
    event = event_of(conversation, type, **facts)
    route(event)
    return event


def replaced(event: Event) -> set[Installation | None]:
    return {row.installation for row in Delivery.objects.filter(notification__event=event)}


def devices(*members: Membership) -> set[Installation]:
    return set(Installation.objects.filter(user__in=[member.user_id for member in members]))


def lease() -> deliveries.Taken:
    return deliveries.lease(lane=Lane.ESCALATION, now=NOW, limit=100)


@pytest.mark.parametrize(
    ("type", "title"),
    [
        (CLAIMED, "✅ Claimed by Alice"),
        ("conversation.handed_back", "✅ Handed back to the bot by Alice"),
        ("conversation.resolved", "✅ Resolved by Alice"),
    ],
)
def test_every_device_that_shows_the_call_gets_its_end(
    conversation: Conversation, type: str, title: str
) -> None:
    alice, bob = agent(bot=conversation.bot, devices=2), agent(bot=conversation.bot)
    rung(conversation)
    end = answer(conversation, type)
    assert replaced(end) == devices(alice, bob)
    assert set(Notification.objects.filter(event=end).values_list("title", "outcome")) == {
        (title, "pushed")
    }


def test_it_replaces_in_place_and_makes_no_sound(conversation: Conversation) -> None:
    agent(bot=conversation.bot)
    call = event_of(conversation)
    (called,) = route(call, room=1)
    settle(call)
    answer(conversation)
    (leased,) = lease().leased
    before, after = push(called), push(leased)
    assert after.collapse_key == before.collapse_key and after.thread == before.thread
    assert (before.level, after.level) == ("critical", "quiet")
    assert (before.category, after.category) == ("ESCALATION", "")
    assert "action_token" in before.data and "action_token" not in after.data
    assert after.link == before.link


def test_the_device_that_was_tapped_is_left_alone(conversation: Conversation) -> None:
    alice, bob = agent(bot=conversation.bot, devices=2), agent(bot=conversation.bot)
    rung(conversation)
    tapped, other = alice.user.installations.all()
    claim = answer(conversation, holder=alice.pk, tapped=str(tapped.pk))
    assert replaced(claim) == {other, *devices(bob)}


def test_who_has_no_other_device_did_it_themselves(conversation: Conversation) -> None:
    alice = agent(bot=conversation.bot)
    rung(conversation)
    tapped = alice.user.installations.get()
    claim = answer(conversation, holder=alice.pk, tapped=str(tapped.pk))
    assert Notification.objects.get(event=claim).outcome == "actor"
    assert not replaced(claim)


def test_who_was_never_told_is_not_told_this_either(conversation: Conversation) -> None:
    told = agent(bot=conversation.bot)
    rung(conversation)
    late = agent(bot=conversation.bot)
    new_phone = InstallationFactory.create(user=told.user)
    claim = answer(conversation)
    assert not Notification.objects.filter(event=claim, membership=late)
    assert new_phone not in replaced(claim) and replaced(claim)


def test_it_stands_in_nobodys_inbox(conversation: Conversation) -> None:
    agent(bot=conversation.bot)
    rung(conversation)
    claim = answer(conversation)
    assert not Notification.objects.get(event=claim).listed


@pytest.mark.parametrize("state", ["failed", "expired", "cancelled"])
def test_where_the_banner_never_came_nothing_is_replaced(
    conversation: Conversation, state: str
) -> None:
    agent(bot=conversation.bot)
    rung(conversation, state)
    assert not replaced(answer(conversation))


@pytest.mark.parametrize("verdict", ["unknown", "lost"])
def test_where_it_may_have_come_it_is_replaced(conversation: Conversation, verdict: str) -> None:
    agent(bot=conversation.bot)
    call = rung(conversation, "pending")
    Delivery.objects.update(attempts=1)
    Attempt.objects.create(
        delivery=Delivery.objects.get(), number=1, verdict=verdict, sent_at=NOW, answered_at=NOW
    )
    assert replaced(answer(conversation))
    sent = Delivery.objects.get(notification__event=call)
    assert (sent.state, sent.reason) == ("cancelled", "already_claimed")


@pytest.mark.parametrize(
    ("type", "reason"),
    [(CLAIMED, "already_claimed"), ("conversation.resolved", "resolved")],
)
def test_what_has_not_left_yet_is_cancelled(
    conversation: Conversation, type: str, reason: str
) -> None:
    agent(bot=conversation.bot)
    call = rung(conversation, "pending")
    end = answer(conversation, type)
    waiting = Delivery.objects.get(notification__event=call)
    assert (waiting.state, waiting.reason, waiting.settled_at) == ("cancelled", reason, NOW)
    assert not replaced(end)


def test_a_banner_on_its_way_is_waited_for(conversation: Conversation) -> None:
    agent(bot=conversation.bot)
    call = rung(conversation, "sending")
    claim = answer(conversation)
    taken = lease()
    assert not taken.leased and not taken.objections
    waiting = Delivery.objects.get(notification__event=claim)
    assert (waiting.state, waiting.attempts) == ("pending", 0)
    assert waiting.due_at == NOW + shown.WAIT

    settle(call)
    Delivery.objects.filter(pk=waiting.pk).update(due_at=NOW)
    (leased,) = lease().leased
    assert (leased.delivery_id, leased.attempt) == (waiting.pk, 1)


@pytest.mark.parametrize("state", ["failed", "cancelled", "expired"])
def test_a_banner_on_its_way_that_never_comes_is_not_replaced(
    conversation: Conversation, state: str
) -> None:
    agent(bot=conversation.bot)
    call = rung(conversation, "sending")
    claim = answer(conversation)
    settle(call, state)
    taken = lease()
    replacement = Delivery.objects.get(notification__event=claim)
    assert taken.objections == [(replacement.pk, "not_shown")] and not taken.leased


def test_a_replacement_is_never_born_leased(conversation: Conversation) -> None:
    agent(bot=conversation.bot)
    rung(conversation, "sending")
    other = ConversationFactory.create(
        organization=conversation.organization, bot=conversation.bot, external_id="conv_2"
    )
    becomes(conversation, "claimed")
    leased = route(event_of(conversation, CLAIMED), event_of(other), room=10)
    assert {one.about.row.name for one in leased} == {CALL}


@pytest.mark.parametrize("asleep", ["quiet", "snoozed", "unsubscribed", "not permitted", "muted"])
def test_whatever_keeps_banners_away_does_not_keep_their_end_away(
    conversation: Conversation, asleep: str
) -> None:
    alice = agent(bot=conversation.bot)
    rung(conversation)
    match asleep:
        case "quiet":
            QuietWindowFactory.create(membership=alice, start=time(8), end=time(18))
        case "snoozed":
            SnoozeFactory.create(membership=alice, source=conversation.bot)
        case "unsubscribed":
            Subscription.objects.all().delete()
        case "not permitted":
            BotUserPermission.objects.all().delete()
        case "muted":
            alice.user.installations.update(muted_channels=["escalation"])
    assert replaced(answer(conversation)) == devices(alice)
    assert len(lease().leased) == 1


def test_a_phone_that_has_changed_hands_is_told_nothing(conversation: Conversation) -> None:
    alice = agent(bot=conversation.bot)
    rung(conversation)
    alice.user.installations.update(user=MembershipFactory.create().user)
    assert not replaced(answer(conversation))


def test_who_has_left_is_told_nothing(conversation: Conversation) -> None:
    alice = agent(bot=conversation.bot)
    rung(conversation)
    Membership.objects.filter(pk=alice.pk).update(active=False)
    claim = answer(conversation)
    assert Notification.objects.get(event=claim).outcome == "inactive"
    assert not replaced(claim)


@pytest.mark.parametrize("after", ["released", "handed back"])
def test_an_end_that_no_longer_holds_is_not_told(conversation: Conversation, after: str) -> None:
    agent(bot=conversation.bot)
    rung(conversation)
    claim = answer(conversation)
    if after == "released":
        becomes(conversation, "waiting", epoch=2)
    else:
        becomes(conversation, "with_bot")
    taken = lease()
    assert not taken.leased and [why for _, why in taken.objections] == ["moot"]
    assert Notification.objects.get(event=claim).outcome == "pushed"


def test_what_changed_nothing_replaces_nothing(conversation: Conversation) -> None:
    agent(bot=conversation.bot)
    rung(conversation)
    echo = event_of(conversation, CLAIMED)
    Event.objects.filter(pk=echo.pk).update(facts={})
    route(echo)
    assert not Notification.objects.filter(event=echo)
    assert Event.objects.get(pk=echo.pk).state == "routed"


def test_what_an_answer_has_replaced_before_is_not_replaced_again(
    conversation: Conversation,
) -> None:
    early = agent(bot=conversation.bot)
    rung(conversation)
    answer(conversation)
    Subscription.objects.filter(membership=early).delete()
    becomes(conversation, "waiting", epoch=2)
    conversation.refresh_from_db()
    late = agent(bot=conversation.bot)
    rung(conversation)
    assert replaced(answer(conversation)) == devices(late)


def test_a_call_of_a_round_that_nobody_answered_is_replaced_as_well(
    conversation: Conversation,
) -> None:
    early = agent(bot=conversation.bot)
    rung(conversation)
    Subscription.objects.filter(membership=early).delete()
    becomes(conversation, "waiting", epoch=2)
    conversation.refresh_from_db()
    late = agent(bot=conversation.bot)
    rung(conversation)
    assert replaced(answer(conversation)) == devices(early, late)


def test_a_call_from_an_earlier_bot_is_replaced_as_well(conversation: Conversation) -> None:
    alice = agent(bot=conversation.bot)
    rung(conversation)
    other = BotFactory.create(organization=conversation.organization)
    Conversation.objects.filter(pk=conversation.pk).update(bot=other)
    conversation.refresh_from_db()
    assert replaced(answer(conversation)) == devices(alice)


def test_a_conversation_of_another_organization_is_another(conversation: Conversation) -> None:
    agent(bot=conversation.bot)
    rung(conversation)
    bot = BotFactory.create()
    same = ConversationFactory.create(
        organization=bot.organization, bot=bot, external_id=conversation.external_id
    )
    assert not replaced(answer(same))


def test_a_call_and_its_answer_in_one_batch_ring_nobody(conversation: Conversation) -> None:
    agent(bot=conversation.bot)
    call = event_of(conversation)
    becomes(conversation, "claimed")
    claim = event_of(conversation, CLAIMED)
    assert not route(call, claim, room=10)
    assert Notification.objects.get(event=call).outcome == "already_claimed"
    assert not Delivery.objects.exists()


def test_a_call_that_nobody_has_routed_yet_is_routed_with_its_answer(
    conversation: Conversation,
) -> None:
    agent(bot=conversation.bot)
    call = event_of(conversation)
    becomes(conversation, "claimed")
    claim = event_of(conversation, CLAIMED)
    Event.objects.filter(pk=call.pk).update(route_at=NOW + timedelta(minutes=1))
    notifications.route(lane=Lane.ESCALATION, now=NOW, limit=10, room=10)
    assert set(Event.objects.values_list("pk", "state")) == {
        (call.pk, "routed"),
        (claim.pk, "routed"),
    }
    assert Notification.objects.get(event=call).outcome == "already_claimed"


def call_or_claim(conversation: Conversation, call: Event, worker: int) -> None:
    """What one worker does while another does the other."""
    if worker == 0:
        route(call, room=10)
        return
    becomes(conversation, "claimed")
    claim = event_of(conversation, CLAIMED)
    ids = [claim.pk, *shown.unrouted([claim.pk])]
    with transaction.atomic():
        fan_out(event_ids=sorted(ids), now=NOW, room=10)


@pytest.mark.django_db(transaction=True)
def test_a_call_and_its_answer_routed_at_once_end_as_one_silent_banner(
    conversation: Conversation,
) -> None:
    """Whichever worker is first: the banner is not shown at all, or it is replaced."""
    for number in range(2, 22):
        one = ConversationFactory.create(
            organization=conversation.organization, bot=conversation.bot, external_id=f"c{number}"
        )
        if number == 2:
            agent(bot=conversation.bot)
        call = event_of(one)
        at_once(2, partial(call_or_claim, one, call))
        rang = Delivery.objects.filter(notification__event=call, state="sending").count()
        claim = Event.objects.get(type=CLAIMED, subject=one.external_id)
        assert rang == Delivery.objects.filter(notification__event=claim).count()


def test_a_claimed_conversation_calls_its_holder_alone(conversation: Conversation) -> None:
    alice, bob = agent(bot=conversation.bot), agent(bot=conversation.bot)
    becomes(conversation, "claimed", holder=alice)
    again = event_of(conversation, state="claimed", holder=alice.pk)
    route(again)
    outcomes = dict(Notification.objects.values_list("membership", "outcome"))
    assert outcomes == {alice.pk: "pushed", bob.pk: "already_claimed"}
    (leased,) = lease().leased
    assert leased.membership_id == alice.pk


def test_who_does_not_hold_it_any_more_is_not_called(conversation: Conversation) -> None:
    alice = agent(bot=conversation.bot)
    becomes(conversation, "claimed", holder=alice)
    route(event_of(conversation, state="claimed", holder=alice.pk))
    becomes(conversation, "claimed", holder=agent(bot=conversation.bot))
    taken = lease()
    assert not taken.leased and [why for _, why in taken.objections] == ["already_claimed"]


def test_a_wave_for_certain_members_reaches_them_and_nobody_else(bot: Bot) -> None:
    conversation = ConversationFactory.create(organization=bot.organization, bot=bot)
    chosen, other = agent(bot=bot), agent(bot=bot)
    Subscription.objects.filter(membership=chosen).delete()
    facts = {"members": [chosen.pk], "as": CALL}
    wave = event_of(conversation, "conversation.still_waiting", **facts)
    route(wave)
    assert dict(Notification.objects.values_list("membership", "outcome")) == {chosen.pk: "pushed"}
    assert not Notification.objects.filter(membership=other)


def test_a_wave_goes_by_the_settings_for_the_call_that_it_repeats(bot: Bot) -> None:
    conversation = ConversationFactory.create(organization=bot.organization, bot=bot)
    alice = agent(bot=bot)
    alice.preferences.create(event_type=CALL, level="quiet")
    wave = event_of(conversation, "conversation.still_waiting", **{"as": CALL})
    route(wave)
    assert Notification.objects.get(event=wave).level == "quiet"


def test_an_alarm_reaches_operators_who_may_not_respond(bot: Bot) -> None:
    conversation = ConversationFactory.create(organization=bot.organization, bot=bot)
    operator = MembershipFactory.create(organization=bot.organization)
    InstallationFactory.create(user=operator.user)
    facts = {"members": [operator.pk]}
    alarm = event_of(conversation, "conversation.unanswered_alarm", **facts)
    route(alarm)
    assert Notification.objects.get(event=alarm).level == "loud"
    (leased,) = lease().leased
    assert sending.push(leased).category == ""


@pytest.mark.parametrize("because", ["quiet hours", "snooze", "old phone", "browser"])
def test_the_first_wave_leaves_those_asleep_to_the_next(bot: Bot, because: str) -> None:
    conversation = ConversationFactory.create(organization=bot.organization, bot=bot)
    awake, asleep = agent(bot=bot), agent(bot=bot)
    match because:
        case "quiet hours":
            QuietWindowFactory.create(membership=asleep, start=time(8), end=time(18))
        case "snooze":
            SnoozeFactory.create(membership=asleep, until=NOW + timedelta(hours=1))
        case "old phone":
            asleep.user.installations.update(registered_at=NOW - timedelta(days=15))
        case "browser":
            asleep.user.installations.all().delete()
            InstallationFactory.create(user=asleep.user, on_webpush=True)
    Installation.objects.filter(registered_at__gt=NOW).update(registered_at=NOW)
    route(event_of(conversation, awake=True))
    rows = Notification.objects.values_list("membership", "outcome", "decided_by", "listed")
    assert set(rows) == {
        (awake.pk, "pushed", "catalogue", True),
        (asleep.pk, "held", "ladder", True),
    }


def test_the_banner_of_a_stuck_step_is_replaced_when_it_moves_again() -> None:
    workflow = WorkflowFactory.create()
    alice = MembershipFactory.create(organization=workflow.organization)
    Subscription.objects.create(membership=alice, source=workflow)
    InstallationFactory.create(user=alice.user)
    run = RunFactory.create(workflow=workflow)

    def of_step(type: str, index: int) -> Event:
        step = {"index": index, "running_seconds": 900, "duration_seconds": 1320}
        data = {
            "workflow": {"id": workflow.external_id, "name": "Daily KPI digest"},
            "run": {"id": run.external_id},
            "step": step,
        }
        return EventFactory.create(
            connection__organization=workflow.organization,
            source=workflow,
            subject=run.external_id,
            type=type,
            payload={"type": type, "data": data},
            received_at=NOW,
        )

    stuck = of_step("workflow.step_stuck", 3)
    route(stuck)
    (called,) = deliveries.lease(lane=Lane.DEFAULT, now=NOW, limit=10).leased
    settle(stuck)
    of_another = of_step("workflow.step_resumed", 4)
    resumed = of_step("workflow.step_resumed", 3)
    route(of_another, resumed)
    assert not Notification.objects.filter(event=of_another)
    (leased,) = deliveries.lease(lane=Lane.DEFAULT, now=NOW, limit=10).leased
    assert push(leased).collapse_key == push(called).collapse_key
    assert leased.title == "✅ Workflow moving again: Daily KPI digest"


def test_as_many_queries_for_one_device_as_for_many() -> None:
    def replace(size: int) -> int:
        bot = BotFactory.create()
        one = ConversationFactory.create(organization=bot.organization, bot=bot)
        crowd(bot=bot, size=size)
        rung(one)
        becomes(one, "claimed")
        claim = event_of(one, CLAIMED)
        routed = taken_by(lambda: route(claim))
        return routed + taken_by(lease)

    assert replace(1) == replace(30)
