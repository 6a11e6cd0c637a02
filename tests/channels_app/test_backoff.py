from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app import backoff
from channels_app.levels import Level

LEVELS = [Level.CRITICAL, Level.LOUD, Level.QUIET]


@pytest.mark.parametrize(
    ("attempt", "critical", "loud"),
    [(1, 1, 1), (2, 2, 2), (5, 16, 16), (6, 30, 32), (10, 30, 512), (11, 30, 600)],
)
def test_the_wait_doubles_up_to_the_longest_of_the_level(
    attempt: int, critical: int, loud: int
) -> None:
    assert backoff.delay(attempt=attempt, level=Level.CRITICAL) == timedelta(seconds=critical)
    assert backoff.delay(attempt=attempt, level=Level.LOUD) == timedelta(seconds=loud)
    assert backoff.delay(attempt=attempt, level=Level.QUIET) == timedelta(seconds=loud)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [(0.0, 4), (-5.0, 4), (3.9, 4), (45.0, 45), (3600.0, 3600), (86_400.0, 3600)],
)
def test_the_push_service_may_ask_for_a_longer_wait_but_not_for_a_shorter(
    retry_after: float, seconds: float
) -> None:
    wait = backoff.delay(attempt=3, level=Level.CRITICAL, retry_after=retry_after)
    assert wait == timedelta(seconds=seconds)


@given(attempt=st.integers(1, 10**9), level=st.sampled_from(LEVELS))
def test_another_attempt_never_waits_less_than_the_one_before(attempt: int, level: Level) -> None:
    wait = backoff.delay(attempt=attempt, level=level)
    assert timedelta(seconds=1) <= wait <= backoff.delay(attempt=attempt + 1, level=level)
