"""What the platform says became of a conversation, against what happened here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from channels_app.models import Bot, Membership
from claims import claiming, conversations
from claims.models import Conversation
from tests.changes import change
from tests.claims.calls import MINUTE, NINE, call
from tests.factories import BotFactory, LadderFactory, MembershipFactory

pytestmark = pytest.mark.django_db
CLAIMED, RELEASED = "conversation.claimed", "conversation.released"
HANDED_BACK, RESOLVED = "conversation.handed_back", "conversation.resolved"
LEAVES = {RELEASED: "release", HANDED_BACK: "hand_back", RESOLVED: "resolve"}


@pytest.fixture
def bot() -> Bot:
    return BotFactory.create()


@pytest.fixture
def alice(bot: Bot) -> Membership:
    return MembershipFactory.create(organization=bot.organization, external_id="person_a")


@pytest.fixture
def bob(bot: Bot) -> Membership:
    return MembershipFactory.create(organization=bot.organization, external_id="person_b")


def report(
    bot: Bot, type: str, minutes: float, agent: str = "", name: str = "", **data: Any
) -> dict[str, Any]:
    by = {"agent": {"id": agent, "name": name}} if agent else {}
    at = NINE + minutes * MINUTE
    return change(conversations.CHANGES, type, bot, {"conversation": {"id": "conv_1"}, **by}, at)


def known() -> Conversation:
    return Conversation.objects.get(external_id="conv_1")


def claim(member: Membership, minutes: float) -> Conversation:
    return claiming.claim(
        conversation_id=known().pk, membership=member, now=NINE + minutes * MINUTE
    )


def leave(how: str, member: Membership, minutes: float) -> Conversation:
    row: Conversation = getattr(claiming, how)(
        conversation_id=known().pk,
        membership=member,
        operator=False,
        now=NINE + minutes * MINUTE,
    )
    return row


def at(minutes: float) -> datetime:
    return NINE + minutes * MINUTE


def test_a_member_who_claims_on_the_platform_is_the_holder(bot: Bot, alice: Membership) -> None:
    call(bot)
    facts = report(bot, CLAIMED, 1, "person_a", "Alice")
    row = known()
    assert facts == {"conversation": row.pk, "epoch": 1, "holder": alice.pk}
    assert (row.state, row.holder, row.holder_name) == ("claimed", alice, "Alice")
    assert (row.claimed_at, row.lease_until) == (at(1), at(31))


def test_an_agent_who_is_no_member_here_is_known_by_name(bot: Bot) -> None:
    MembershipFactory.create(external_id="person_x")  # of another organization
    call(bot)
    facts = report(bot, CLAIMED, 1, "person_x", "Xu")
    row = known()
    assert facts == {"conversation": row.pk, "epoch": 1}
    assert (row.holder, row.holder_external_id, row.holder_name) == (None, "person_x", "Xu")


def test_a_platform_that_names_no_agent_has_claimed_all_the_same(bot: Bot) -> None:
    MembershipFactory.create(organization=bot.organization, external_id="")
    call(bot)
    report(bot, CLAIMED, 1)
    assert (known().state, known().holder) == ("claimed", None)


@pytest.mark.parametrize("minutes", [1, 3])
def test_what_was_given_to_somebody_here_stays_theirs(
    bot: Bot, alice: Membership, bob: Membership, minutes: int
) -> None:
    call(bot)
    claim(alice, 2)
    assert report(bot, CLAIMED, minutes, "person_b") == {}
    assert (known().holder, known().claimed_at) == (alice, at(2))


def test_a_report_of_our_own_claim_changes_nothing(bot: Bot, alice: Membership) -> None:
    call(bot)
    claim(alice, 2)
    before = Conversation.objects.values().get()
    assert report(bot, CLAIMED, 3, "person_a") == {}
    assert Conversation.objects.values().get() == before


def test_the_later_of_two_claims_on_the_platform_counts(
    bot: Bot, alice: Membership, bob: Membership
) -> None:
    call(bot)
    report(bot, CLAIMED, 2, "person_b")
    assert report(bot, CLAIMED, 1, "person_a") == {}
    assert known().holder == bob
    assert report(bot, CLAIMED, 3, "person_a")["holder"] == alice.pk


def test_a_claim_from_before_a_release_here_comes_too_late(bot: Bot, alice: Membership) -> None:
    call(bot)
    claim(alice, 2)
    leave("release", alice, 3)
    assert report(bot, CLAIMED, 2.5, "person_b") == {}
    assert (known().state, known().epoch) == ("waiting", 2)


def test_who_takes_it_from_the_bot_opens_a_round(bot: Bot, alice: Membership) -> None:
    call(bot)
    report(bot, HANDED_BACK, 1)
    assert report(bot, CLAIMED, 2, "person_a") == {
        "conversation": known().pk,
        "epoch": 2,
        "holder": alice.pk,
    }


@pytest.mark.parametrize("claimed_here", [True, False])
@pytest.mark.parametrize(
    ("type", "state"), [(RELEASED, "waiting"), (HANDED_BACK, "with_bot"), (RESOLVED, "resolved")]
)
def test_an_end_on_the_platform_ends_any_claim(
    bot: Bot, alice: Membership, type: str, state: str, claimed_here: bool
) -> None:
    call(bot)
    if claimed_here:
        claim(alice, 1)
    else:
        report(bot, CLAIMED, 1, "person_a")
    facts = report(bot, type, 2)
    row = known()
    assert (row.state, row.holder, row.claimed_at, row.lease_until) == (state, None, None, None)
    assert facts == {"conversation": row.pk, "epoch": row.epoch}
    assert row.epoch == (2 if state == "waiting" else 1)


def test_a_release_on_the_platform_is_rung_by_the_next_sweep(bot: Bot, alice: Membership) -> None:
    call(bot)
    claim(alice, 1)
    report(bot, RELEASED, 2)
    assert (known().wave, known().next_wave_at, known().waiting_since) == (0, at(2), at(2))


@pytest.mark.parametrize("type", [RELEASED, HANDED_BACK, RESOLVED])
def test_an_end_that_is_older_than_the_claim_is_late(
    bot: Bot, alice: Membership, type: str
) -> None:
    call(bot)
    claim(alice, 3)
    assert report(bot, type, 2, "person_b") == {}
    assert known().holder == alice


def test_a_conversation_is_passed_on_within_a_second(
    bot: Bot, alice: Membership, bob: Membership
) -> None:
    call(bot)
    report(bot, CLAIMED, 1, "person_a")
    for order in [(RELEASED, CLAIMED), (CLAIMED, RELEASED)]:
        minute = 2 if order[0] == RELEASED else 3
        agents = {RELEASED: "person_a", CLAIMED: "person_b"}
        for type in order:
            report(bot, type, minute, agents[type])
        assert (known().holder, known().claimed_at) == (bob, at(minute))


def test_who_is_fast_claims_and_resolves_within_a_second(bot: Bot) -> None:
    call(bot)
    report(bot, CLAIMED, 1, "person_a")
    report(bot, RESOLVED, 1, "person_a")
    assert known().state == "resolved"


@pytest.mark.parametrize("agent", ["person_a", ""])
@pytest.mark.parametrize(("type", "how"), LEAVES.items())
def test_what_we_told_the_platform_undoes_nothing_when_it_is_reported_back(
    bot: Bot, alice: Membership, bob: Membership, type: str, how: str, agent: str
) -> None:
    call(bot)
    claim(alice, 1)
    leave(how, alice, 2)
    if how != "release":
        call(bot, at=at(2.1))
    claim(bob, 2.2)
    assert report(bot, type, 2.3, agent) == {}
    assert (known().holder, known().state) == (bob, "claimed")


def test_nor_does_it_end_a_customers_new_call(bot: Bot, alice: Membership) -> None:
    call(bot)
    claim(alice, 1)
    leave("resolve", alice, 2)
    call(bot, at=at(2.1))
    assert report(bot, RESOLVED, 2.2, "person_a") == {}
    assert known().state == "waiting"


def test_another_agents_end_is_no_echo(bot: Bot, alice: Membership, bob: Membership) -> None:
    call(bot)
    claim(alice, 1)
    leave("release", alice, 2)
    claim(bob, 2.2)
    assert report(bot, RELEASED, 2.3, "person_b") != {}
    assert known().state == "waiting"


def test_nor_is_what_comes_a_minute_later(bot: Bot, alice: Membership, bob: Membership) -> None:
    call(bot)
    claim(alice, 1)
    leave("release", alice, 2)
    claim(bob, 2.2)
    report(bot, RELEASED, 3.1, "person_a")
    assert known().state == "waiting"


def test_a_call_while_somebody_holds_it_is_for_them_and_moves_nothing(
    bot: Bot, alice: Membership
) -> None:
    call(bot)
    claim(alice, 1)
    other = BotFactory.create(organization=bot.organization)
    data = {"conversation": {"id": "conv_1"}}
    facts = change(conversations.CHANGES, "conversation.human_requested", other, data, at(2))
    row = known()
    assert facts == {
        "conversation": row.pk,
        "epoch": 1,
        "state": "claimed",
        "holder": alice.pk,
    }
    assert (row.holder, row.epoch, row.next_wave_at, row.bot_id) == (alice, 1, None, other.pk)


def test_a_call_from_before_the_claim_is_for_nobody(bot: Bot, alice: Membership) -> None:
    call(bot)
    claim(alice, 2)
    data = {"conversation": {"id": "conv_1"}}
    facts = change(conversations.CHANGES, "conversation.human_requested", bot, data, at(1))
    assert facts == {"conversation": known().pk, "epoch": 1, "state": "claimed"}


def test_a_call_that_only_the_holder_heard_is_rung_for_all_when_an_end_turns_out_older(
    bot: Bot, alice: Membership
) -> None:
    call(bot)
    report(bot, CLAIMED, 1, "person_a")
    call(bot, at=at(3))
    assert report(bot, RESOLVED, 2, "person_a") == {}
    row = known()
    assert (row.state, row.epoch, row.wave, row.waiting_since) == ("waiting", 2, 0, at(3))
    assert row.next_wave_at is not None


def test_the_lease_of_a_claim_on_the_platform_is_the_ladders(bot: Bot) -> None:
    LadderFactory.create(organization=bot.organization, claim_lease=timedelta(minutes=5))
    call(bot)
    report(bot, CLAIMED, 1, "person_a")
    assert known().lease_until == at(6)
