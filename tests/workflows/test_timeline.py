from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from workflows import timeline
from workflows.timeline import Happening, Progress, Step

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def step(type: str, seconds: float, index: int = 1, **told: object) -> Happening:
    return Happening(f"workflow.step_{type}", at(seconds), {"step": {"index": index, **told}})


def only(*happenings: Happening) -> Step:
    (found,) = timeline.read(happenings).steps.values()
    return found


def test_a_step_lasts_as_long_as_the_platform_says() -> None:
    found = only(step("started", 0), step("completed", 12, duration_seconds=11.5))

    assert (found.started_at, found.completed_at) == (at(0), at(12))
    assert found.duration_seconds == 11.5


def test_else_as_long_as_its_timestamps_say() -> None:
    assert only(step("started", 0), step("completed", 12)).duration_seconds == 12


@pytest.mark.parametrize(
    "happenings",
    [
        [step("completed", 12)],
        [step("started", 0)],
        [step("stuck", 900, running_seconds=900)],
    ],
)
def test_how_long_a_step_lasts_may_be_unknown(happenings: list[Happening]) -> None:
    assert only(*happenings).duration_seconds is None


def test_clocks_that_disagree_make_no_negative_duration() -> None:
    assert only(step("completed", 0), step("started", 0)).duration_seconds == 0


def test_a_stuck_step_tells_how_long_and_what_is_usual() -> None:
    found = only(step("started", 0), step("stuck", 900, running_seconds=900, average_seconds=120))

    assert found.stuck_at == at(900)
    assert (found.running_seconds, found.average_seconds) == (900, 120)


@pytest.mark.parametrize(
    ("happenings", "over", "progress"),
    [
        ([step("started", 0)], False, Progress.RUNNING),
        ([step("started", 0)], True, Progress.UNFINISHED),
        ([step("started", 0), step("stuck", 9, running_seconds=9)], False, Progress.STUCK),
        ([step("started", 0), step("stuck", 9, running_seconds=9)], True, Progress.UNFINISHED),
        ([step("stuck", 9, running_seconds=9), step("completed", 12)], False, Progress.COMPLETED),
        ([step("completed", 12)], True, Progress.COMPLETED),
        ([step("completed", 12), step("started", 12)], False, Progress.COMPLETED),
        ([step("completed", 12), step("started", 13)], False, Progress.RUNNING),
    ],
)
def test_how_far_a_step_has_come(
    happenings: list[Happening], over: bool, progress: Progress
) -> None:
    assert only(*happenings).progress(over=over) is progress


def test_a_step_that_is_tried_again_begins_anew() -> None:
    found = only(
        step("started", 0, name="Import"),
        step("completed", 5, duration_seconds=5),
        step("started", 10),
        step("completed", 12),
    )

    assert (found.name, found.duration_seconds) == ("Import", 2)


def test_a_name_that_was_told_once_stays() -> None:
    assert only(step("started", 0, name="Import"), step("completed", 5)).name == "Import"


def test_steps_stand_in_the_order_in_which_they_were_heard_of() -> None:
    found = timeline.read([step("started", 0, 2), step("started", 1, 1), step("completed", 2, 2)])

    assert list(found.steps) == [2, 1]


def test_the_end_of_a_run_tells_how_long_it_took_and_why_it_failed() -> None:
    end = {"status": "failure", "duration_seconds": 3.5, "error": "No connection."}
    found = timeline.read([Happening("workflow.run_finished", at(4), end)])

    assert found.error == "No connection."
    assert found.duration_seconds(at(0), at(4)) == 3.5


def test_a_run_lasts_from_its_start_to_its_end() -> None:
    silent = timeline.read([Happening("workflow.run_finished", at(4), {"status": "success"})])

    assert silent.duration_seconds(at(0), at(4)) == 4
    assert silent.duration_seconds(None, at(4)) is None
    assert silent.duration_seconds(at(0), None) is None
