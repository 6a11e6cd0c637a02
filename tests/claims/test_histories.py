"""Whatever the order in which the platform's reports come, and how often: the same end."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cmp_to_key
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels_app.models import Bot, Membership
from claims import conversations
from claims.models import Conversation
from tests.changes import change
from tests.factories import BotFactory, MembershipFactory

AT = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
ENDS = {"conversation.resolved": "resolved", "conversation.handed_back": "with_bot"}
CALL = "conversation.human_requested"
CLAIMED, RELEASED = "conversation.claimed", "conversation.released"
# Of two in one and the same second the later one counts: who answers fast may have claimed and
# resolved, a conversation may be passed on, and a needless banner is the smaller harm.
AFTER_AN_END = (CALL, RELEASED)
AGENTS = ("person_a", "person_b", "unknown", "")
numbers = count()


@dataclass(frozen=True, slots=True)
class Report:
    """One event of the platform."""

    minute: int
    type: str
    agent: str = ""

    @property
    def at(self) -> datetime:
        return AT + timedelta(minutes=self.minute)


def compare(one: Report, other: Report) -> int:
    """Negative: `one` came before the other."""
    if one.minute != other.minute:
        return one.minute - other.minute
    return _rank(one, other) - _rank(other, one)


def _rank(one: Report, beside: Report) -> int:
    """How late it counts, in the same second as the other."""
    if one.type in ENDS:
        # Of two ends, back with the bot.
        return 0 if beside.type in AFTER_AN_END else 2 + (ENDS[one.type] == "with_bot")
    return 1 if one.type in (CLAIMED, CALL) else int(beside.type in ENDS)


@dataclass(slots=True)
class End:
    """How a conversation stands."""

    state: str = ""
    agent: str = ""
    claimed_at: datetime | None = None
    called_at: datetime | None = None


def in_order(history: Iterable[Report]) -> End:
    """The end of a history as one would tell it."""
    end = End()
    for report in sorted(history, key=cmp_to_key(compare)):
        if report.type in (CALL, RELEASED):
            end.called_at = report.at
        if report.type == CLAIMED:
            end.state, end.agent, end.claimed_at = "claimed", report.agent, report.at
        elif report.type != CALL or end.state != "claimed":
            end.state, end.agent, end.claimed_at = ENDS.get(report.type, "waiting"), "", None
    if end.state != "waiting":
        end.called_at = None
    return end


def as_it_came(bot: Bot, history: Iterable[Report]) -> tuple[Conversation, End]:
    subject = f"conv_{next(numbers)}"
    for report in history:
        agent = {"agent": {"id": report.agent}} if report.agent else {}
        data = {"conversation": {"id": subject}, **agent}
        change(conversations.CHANGES, report.type, bot, data, report.at)
    row = Conversation.objects.get(external_id=subject)
    called_at = row.waiting_since if row.state == "waiting" else None
    return row, End(row.state, row.holder_external_id, row.claimed_at, called_at)


def is_told_by_seconds(history: list[Report]) -> bool:
    """Whether in no second more than two things happened, nor two claims, nor a claim and an end.

    Who claimed and ended within a second is told apart as long as no call came in between.
    """
    by_second: dict[int, set[Report]] = defaultdict(set)
    for report in history:
        by_second[report.minute].add(report)
    return all(
        len(reports) <= 2
        and not ({r.type for r in reports} == {CLAIMED} and len(reports) > 1)
        and not (CLAIMED in {r.type for r in reports} and {r.type for r in reports} & ENDS.keys())
        for reports in by_second.values()
    )


reports = st.builds(
    lambda minute, type, agent: Report(minute, type, agent if type == CLAIMED else ""),
    st.integers(0, 12),
    st.sampled_from([CALL, CLAIMED, RELEASED, *ENDS]),
    st.sampled_from(AGENTS),
)
histories = st.lists(reports, min_size=1, max_size=8).filter(is_told_by_seconds)


@pytest.fixture
def bot(db: None) -> Bot:
    bot = BotFactory.create()
    for external_id in AGENTS[:2]:
        MembershipFactory.create(organization=bot.organization, external_id=external_id)
    return bot


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories, again=st.lists(st.integers(0, 7), max_size=4), seed=st.integers(0, 10**6))
def test_shuffled_and_repeated_reports_end_as_the_history_does(
    bot: Bot, history: list[Report], again: list[int], seed: int
) -> None:
    wanted = in_order(history)
    came = [*history, *(history[number % len(history)] for number in again)]
    random.Random(seed).shuffle(came)

    row, found = as_it_came(bot, came)

    assert found == wanted
    holder = Membership.objects.filter(external_id=found.agent).exclude(external_id="").first()
    assert row.holder == holder
    assert (row.next_wave_at is None) is (row.state != "waiting")
    assert (row.lease_until is None) is (row.state != "claimed")
