"""The climb, under a frozen clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from channels_app.models import Bot, Event, Membership, Role, User
from claims import claiming, ladders
from claims.ladder import DEFAULT
from claims.models import Conversation, Wave
from tests.claims.calls import MINUTE, NINE, SWEEP, call, pass_time, route, rung, sweep, told
from tests.crowds import agent
from tests.factories import (
    BotFactory,
    ChannelPolicyFactory,
    EventFactory,
    InstallationFactory,
    LadderFactory,
    MembershipFactory,
    QuietWindowFactory,
    RoleFactory,
    WaveFactory,
    permit,
)
from tests.queries import taken_by
from tests.races import at_once

pytestmark = pytest.mark.django_db

STILL_WAITING, ALARM = "conversation.still_waiting", "conversation.unanswered_alarm"


@pytest.fixture
def bot() -> Bot:
    return BotFactory.create(name="Bot X")


def operator(bot: Bot) -> Membership:
    membership = MembershipFactory.create(organization=bot.organization, user__is_staff=True)
    InstallationFactory.create(user=membership.user)
    return membership


def holds(role: Role, *people: Membership) -> Role:
    for one in people:
        one.user.groups.add(role.group)
    return role


def known() -> Conversation:
    return Conversation.objects.get(external_id="conv_1")


def waves() -> list[Event]:
    """The events of the ladder, the first first."""
    return [event for event in rung() if event.type in (STILL_WAITING, ALARM)]


def history() -> list[tuple[float, str, str]]:
    """When each rung was rung, in minutes after the call; as what; and for whom."""
    return [
        (
            (event.occurred_at - NINE) / MINUTE,
            event.type.rpartition(".")[2],
            event.payload["data"]["wave"]["audience"],
        )
        for event in waves()
    ]


def test_nobody_answers_until_the_operators_are_alarmed(bot: Bot) -> None:
    alice, bob = agent(bot=bot), agent(bot=bot, subscribed=False)
    olivia = operator(bot)
    call(bot)
    pass_time(NINE, 60)
    assert history() == [
        (3, "still_waiting", "responders"),
        (6, "still_waiting", "responders"),
        (9, "still_waiting", "responders"),
        (12, "unanswered_alarm", "operators"),
    ]
    *waves, alarm = rung()
    assert [told(wave) for wave in waves] == [{alice.pk, bob.pk}] * 3
    assert told(alarm) == {olivia.pk}
    assert (known().state, known().wave, known().next_wave_at) == ("waiting", 5, None)


def test_a_wave_says_what_the_customer_said_and_how_long_they_wait(bot: Bot) -> None:
    agent(bot=bot)
    call(bot, type="conversation.unanswered", consecutive_unanswered=4)
    sweep(NINE + 3 * MINUTE)
    [event] = rung()
    assert event.payload["data"] == {
        "bot": {"id": bot.external_id, "name": "Bot X"},
        "conversation": {"id": "conv_1", "customer": {"id": "cust_1", "name": "Jane Doe"}},
        "message": "I want to talk to a human.",
        "consecutive_unanswered": 4,
        "reason": "wave",
        "waited_seconds": 180,
        "wave": {"number": 2, "audience": "responders"},
    }
    conversation = known()
    assert event.facts == {
        "conversation": conversation.pk,
        "epoch": 1,
        "as": "conversation.unanswered",
        "members": sorted(told(event)),
    }
    assert (event.organization_id, event.source_id) == (bot.organization_id, bot.pk)


def set_by_operators(bot: Bot, /, *waves: dict[str, Any], **fields: Any) -> None:
    ladder = LadderFactory.create(organization=bot.organization, **fields)
    for minutes, wave in enumerate(waves):
        WaveFactory.create(ladder=ladder, after=minutes * MINUTE, **wave)


def test_those_awake_come_first_then_all_then_a_role_then_operators(bot: Bot) -> None:
    alice, bob = agent(bot=bot), agent(bot=bot)
    QuietWindowFactory.create(membership=bob, days=[1], start="08:00", end="12:00")
    lead = agent(bot=bot, subscribed=False)
    agent(bot=bot, subscribed=False)
    outsider = holds(RoleFactory.create(organization=bot.organization), lead, operator(bot))
    set_by_operators(
        bot,
        {"audience": "awake"},
        {"audience": "subscribers"},
        {"audience": "role", "role": outsider},
        {"audience": "operators"},
        repeats=0,
    )
    call(bot)
    first = Event.objects.get(type="conversation.human_requested")
    pass_time(NINE, 20)
    # Bob, who is asleep, is awakened by the second wave: an escalation overrides quiet hours.
    assert [told(event) for event in (first, *rung())[:3]] == [
        {alice.pk},
        {alice.pk, bob.pk},
        {lead.pk},
    ]
    assert history() == [
        (1, "still_waiting", "subscribers"),
        (2, "still_waiting", "role"),
        (3, "unanswered_alarm", "operators"),
        (6, "unanswered_alarm", "operators"),
    ]


def test_a_wave_for_those_awake_asks_the_routing_who_that_is(bot: Bot) -> None:
    alice, bob = agent(bot=bot), agent(bot=bot)
    QuietWindowFactory.create(membership=bob, days=[1], start="08:00", end="12:00")
    set_by_operators(bot, {"audience": "awake"}, repeats=1)
    call(bot)
    sweep(NINE + 3 * MINUTE)
    [event] = rung()
    assert event.facts["awake"] is True
    assert told(event) == {alice.pk}


def test_a_ladder_of_the_bot_goes_before_that_of_its_organization(bot: Bot) -> None:
    set_by_operators(bot, {}, alarm=False, repeats=0, bot=bot)
    set_by_operators(bot, {}, repeat_every=10 * MINUTE)
    other = BotFactory.create(organization=bot.organization)
    stranger = BotFactory.create()
    found = ladders.of_bots({one.pk: one.organization_id for one in (bot, other, stranger)})
    assert found[bot.pk].alarm is False
    assert found[other.pk].repeat_every == 10 * MINUTE
    assert found[stranger.pk] == DEFAULT


def test_ladders_are_found_by_as_many_queries_for_one_bot_as_for_many(bot: Bot) -> None:
    def query(count: int) -> int:
        bots = BotFactory.create_batch(count, organization=bot.organization)
        for one in bots:
            set_by_operators(bot, {}, {"audience": "responders"}, bot=one)
        return taken_by(lambda: ladders.of_bots({one.pk: bot.organization_id for one in bots}))

    assert query(1) == query(5)


# --- nobody is there -----------------------------------------------------------------------------


def test_no_customer_waits_for_a_wave_that_names_nobody(bot: Bot) -> None:
    agent(bot=bot)
    olivia = operator(bot)
    nobody = RoleFactory.create(organization=bot.organization, name="Night shift")
    set_by_operators(bot, {}, {"audience": "role", "role": nobody}, {"audience": "responders"})
    call(bot)
    sweep(NINE + MINUTE)
    night_shift, everyone = rung()
    assert night_shift.payload["data"]["wave"] == {
        "number": 2,
        "audience": "role",
        "role": "Night shift",
    }
    assert night_shift.facts["members"] == []
    assert len(told(everyone)) == 1
    assert known().next_wave_at == NINE + 4 * MINUTE
    assert olivia.pk not in told(everyone)


def test_a_bot_that_nobody_follows_alarms_the_operators_within_seconds(bot: Bot) -> None:
    olivia = operator(bot)
    call(bot)
    pass_time(NINE, 1)
    assert history() == [
        (0.05, "still_waiting", "responders"),
        (0.05, "unanswered_alarm", "operators"),
    ]
    assert told(rung()[-1]) == {olivia.pk}
    assert known().next_wave_at is None


def test_where_those_who_may_respond_have_no_phone_the_alarm_follows(bot: Bot) -> None:
    agent(bot=bot, devices=0)
    call(bot)
    pass_time(NINE, 1)
    assert history() == [
        (0.05, "still_waiting", "responders"),
        (0.1, "unanswered_alarm", "operators"),
    ]


def test_where_all_are_asleep_the_second_wave_follows_at_once(bot: Bot) -> None:
    alice = agent(bot=bot)
    QuietWindowFactory.create(membership=alice, days=[1], start="08:00", end="12:00")
    set_by_operators(bot, {"audience": "awake"}, {"audience": "subscribers"})
    call(bot)
    pass_time(NINE, 0.5)
    assert history() == [(0.05, "still_waiting", "subscribers")]
    assert told(rung()[0]) == {alice.pk}


def test_a_wave_that_nobody_has_routed_yet_is_waited_for(bot: Bot) -> None:
    call(bot, at=NINE)
    Event.objects.update(state="received")
    assert ladders.climb(now=NINE + SWEEP, limit=200) == 0


def test_without_an_operator_the_end_is_written_down_all_the_same(bot: Bot) -> None:
    call(bot)
    pass_time(NINE, 1)
    assert rung()[-1].facts["members"] == []


def test_whoever_may_not_respond_any_more_is_in_no_wave(bot: Bot) -> None:
    alice = agent(bot=bot)
    gone, suspended = agent(bot=bot), agent(bot=bot)
    Membership.objects.filter(pk=gone.pk).update(active=False)
    User.objects.filter(pk=suspended.user_id).update(is_active=False)
    agent(bot=bot, permitted=False)
    elsewhere = MembershipFactory.create()
    permit(bot=bot, to=elsewhere.user)
    call(bot)
    sweep(NINE + 3 * MINUTE)
    assert rung()[0].facts["members"] == [alice.pk]


def test_an_operator_of_another_organization_is_not_alarmed(bot: Bot) -> None:
    operator(BotFactory.create())
    retired = operator(bot)
    Membership.objects.filter(pk=retired.pk).update(active=False)
    call(bot)
    pass_time(NINE, 1)
    assert rung()[-1].facts["members"] == []


# --- time ----------------------------------------------------------------------------------------


def test_after_an_outage_each_rung_comes_once_and_none_in_a_rush(bot: Bot) -> None:
    agent(bot=bot)
    call(bot)
    pass_time(NINE + 60 * MINUTE, 60)
    assert [minutes for minutes, *_ in history()] == [60.05, 63.05, 66.05, 69.05]


def test_before_its_time_nothing_is_rung(bot: Bot) -> None:
    agent(bot=bot)
    call(bot)
    assert sweep(NINE + 3 * MINUTE - timedelta(seconds=1)) == 0
    assert sweep(NINE + 3 * MINUTE) == 1
    assert sweep(NINE + 3 * MINUTE) == 0


@pytest.mark.parametrize("state", ["claimed", "with_bot", "resolved"])
def test_who_is_answered_calls_nobody_any_more(bot: Bot, state: str) -> None:
    agent(bot=bot)
    call(bot)
    claimed_at = NINE if state == "claimed" else None
    Conversation.objects.update(state=state, claimed_at=claimed_at, next_wave_at=None)
    pass_time(NINE, 20)
    assert rung() == []


def test_a_new_call_begins_from_the_bottom(bot: Bot) -> None:
    agent(bot=bot)
    call(bot)
    pass_time(NINE, 4)
    call(bot, at=NINE + 5 * MINUTE)
    pass_time(NINE + 5 * MINUTE, 4)
    assert [event.facts["epoch"] for event in rung()] == [1, 2]
    assert [minutes for minutes, *_ in history()] == [3, 8]


@pytest.mark.parametrize("reason", ["released", "lapsed"])
def test_who_gives_a_conversation_back_rings_its_first_wave_at_once(bot: Bot, reason: str) -> None:
    alice = agent(bot=bot)
    agent(bot=bot, subscribed=False)
    conversation = call(bot)
    later = NINE + 30 * MINUTE
    Conversation.objects.update(epoch=2, wave=0, next_wave_at=later)
    assert ladders.climb_these([conversation.pk], now=later, reason=reason) == 1
    route(later)
    [event] = rung()
    assert event.payload["data"]["reason"] == reason
    assert event.facts["epoch"] == 2
    assert told(event) == {alice.pk}
    assert known().next_wave_at == later + 3 * MINUTE
    sweep(later + 3 * MINUTE)
    assert rung()[-1].payload["data"]["reason"] == "wave"


def test_an_idle_claim_lapses_and_everyone_is_called_again_from_the_bottom(bot: Bot) -> None:
    alice, bob = agent(bot=bot), agent(bot=bot, subscribed=False)
    conversation = call(bot)
    claiming.claim(conversation_id=conversation.pk, membership=alice, now=NINE + MINUTE)
    route(NINE + MINUTE)
    now = NINE + MINUTE
    while (now := now + SWEEP) <= NINE + 60 * MINUTE:
        claiming.lapse(now=now, limit=200)
        sweep(now)
    # Claimed at 9:01, for half an hour.
    assert history() == [
        (31, "still_waiting", "subscribers"),
        (34, "still_waiting", "responders"),
        (37, "still_waiting", "responders"),
        (40, "still_waiting", "responders"),
        (43, "unanswered_alarm", "operators"),
    ]
    first, second, *_ = waves()
    assert (first.payload["data"]["reason"], first.facts["epoch"]) == ("lapsed", 2)
    assert first.payload["data"]["waited_seconds"] == 0
    assert (told(first), told(second)) == ({alice.pk}, {alice.pk, bob.pk})


def test_where_the_channel_is_off_nobody_is_told_and_nothing_climbs(bot: Bot) -> None:
    agent(bot=bot)
    operator(bot)
    ChannelPolicyFactory.create(organization=bot.organization, channel="escalation")
    call(bot)
    pass_time(NINE, 20)
    assert rung() == []
    assert known().next_wave_at is None


def test_a_ladder_that_becomes_shorter_on_the_way_ends_with_its_alarm(bot: Bot) -> None:
    agent(bot=bot)
    call(bot)
    pass_time(NINE, 7)
    set_by_operators(bot, {}, repeats=0)
    pass_time(NINE + 7 * MINUTE, 20)
    assert history() == [
        (3, "still_waiting", "responders"),
        (6, "still_waiting", "responders"),
        (9, "unanswered_alarm", "operators"),
    ]


def test_a_call_that_is_not_there_any_more_is_told_without_its_words(bot: Bot) -> None:
    agent(bot=bot)
    call(bot)
    Event.objects.all().delete()
    sweep(NINE + 3 * MINUTE)
    [event] = rung()
    assert event.payload["data"]["conversation"]["id"] == "conv_1"
    assert event.facts["as"] == "conversation.human_requested"


def test_what_stayed_below_the_threshold_is_not_what_the_customer_asked(bot: Bot) -> None:
    agent(bot=bot)
    call(bot)
    EventFactory.create(
        connection__organization=bot.organization,
        type="conversation.unanswered",
        source=bot,
        subject="conv_1",
        received_at=NINE + MINUTE,
        payload={"data": {"message": "What?", "consecutive_unanswered": 1}},
        state="routed",
    )
    sweep(NINE + 3 * MINUTE)
    assert rung()[0].payload["data"]["message"] == "I want to talk to a human."


# --- several workers, many customers -------------------------------------------------------------


def test_one_conversation_that_fails_keeps_no_other_waiting(bot: Bot) -> None:
    agent(bot=bot)
    for number in range(3):
        call(bot, f"conv_{number}")
    broken = Conversation.objects.get(external_id="conv_1")
    EventFactory.create(
        connection=None, organization=bot.organization, webhook_id=f"wave-{broken.pk}-1-2"
    )
    assert sweep(NINE + 3 * MINUTE) == 2
    assert [len(rung(f"conv_{number}")) for number in range(3)] == [1, 0, 1]


def test_the_number_of_queries_depends_on_the_rungs_alone(bot: Bot) -> None:
    agent(bot=bot)

    def query(count: int) -> int:
        """Without the one that publishes each rung."""
        for number in range(count):
            call(bot, f"conv_{count}_{number}")
        taken = taken_by(lambda: ladders.climb(now=NINE + 3 * MINUTE, limit=200))
        Event.objects.update(state="routed")
        Conversation.objects.all().delete()
        return taken - count

    assert query(1) == query(20)


@pytest.mark.django_db(transaction=True)
def test_of_two_climbers_one_rings() -> None:
    bot = BotFactory.create()
    agent(bot=bot)
    for number in range(10):
        call(bot, f"conv_{number}")
    climbed = at_once(4, lambda _: ladders.climb(now=NINE + 3 * MINUTE, limit=200))
    assert sum(climbed) == 10
    assert [len(rung(f"conv_{number}")) for number in range(10)] == [1] * 10
    assert set(Conversation.objects.values_list("wave", flat=True)) == {2}


def test_a_limit_is_kept_and_who_waits_longest_comes_first(bot: Bot) -> None:
    agent(bot=bot)
    for number in range(3):
        call(bot, f"conv_{number}", NINE + number * MINUTE)
    assert ladders.climb(now=NINE + 10 * MINUTE, limit=1) == 1
    assert len(rung("conv_0")) == 1


def test_waves_of_a_ladder_may_be_kept_in_any_order(bot: Bot) -> None:
    ladder = LadderFactory.create(organization=bot.organization)
    WaveFactory.create(ladder=ladder, after=5 * MINUTE, audience=Wave.Audience.RESPONDERS)
    WaveFactory.create(ladder=ladder)
    found = ladders.of_bots({bot.pk: bot.organization_id})[bot.pk]
    assert [wave.after for wave in found.waves] == [0 * MINUTE, 5 * MINUTE]
