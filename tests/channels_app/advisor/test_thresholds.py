from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from channels_app.advisor import thresholds
from channels_app.advisor.advice import Advice, Knob, Option
from channels_app.advisor.tallies import Call
from channels_app.advisor.thresholds import Missed
from channels_app.routing import Thresholds

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BOT = 1
UNANSWERED, TONE = "conversation.unanswered", "conversation.tone_escalated"
SETTLED = Call(
    source_id=BOT,
    type=UNANSWERED,
    value=3,
    at=NOON - timedelta(hours=5),
    claimed=False,
    settled=True,
    opened=False,
    banners=2,
)
SET: Mapping[int, Thresholds] = {BOT: Thresholds(unanswered=3, tone=0.5)}


def advice(*calls: Call) -> list[Advice]:
    return list(thresholds.advise(calls, thresholds=SET))


def test_calls_that_all_ended_well_by_themselves_could_be_kept_back() -> None:
    (one,) = advice(*[SETTLED] * 20, *[replace(SETTLED, value=4, claimed=True)] * 5)

    assert (one.knob, one.source_id) == (Knob.UNANSWERED_THRESHOLD, BOT)
    assert one.options == (Option("4", banners=40, rings=40),)
    assert (one.count, one.needless) == (25, 20)


@pytest.mark.parametrize(
    "needed",
    [
        replace(SETTLED, claimed=True),
        replace(SETTLED, opened=True),
        replace(SETTLED, settled=False),
    ],
    ids=["claimed", "looked at", "not over"],
)
def test_one_customer_who_needed_somebody_is_enough_to_advise_nothing(needed: Call) -> None:
    assert advice(*[SETTLED] * 500, needed) == []


def test_nineteen_are_too_few() -> None:
    assert advice(*[SETTLED] * 19) == []


def test_a_threshold_is_raised_by_one_at_a_time() -> None:
    (one,) = advice(*[SETTLED] * 20, *[replace(SETTLED, value=4)] * 20)

    assert one.options[0].value == "4"


def test_the_tones_minimum_is_raised_as_far_as_nobody_was_needed() -> None:
    mild = replace(SETTLED, type=TONE, value=0.52)
    (one,) = advice(*[mild] * 30, replace(mild, value=0.61, claimed=True))

    assert (one.knob, one.options[0].value) == (Knob.TONE_MINIMUM, "0.6")
    assert (one.count, one.needless) == (31, 30)


def test_a_customer_who_asks_for_a_human_gets_one() -> None:
    assert advice(*[replace(SETTLED, type="conversation.human_requested", value=None)] * 50) == []


def test_of_a_bot_that_is_gone_nothing_is_said() -> None:
    assert advice(*[replace(SETTLED, source_id=7)] * 50) == []


def test_customers_whom_nobody_came_to_are_counted_the_worst_bot_first() -> None:
    waits = replace(SETTLED, settled=False)
    other = replace(waits, source_id=2)
    calls = [SETTLED, waits, replace(waits, claimed=True), other, other, other]

    assert thresholds.missed(calls, now=NOON) == [Missed(2, 3, 3), Missed(BOT, 3, 1)]


def test_a_call_of_the_last_hour_may_still_be_answered() -> None:
    waits = replace(SETTLED, settled=False, at=NOON - timedelta(minutes=59))

    assert thresholds.missed([waits], now=NOON) == []
