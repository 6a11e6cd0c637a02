from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels_app.event_types import CATALOGUE, OWN, Subject
from channels_app.models import Bot
from claims import conversations
from claims.models import Conversation
from tests.changes import change
from tests.factories import BotFactory, ConversationFactory
from tests.races import at_once

AT = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
LATER = AT + timedelta(minutes=1)
DATA = {"conversation": {"id": "conv_1", "customer": {"id": "cus_77", "name": "Dana Reyes"}}}

CLAIMED, RELEASED = "conversation.claimed", "conversation.released"
HANDED_BACK, RESOLVED = "conversation.handed_back", "conversation.resolved"


def escalate(bot: Bot, at: datetime = AT, data: dict[str, Any] | None = None) -> dict[str, Any]:
    return change(conversations.CHANGES, "conversation.human_requested", bot, data or DATA, at)


def record(bot: Bot, type: str, at: datetime = LATER) -> dict[str, Any]:
    return change(conversations.CHANGES, type, bot, DATA, at)


def known() -> Conversation:
    return Conversation.objects.get(external_id="conv_1")


@pytest.fixture
def bot(db: None) -> Bot:
    return BotFactory.create()


def test_the_first_escalation_opens_a_conversation(bot: Bot) -> None:
    facts = escalate(bot)
    conversation = known()
    assert facts == {"conversation": conversation.pk, "epoch": 1}
    assert (conversation.state, conversation.changed_at) == ("waiting", AT)
    assert (conversation.customer_id, conversation.customer_name) == ("cus_77", "Dana Reyes")
    assert (conversation.bot_id, conversation.organization_id) == (bot.pk, bot.organization_id)


@pytest.mark.parametrize("customer", [{}, {"customer": None}, {"customer": {"id": "cus_77"}}])
def test_a_customer_may_be_unknown_or_nameless(bot: Bot, customer: dict[str, Any]) -> None:
    escalate(bot, data={"conversation": {"id": "conv_1", **customer}})
    assert known().customer_name == ""


def test_a_later_escalation_opens_a_new_round(bot: Bot) -> None:
    escalate(bot)
    assert escalate(bot, LATER)["epoch"] == 2
    assert known().changed_at == LATER


def test_the_same_escalation_twice_opens_one_round(bot: Bot) -> None:
    assert escalate(bot) == escalate(bot)


def test_an_escalation_that_comes_late_opens_no_round(bot: Bot) -> None:
    escalate(bot, LATER)
    assert escalate(bot, AT)["epoch"] == 1
    assert known().changed_at == LATER


@pytest.mark.parametrize(
    ("type", "state"),
    [
        (CLAIMED, "claimed"),
        (RELEASED, "waiting"),
        (HANDED_BACK, "with_bot"),
        (RESOLVED, "resolved"),
    ],
)
def test_what_the_platform_reports_becomes_the_state(bot: Bot, type: str, state: str) -> None:
    escalate(bot)
    record(bot, type)
    assert (known().state, known().changed_at) == (state, LATER)


def test_every_report_about_a_conversation_may_change_it_and_none_of_our_own_does() -> None:
    reported = {row.name for row in CATALOGUE.values() if row.subject is Subject.CONVERSATION}
    assert conversations.CHANGES.keys() == reported
    assert not conversations.CHANGES.keys() & OWN.keys()


@pytest.mark.parametrize("type", [HANDED_BACK, RESOLVED])
def test_a_new_escalation_reopens_what_was_over(bot: Bot, type: str) -> None:
    escalate(bot)
    record(bot, type)
    facts = escalate(bot, LATER + timedelta(minutes=1))
    assert facts == {"conversation": known().pk, "epoch": 2}
    assert known().state == "waiting"


def test_a_new_escalation_leaves_the_conversation_with_who_claimed_it(bot: Bot) -> None:
    escalate(bot)
    record(bot, CLAIMED)
    facts = escalate(bot, LATER + timedelta(minutes=1))
    assert facts == {"conversation": known().pk, "epoch": 1, "state": "claimed"}
    assert (known().state, known().claimed_at) == ("claimed", LATER)


@pytest.mark.parametrize(
    ("type", "state"), [(CLAIMED, "claimed"), (HANDED_BACK, "with_bot"), (RESOLVED, "resolved")]
)
def test_an_escalation_that_comes_late_finds_what_became_of_it(
    bot: Bot, type: str, state: str
) -> None:
    escalate(bot, AT - timedelta(minutes=1))
    record(bot, type)
    assert escalate(bot, AT) == {"conversation": known().pk, "epoch": 1, "state": state}


@pytest.mark.parametrize(
    ("type", "state"), [(CLAIMED, "claimed"), (HANDED_BACK, "with_bot"), (RESOLVED, "resolved")]
)
def test_what_came_before_the_first_escalation_is_remembered(
    bot: Bot, type: str, state: str
) -> None:
    record(bot, type)
    assert escalate(bot, AT)["state"] == state


def test_the_customer_is_filled_in_once_known(bot: Bot) -> None:
    escalate(bot, data={"conversation": {"id": "conv_1"}})
    escalate(bot, LATER)
    escalate(bot, LATER, data={"conversation": {"id": "conv_1", "customer": {"id": "x"}}})
    assert (known().customer_id, known().customer_name) == ("cus_77", "Dana Reyes")


def test_the_same_id_in_another_organization_is_another_conversation(bot: Bot) -> None:
    theirs = ConversationFactory.create(external_id="conv_1", epoch=7, changed_at=AT)
    escalate(bot, LATER)
    record(bot, RESOLVED, LATER)
    theirs.refresh_from_db()
    assert (theirs.epoch, theirs.state) == (7, "waiting")
    assert Conversation.objects.filter(external_id="conv_1").count() == 2


@pytest.mark.django_db(transaction=True)
def test_first_escalations_at_once_open_one_round() -> None:
    bot = BotFactory.create()
    found = at_once(8, lambda _: escalate(bot))
    assert found == [{"conversation": known().pk, "epoch": 1}] * 8


@pytest.mark.django_db(transaction=True)
def test_later_escalations_at_once_open_one_round() -> None:
    bot = BotFactory.create()
    escalate(bot)
    at_once(8, lambda number: escalate(bot, AT + timedelta(seconds=number // 4)))
    assert known().epoch == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("trouble", "opened"),
    [
        ({}, True),
        ({"consecutive_unanswered": 2}, False),
        ({"consecutive_unanswered": 3}, True),
        ({"tone": "anger", "score": 0.69}, False),
        ({"tone": "anger", "score": 0.7}, True),
    ],
)
def test_trouble_below_the_bots_thresholds_opens_no_conversation(
    trouble: dict[str, Any], opened: bool
) -> None:
    bot = BotFactory.create(unanswered_threshold=3, tone_minimum=0.7)
    data = {"conversation": {"id": "conv_1"}, **trouble}

    facts = escalate(bot, data=data)

    assert bool(facts) is opened
    assert Conversation.objects.exists() is opened


@pytest.mark.parametrize("end", [HANDED_BACK, RESOLVED])
def test_in_the_same_second_an_escalation_wins_over_an_end(bot: Bot, end: str) -> None:
    escalate(bot, AT)
    record(bot, end, LATER)
    facts = escalate(bot, LATER)
    assert "state" not in facts
    assert (known().state, known().epoch) == ("waiting", 2)
