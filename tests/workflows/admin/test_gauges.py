from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from workflows.admin import gauges
from workflows.admin.gauges import MOST_MARKS, Gauge
from workflows.expectations import Expected
from workflows.overviews import Running

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
COLLECTING = Expected(
    stuck_after=400, completed=20, known=20, median=100, mean=110, low=80, high=160
)
UNKNOWN = Expected(stuck_after=1800)


def running(seconds: float, name: str = "Collect", *, stuck: bool = False) -> Running:
    return Running(
        run="run_1",
        run_pk=1,
        index=3,
        name=name,
        started_at=NOON - timedelta(seconds=seconds),
        stuck_at=NOON if stuck else None,
        stuck_from=None,
    )


def drawn(*steps: Running) -> list[Gauge]:
    return gauges.draw({"Collect": COLLECTING}, UNKNOWN, steps, now=NOON)


def test_a_step_is_stuck_at_the_same_place_whatever_it_does() -> None:
    for expected in (COLLECTING, UNKNOWN):
        known = {"Collect": expected}
        at_its_limit = running(expected.stuck_after)

        (gauge,) = gauges.draw(known, UNKNOWN, [at_its_limit], now=NOON)

        assert gauge.marks[0].x == "75.00%"


def test_what_is_usual_stands_on_the_scale_of_the_step() -> None:
    (gauge,) = drawn()

    assert gauge.usual is not None
    assert (gauge.usual.x, gauge.usual.length, gauge.median_x) == ("15.00%", "15.00%", "18.75%")


def test_what_runs_for_the_first_time_has_no_usual() -> None:
    _, gauge = drawn(running(10, ""))

    assert gauge.name == "#3"
    assert (gauge.usual, gauge.median_x) == (None, None)
    assert gauge.expected is UNKNOWN


def test_what_has_run_for_ever_is_still_in_the_picture() -> None:
    (gauge,) = drawn(running(1_000_000, stuck=True))

    assert gauge.marks[0].x == "99.00%"
    assert gauge.marks[0].stuck


def test_of_many_those_that_have_run_longest_are_drawn() -> None:
    (gauge,) = drawn(*(running(100 - number) for number in range(MOST_MARKS + 2)))

    assert [mark.seconds for mark in gauge.marks] == [100, 99, 98, 97, 96]
    assert gauge.more == 2


def test_too_few_times_are_no_spread() -> None:
    few = replace(COLLECTING, low=None, high=None)

    (gauge,) = gauges.draw({"Collect": few}, UNKNOWN, [], now=NOON)

    assert gauge.usual is None
    assert gauge.median_x == "18.75%"
