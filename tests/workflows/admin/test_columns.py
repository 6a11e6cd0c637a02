from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from workflows.admin import columns
from workflows.admin.columns import HEIGHT, LEAST_HEIGHT, LEAST_PLACES, TOP
from workflows.models import Run

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def run(seconds: float | None, state: str = "success") -> Run:
    """One that took so long; if it is still running: that has been running so long at noon."""
    if state == "running":
        begun = None if seconds is None else NOON - timedelta(seconds=seconds)
        return Run(state=state, started_at=begun)
    return Run(state=state, finished_at=NOON, told_seconds=seconds)


def heights(*runs: Run) -> list[float]:
    return [one.height for one in columns.draw(runs, now=NOON).columns]


def test_a_column_is_as_high_as_its_run_took_long() -> None:
    assert heights(run(100), run(50), run(25)) == [HEIGHT, HEIGHT / 2, HEIGHT / 4]


def test_a_column_that_runs_still_grows() -> None:
    assert heights(run(100), run(50, "running")) == [HEIGHT, HEIGHT / 2]


@pytest.mark.parametrize("state", ["success", "running"])
def test_a_run_of_unknown_length_is_seen_all_the_same(state: str) -> None:
    assert heights(run(None, state)) == [LEAST_HEIGHT]


def test_one_run_that_hung_does_not_press_the_others_to_the_ground() -> None:
    picture = columns.draw([run(100), run(100), run(100_000)], now=NOON)

    assert [one.height for one in picture.columns] == [HEIGHT / 4, HEIGHT / 4, HEIGHT]
    assert [one.cut for one in picture.columns] == [False, False, True]


def test_what_is_usual_is_the_middle_of_the_runs_that_succeeded() -> None:
    picture = columns.draw([run(1, "failure"), run(50), run(100), run(60)], now=NOON)

    assert picture.usual == 60
    assert picture.usual_y == round(TOP + HEIGHT * 0.4, 1)


def test_where_no_run_succeeded_nothing_is_usual() -> None:
    picture = columns.draw([run(100, "failure")], now=NOON)

    assert (picture.usual, picture.usual_y) == (None, None)


def test_a_few_runs_are_as_slim_as_many() -> None:
    alone = columns.draw([run(1)], now=NOON).columns[0]
    among = columns.draw([run(1)] * LEAST_PLACES, now=NOON).columns[0]

    assert alone.width == among.width


def test_no_run_is_no_column() -> None:
    assert columns.draw([], now=NOON).columns == []
