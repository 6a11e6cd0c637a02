from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from workflows.admin import bars
from workflows.admin.bars import Bars, Span, State
from workflows.expectations import Expectations, Expected
from workflows.models import Run, Step

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
COLLECTING = Expected(stuck_after=200, completed=20, known=20, median=50, mean=55, low=40, high=60)
KNOWN = Expectations(
    watched=True, unknown=Expected(stuck_after=1800), steps={"Collect": COLLECTING}
)


def at(seconds: float | None) -> datetime | None:
    return None if seconds is None else NOON + timedelta(seconds=seconds)


def step(started: float | None, completed: float | None = None, **more: object) -> Step:
    """With the seconds after noon when it began and ended."""
    told = {"index": 1, "name": "Collect", **more}
    return Step(started_at=at(started), completed_at=at(completed), **told)


def draw(*steps: Step, finished: float | None = None, now: float = 100) -> Bars:
    state = "running" if finished is None else "success"
    run = Run(state=state, started_at=NOON, finished_at=at(finished))
    found = bars.draw(run, steps, KNOWN, now=NOON + timedelta(seconds=now))
    assert found is not None
    return found


def test_a_step_stands_where_it_ran_with_what_is_usual_beneath() -> None:
    (bar,) = draw(step(20, 70), finished=100).bars

    assert bar.line is not None
    assert (bar.line.x, bar.line.length) == ("20.00%", "50.00%")
    assert bar.usual is not None
    assert (bar.usual.x, bar.usual.length) == ("20.00%", "50.00%")
    assert (bar.state, bar.seconds) == (State.COMPLETED, 50)


@pytest.mark.parametrize(
    ("one", "finished", "state", "seconds"),
    [
        (step(20), None, State.RUNNING, 80),
        (step(20, alarm="stuck", stuck_at=at(90)), None, State.STUCK, 80),
        (step(20), 60, State.UNFINISHED, 40),
        (step(None, 50), 60, State.UNTIMED, None),
        (step(None, 50, duration_seconds=30.0), 60, State.COMPLETED, 30),
        (step(40, 20), None, State.RUNNING, 60),
        (step(None, stuck_since=at(10), alarm="stuck", stuck_at=at(90)), None, State.STUCK, 90),
    ],
    ids=[
        "runs",
        "is stuck",
        "was never completed",
        "nobody said when it began",
        "how long it took says when it began",
        "is tried once more",
        "only the alarm is known",
    ],
)
def test_how_far_a_step_has_come(
    one: Step, finished: float | None, state: State, seconds: float | None
) -> None:
    (bar,) = draw(one, finished=finished).bars

    assert (bar.state, bar.seconds) == (state, seconds)


def test_the_marks_of_an_alarm_stand_where_it_rang_and_where_it_was_over() -> None:
    (bar,) = draw(step(0, 80, stuck_at=at(25), moved_at=at(80)), finished=100).bars

    assert (bar.stuck_x, bar.moved_x) == ("25.00%", "80.00%")


def test_what_runs_shows_when_it_will_be_called_stuck() -> None:
    picture = draw(step(0), now=150)

    assert picture.bars[0].stuck_from == "100.00%"
    assert picture.now_x == "75.00%"


def test_what_is_far_ahead_does_not_press_together_what_was() -> None:
    picture = draw(step(0), now=10)

    assert picture.bars[0].stuck_from is None
    assert picture.now_x == "66.67%"


def test_a_run_that_is_over_has_no_now() -> None:
    assert draw(step(0, 50), finished=100).now_x is None


def test_a_run_of_whose_steps_nothing_is_known_has_no_picture() -> None:
    run = Run(state="running", started_at=NOON)

    assert bars.draw(run, [], KNOWN, now=NOON) is None
    assert bars.draw(run, [Step(index=1)], KNOWN, now=NOON) is None


def test_a_step_that_told_its_duration_began_no_later_than_it_said() -> None:
    span = bars.span_of(step(60, 100, duration_seconds=30.0), end=NOON)

    assert span == Span(NOON + timedelta(seconds=70), NOON + timedelta(seconds=100), open=False)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (step(0, 50), "as usual"),
        (step(0, 10), "quicker than usual"),
        (step(0, 100), "2.0 × as long as usual"),
        (step(0, 100, name="Send"), ""),
    ],
)
def test_a_duration_is_compared_with_what_is_usual(one: Step, words: str) -> None:
    (bar,) = draw(one, finished=100).bars

    assert bar.compared == words


@pytest.mark.parametrize(
    ("whole", "seconds"),
    [
        (1, [0]),
        (10, [0, 2, 4, 6, 8]),
        (100, [0, 30, 60, 90]),
        (3600, [0, 900, 1800, 2700]),
        (60 * 86400, [0, 14 * 86400, 28 * 86400, 42 * 86400, 56 * 86400]),
    ],
)
def test_the_lines_stand_at_round_numbers(whole: float, seconds: list[float]) -> None:
    assert [tick.seconds for tick in bars.ticks(whole)] == seconds
