"""Who holds a conversation, how it ends, and what is told of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from channels_app.models import Bot, Event, Membership
from claims import claiming, conversations
from claims.claiming import Conflict
from claims.models import Conversation, Endpoint, Message
from tests.changes import change
from tests.claims.calls import MINUTE, NINE, call
from tests.crowds import agent
from tests.factories import (
    BotFactory,
    ConnectionFactory,
    LadderFactory,
    MembershipFactory,
)
from tests.races import at_once

pytestmark = pytest.mark.django_db
LATER = NINE + MINUTE
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def bot() -> Bot:
    return BotFactory.create(name="Bot X", external_id="bot_x")


@pytest.fixture
def waiting(bot: Bot) -> Conversation:
    return call(bot)


def named(name: str, member: Membership) -> Membership:
    """Called so, and known to the platform by it."""
    member.user.first_name = name
    member.user.save()
    member.external_id = f"person_{name.lower()}"
    member.save()
    return member


@pytest.fixture
def alice(bot: Bot) -> Membership:
    return named("Alice", agent(bot=bot))


@pytest.fixture
def bob(bot: Bot) -> Membership:
    return named("Bob", agent(bot=bot))


def claimed(conversation: Conversation, by: Membership, **changes: Any) -> Conversation:
    how: dict[str, Any] = {"now": LATER, **changes}
    return claiming.claim(conversation_id=conversation.pk, membership=by, **how)


def left(
    how: str,
    conversation: Conversation,
    by: Membership,
    *,
    operator: bool = False,
    minutes: int = 2,
) -> Conversation:
    leave = getattr(claiming, how)
    row: Conversation = leave(
        conversation_id=conversation.pk,
        membership=by,
        operator=operator,
        now=NINE + minutes * MINUTE,
    )
    return row


def own_events(type: str = "") -> list[Event]:
    own = Event.objects.filter(connection=None).order_by("pk")
    return [event for event in own if type in event.type]


def test_the_first_who_asks_has_it(waiting: Conversation, alice: Membership) -> None:
    row = claimed(waiting, alice)
    assert (row.state, row.holder, row.epoch, row.wave) == ("claimed", alice, 1, 1)
    assert (row.claimed_at, row.lease_until) == (LATER, LATER + HALF_AN_HOUR)
    assert (row.holder_name, row.next_wave_at, row.changed_at) == ("Alice", None, LATER)


def test_everybody_else_is_told_who_and_since_when(
    waiting: Conversation, alice: Membership, bob: Membership
) -> None:
    claimed(waiting, alice)
    with pytest.raises(Conflict) as late:
        claimed(waiting, bob, now=LATER + MINUTE)
    assert late.value.holder is not None
    assert (late.value.holder.name, late.value.holder.id) == ("Alice", "person_alice")
    assert (late.value.since, late.value.superseded) == (LATER, False)
    assert len(own_events()) == 1


def test_who_asks_again_is_answered_the_same_and_keeps_it_longer(
    waiting: Conversation, alice: Membership
) -> None:
    claimed(waiting, alice)
    again = claimed(waiting, alice, now=LATER + MINUTE)
    assert (again.claimed_at, again.holder) == (LATER, alice)
    assert again.lease_until == LATER + MINUTE + HALF_AN_HOUR
    assert len(own_events()) == 1


@pytest.mark.parametrize("how", ["hand_back", "resolve"])
def test_what_is_over_cannot_be_claimed(
    waiting: Conversation, alice: Membership, bob: Membership, how: str
) -> None:
    claimed(waiting, alice)
    left(how, waiting, alice)
    with pytest.raises(Conflict) as over:
        claimed(waiting, bob, now=NINE + 3 * MINUTE)
    assert (over.value.holder, over.value.since) == (None, NINE + 2 * MINUTE)


def test_a_claim_is_an_event_that_says_what_banners_need(
    waiting: Conversation, alice: Membership
) -> None:
    phone = alice.user.installations.get()
    claimed(waiting, alice, tapped=phone.pk)
    [event] = own_events()
    assert event.type == "conversation.claimed"
    assert event.facts == {
        "conversation": waiting.pk,
        "epoch": 1,
        "holder": alice.pk,
        "tapped": str(phone.pk),
    }
    assert event.payload == {
        "type": "conversation.claimed",
        "timestamp": "2026-11-23T09:01:00Z",
        "data": {
            "bot": {"id": "bot_x", "name": "Bot X"},
            "conversation": {"id": "conv_1", "customer": {"id": "cust_1", "name": "Jane Doe"}},
            "agent": {"id": "person_alice", "name": "Alice"},
        },
    }
    assert (event.state, event.lane, event.source_id) == ("received", "escalation", waiting.bot_id)


def test_a_member_whom_the_platform_does_not_know_has_an_id_of_ours(
    waiting: Conversation, alice: Membership
) -> None:
    Membership.objects.filter(pk=alice.pk).update(external_id="")
    alice.refresh_from_db()
    claimed(waiting, alice)
    assert own_events()[0].payload["data"]["agent"]["id"] == f"pushbridge:{alice.user_id}"


def test_a_release_opens_a_round_and_calls_everybody_at_once(
    waiting: Conversation, alice: Membership, bob: Membership
) -> None:
    claimed(waiting, alice)
    row = left("release", waiting, alice)
    assert (row.state, row.epoch, row.holder, row.claimed_at) == ("waiting", 2, None, None)
    assert (row.left_at, row.left_by, row.lease_until) == (row.waiting_since, alice, None)
    assert (row.wave, row.next_wave_at) == (1, NINE + 5 * MINUTE)
    [_, released, wave] = own_events()
    assert (released.type, released.state) == ("conversation.released", "recorded")
    assert wave.type == "conversation.still_waiting"
    assert (wave.facts["epoch"], wave.payload["data"]["reason"]) == (2, "released")
    assert claimed(waiting, bob, now=NINE + 3 * MINUTE).holder == bob


@pytest.mark.parametrize(("how", "state"), [("hand_back", "with_bot"), ("resolve", "resolved")])
def test_an_end_ends_the_round(
    waiting: Conversation, alice: Membership, how: str, state: str
) -> None:
    claimed(waiting, alice)
    row = left(how, waiting, alice)
    assert (row.state, row.epoch, row.holder, row.next_wave_at) == (state, 1, None, None)
    [_, event] = own_events()
    assert event.facts == {"conversation": waiting.pk, "epoch": 1}
    assert event.payload["data"]["agent"]["name"] == "Alice"


@pytest.mark.parametrize("how", ["release", "hand_back", "resolve"])
def test_to_leave_twice_is_to_leave_once(
    waiting: Conversation, alice: Membership, how: str
) -> None:
    claimed(waiting, alice)
    first = left(how, waiting, alice)
    again = left(how, waiting, alice, minutes=3)
    assert (again.epoch, again.left_at, again.state) == (first.epoch, first.left_at, first.state)
    assert len(own_events(first.state)) == len({e.webhook_id for e in own_events(first.state)})
    assert len(Event.objects.filter(type__startswith="conversation.", connection=None)) <= 3


@pytest.mark.parametrize("how", ["release", "hand_back", "resolve"])
def test_only_the_holder_leaves_or_an_operator_for_them(
    waiting: Conversation, alice: Membership, bob: Membership, how: str
) -> None:
    claimed(waiting, alice)
    with pytest.raises(Conflict) as refused:
        left(how, waiting, bob)
    assert refused.value.holder is not None and refused.value.holder.name == "Alice"
    assert left(how, waiting, bob, operator=True).holder is None


@pytest.mark.parametrize(
    ("how", "state"), [("release", None), ("hand_back", "with_bot"), ("resolve", "resolved")]
)
def test_what_waits_is_ended_by_operators_and_released_by_nobody(
    waiting: Conversation, alice: Membership, how: str, state: str | None
) -> None:
    with pytest.raises(Conflict):
        left(how, waiting, alice)
    if state is None:
        with pytest.raises(Conflict):
            left(how, waiting, alice, operator=True)
    else:
        assert left(how, waiting, alice, operator=True).state == state


def test_an_old_round_cannot_be_claimed(
    waiting: Conversation, alice: Membership, bob: Membership
) -> None:
    claimed(waiting, alice)
    left("release", waiting, alice)
    with pytest.raises(Conflict) as old:
        claimed(waiting, bob, epoch=1, now=NINE + 3 * MINUTE)
    assert old.value.superseded
    assert claimed(waiting, bob, epoch=2, now=NINE + 3 * MINUTE).holder == bob


def test_an_idle_claim_goes_back_once_and_is_rung_anew(
    waiting: Conversation, alice: Membership, bob: Membership
) -> None:
    claimed(waiting, alice)
    assert claiming.lapse(now=LATER + HALF_AN_HOUR - timedelta(seconds=1), limit=10) == 0
    at = LATER + HALF_AN_HOUR
    assert [claiming.lapse(now=at, limit=10), claiming.lapse(now=at, limit=10)] == [1, 0]
    row = Conversation.objects.get()
    assert (row.state, row.epoch, row.wave, row.left_by) == ("waiting", 2, 1, alice)
    [_, released, wave] = own_events()
    assert released.payload["data"]["reason"] == "lapsed"
    assert released.payload["data"]["agent"]["name"] == "Alice"
    assert wave.payload["data"]["reason"] == "lapsed"
    assert left("release", waiting, alice, minutes=40).epoch == 2


def test_one_that_cannot_be_put_back_keeps_no_other_waiting(bot: Bot, alice: Membership) -> None:
    stuck, other = call(bot, "conv_1"), call(bot, "conv_2")
    claimed(stuck, alice)
    claimed(other, alice, now=LATER + MINUTE)
    # Its release was told before, which is said twice of no round.
    before = own_events()[0]
    before.pk, before.webhook_id = None, f"conversation.released:{stuck.pk}:2"
    before.save()
    assert claiming.lapse(now=LATER + 2 * HALF_AN_HOUR, limit=10) == 2
    stuck.refresh_from_db()
    other.refresh_from_db()
    assert (stuck.state, other.state) == ("claimed", "waiting")


@pytest.mark.parametrize(
    ("lease", "until"),
    [(timedelta(minutes=5), LATER + timedelta(minutes=5)), (None, None)],
)
def test_the_lease_is_that_of_the_bots_ladder(
    bot: Bot, waiting: Conversation, alice: Membership, lease: timedelta | None, until: Any
) -> None:
    LadderFactory.create(organization=bot.organization, claim_lease=timedelta(hours=9))
    LadderFactory.create(organization=bot.organization, bot=bot, claim_lease=lease)
    assert claimed(waiting, alice).lease_until == until


def test_words_of_an_agent_keep_the_claim_and_those_of_the_customer_do_not(
    bot: Bot, waiting: Conversation, alice: Membership
) -> None:
    claimed(waiting, alice)
    data = {"conversation": {"id": "conv_1"}, "message": "Hello"}
    wrote = {**data, "actor": {"id": "person_alice"}}
    change(conversations.CHANGES, "conversation.message", bot, data, NINE + 5 * MINUTE)
    assert Conversation.objects.get().lease_until == LATER + HALF_AN_HOUR
    change(conversations.CHANGES, "conversation.message", bot, wrote, NINE + 5 * MINUTE)
    assert Conversation.objects.get().lease_until == NINE + 5 * MINUTE + HALF_AN_HOUR


def test_the_platform_is_told_of_each_change_in_its_transaction(
    bot: Bot, waiting: Conversation, alice: Membership
) -> None:
    connection = ConnectionFactory.create(organization=bot.organization)
    Endpoint.objects.create(connection=connection, url="https://platform.example/", secret="x")
    claimed(waiting, alice)
    left("release", waiting, alice)
    told = [json.loads(message.body) for message in Message.objects.order_by("pk")]
    assert [(one["type"], one["data"]["epoch"]) for one in told] == [
        ("conversation.claimed", 1),
        ("conversation.released", 2),
    ]


@pytest.mark.django_db(transaction=True)
def test_of_many_who_tap_at_once_one_wins_and_the_others_know_who() -> None:
    bot = BotFactory.create()
    members = [MembershipFactory.create(organization=bot.organization) for _ in range(8)]
    for number in range(5):
        conversation = call(bot, f"conv_{number}")

        def tap(which: int, conversation: Conversation = conversation) -> int:
            try:
                row = claimed(conversation, members[which])
            except Conflict as lost:
                row = lost.conversation
            assert row.holder_id is not None
            return row.holder_id

        assert len(set(at_once(8, tap))) == 1
    assert len(own_events("claimed")) == 5


@pytest.mark.django_db(transaction=True)
def test_two_who_look_for_idle_claims_at_once_put_each_back_once() -> None:
    bot = BotFactory.create()
    alice = agent(bot=bot)
    for number in range(6):
        claimed(call(bot, f"conv_{number}"), alice)
    at_once(2, lambda _: claiming.lapse(now=LATER + HALF_AN_HOUR, limit=10))
    assert set(Conversation.objects.values_list("state", "epoch")) == {("waiting", 2)}
    assert len(own_events("released")) == 6
