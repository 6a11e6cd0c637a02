from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.outbound.schedule import LASTING, PATIENCE, WAITS, next_try

START = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)


def tries(*, chance: float, retry_after: float | None = None) -> list[timedelta]:
    """When each try of a message that always fails is made, since the first."""
    made, at = [timedelta()], START
    while True:
        due_at = next_try(
            failures=len(made), round_at=START, now=at, chance=chance, retry_after=retry_after
        )
        if due_at is None:
            return made
        at = due_at
        made.append(at - START)


def test_the_tries_are_those_that_the_standard_advises() -> None:
    seconds, minutes, hours = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
    waits = [later - sooner for sooner, later in pairwise(tries(chance=0))]
    assert waits == [
        5 * seconds,
        5 * minutes,
        30 * minutes,
        2 * hours,
        5 * hours,
        10 * hours,
        14 * hours,
        20 * hours,
        24 * hours,
    ]


@given(chance=st.floats(0, 1))
def test_a_message_is_tried_ten_times_over_three_days_and_a_bit(chance: float) -> None:
    made = tries(chance=chance)
    assert len(made) == 10
    assert timedelta(hours=75) < made[-1] < timedelta(hours=84)


def test_a_receiver_that_comes_and_goes_uses_no_tries_up() -> None:
    soon = START + timedelta(hours=1)
    assert next_try(failures=50, round_at=START, now=soon, chance=0) == soon + WAITS[-1]


def test_a_pause_of_our_own_uses_no_tries_up() -> None:
    later = START + timedelta(days=30)
    assert next_try(failures=2, round_at=START, now=later, chance=0) == later + WAITS[1]


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (0.0, WAITS[0]),
        (4.0, WAITS[0]),
        (60.0, timedelta(seconds=60)),
        (1e9, PATIENCE),
    ],
)
def test_a_receiver_can_ask_for_a_longer_wait_and_for_no_shorter(
    asked: float, granted: timedelta
) -> None:
    due_at = next_try(failures=1, round_at=START, now=START, chance=0, retry_after=asked)
    assert due_at == START + granted


def test_a_receiver_that_always_asks_for_a_day_is_still_given_up() -> None:
    assert len(tries(chance=0, retry_after=86_400)) == 10


def test_who_is_given_up_has_been_failing_for_long_enough_to_be_disabled() -> None:
    assert tries(chance=0)[-1] > LASTING
