from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app.advisor.shares import RARELY, Judgement, interval, judge


@pytest.mark.parametrize(
    ("part", "whole", "judgement"),
    [
        (0, 0, Judgement.UNSURE),
        (0, 72, Judgement.UNSURE),
        (0, 73, Judgement.RARELY),
        (1, 100, Judgement.UNSURE),
        (5, 1240, Judgement.RARELY),
        (40, 1240, Judgement.RARELY),
        (60, 1240, Judgement.UNSURE),
        (80, 1240, Judgement.OFTEN),
        (3, 10, Judgement.OFTEN),
        (1, 10, Judgement.UNSURE),
    ],
)
def test_what_can_be_said_of_so_many_opened(part: int, whole: int, judgement: Judgement) -> None:
    assert judge(part, whole) is judgement


def test_the_interval_is_that_of_the_textbook() -> None:
    # Brown, Cai, DasGupta (2001): 10 of 100.
    assert interval(10, 100) == pytest.approx((0.0552, 0.1744), abs=0.0005)


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_the_share_lies_within_its_interval(part: int, more: int) -> None:
    whole = part + more
    low, high = interval(part, whole)

    assert 0 <= low <= high <= 1
    assert whole == 0 or low <= part / whole + 1e-9 and part / whole <= high + 1e-9


@given(st.integers(0, 300), st.integers(0, 300))
def test_who_opens_more_is_never_judged_to_open_more_rarely(part: int, more: int) -> None:
    order = [Judgement.RARELY, Judgement.UNSURE, Judgement.OFTEN]
    whole = part + more + 1

    assert order.index(judge(part, whole)) <= order.index(judge(part + 1, whole))
    assert RARELY == 0.05
