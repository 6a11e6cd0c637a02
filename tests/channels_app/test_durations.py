from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app import durations
from channels_app.durations import Unit

FULL = {Unit.SECOND: 60, Unit.MINUTE: 60, Unit.HOUR: 24}
# Around full minutes, hours and days, where rounding goes wrong.
near_full = st.builds(
    lambda unit, times, off: max(0.0, unit * times + off),
    st.sampled_from([60, 3600, 86_400]),
    st.integers(1, 50),
    st.floats(-1, 1),
)


@given(seconds=near_full)
def test_no_unit_is_ever_full(seconds: float) -> None:
    for count, unit in durations.rough(seconds):
        assert count < FULL.get(unit, 10_000)
    for count, unit in durations.exact(seconds):
        assert unit is Unit.HOUR or count < FULL[unit]


@given(seconds=st.floats(0, 315_360_000))
def test_an_exact_duration_is_exact(seconds: float) -> None:
    worth = {Unit.HOUR: 3600, Unit.MINUTE: 60, Unit.SECOND: 1}
    assert sum(count * worth[unit] for count, unit in durations.exact(seconds)) == round(seconds)


@pytest.mark.parametrize("seconds", [3600, 7200.4, 86_400, 172_800])
def test_a_rough_duration_has_no_part_of_nothing(seconds: float) -> None:
    assert len(durations.rough(seconds)) == 1
