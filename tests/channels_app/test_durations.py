from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app import durations


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.4, "0s"),
        (12, "12s"),
        (59.4, "59s"),
        (59.6, "1m 0s"),
        (60, "1m 0s"),
        (252, "4m 12s"),
        (3599.9, "1h 0m 0s"),
        (3600, "1h 0m 0s"),
        (3725, "1h 2m 5s"),
        (90_061, "25h 1m 1s"),
    ],
)
def test_an_exact_duration_names_hours_minutes_and_seconds(seconds: float, text: str) -> None:
    assert durations.exact(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (45, "45 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (60, "1 min"),
        (120, "2 min"),
        (900, "15 min"),
        (3569, "59 min"),
        (3570.1, "1 h"),
        (3599.9, "1 h"),
        (3600, "1 h"),
        (11_100, "3 h 5 min"),
        (86_399, "1 d"),
        (86_400, "1 d"),
        (187_200, "2 d 4 h"),
        (315_360_000, "3650 d"),
    ],
)
def test_a_rough_duration_names_its_two_largest_units(seconds: float, text: str) -> None:
    assert durations.rough(seconds) == text


# Around full minutes, hours and days, where rounding goes wrong.
near_full = st.builds(
    lambda unit, times, off: max(0.0, unit * times + off),
    st.sampled_from([60, 3600, 86_400]),
    st.integers(1, 50),
    st.floats(-1, 1),
)
FULL = re.compile(r"(?<!\d)(60 ?(s|m|min)|24 h)\b")


@given(seconds=near_full)
def test_no_unit_is_ever_full(seconds: float) -> None:
    assert not FULL.search(durations.exact(seconds))
    assert not FULL.search(durations.rough(seconds))
