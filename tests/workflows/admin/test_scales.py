from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from workflows.admin import scales
from workflows.admin.scales import Clock, Extent

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = Clock(NOON, NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    ("start", "end", "left", "width"),
    [
        (0, 50, 0, 50),
        (25, 50, 25, 25),
        (-10, 200, 0, 100),
        (50, 50, 50, scales.LEAST_WIDTH),
        (100, 100, 100 - scales.LEAST_WIDTH, scales.LEAST_WIDTH),
    ],
)
def test_a_piece_of_a_line_is_within_it_and_can_be_seen(
    start: float, end: float, left: float, width: float
) -> None:
    assert scales.extent(start, end, whole=100) == Extent(left, width)


def test_what_stands_on_a_line_without_length_stands_at_its_beginning() -> None:
    assert scales.clipped(5, whole=0) == 0


def test_a_moment_stands_where_it_is_between_the_ends() -> None:
    assert HOUR.at(NOON + timedelta(minutes=15)) == "25.00%"
    assert HOUR.at(NOON - timedelta(minutes=15)) == "0.00%"
    assert HOUR.shows(NOON)
    assert not HOUR.shows(NOON + timedelta(minutes=61))


def test_a_stretch_of_time_is_as_long_as_its_part() -> None:
    found = HOUR.between(NOON + timedelta(minutes=30), NOON + timedelta(minutes=45))

    assert (found.x, found.length) == ("50.00%", "25.00%")
