from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from random import Random
from typing import Any

import pytest

from tests.races import at_once
from tests.workflows.platform import AT, Platform, at, the_run, the_step
from workflows import thresholds
from workflows.models import Run, Step, StuckPolicy
from workflows.thresholds import DEFAULT_SECONDS, patience

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform(db: None) -> Platform:
    return Platform()


def due_after(step: Step) -> float | None:
    return (step.due_at - AT).total_seconds() if step.due_at else None


def test_a_step_that_starts_is_looked_at_when_it_would_be_stuck(platform: Platform) -> None:
    platform.started(0, name="Collect metrics")
    step = the_step()
    assert (step.name, step.started_at, step.completed_at) == ("Collect metrics", AT, None)
    assert due_after(step) == DEFAULT_SECONDS


def test_a_completed_step_took_as_long_as_the_platform_says(platform: Platform) -> None:
    platform.started(0)
    platform.completed(12, duration_seconds=11.5)
    step = the_step()
    assert (step.completed_at, step.duration_seconds, step.duration_told) == (at(12), 11.5, True)
    assert (step.due_at, step.to_count) == (None, True)


def test_else_as_long_as_its_timestamps_say(platform: Platform) -> None:
    platform.started(0)
    platform.completed(12)
    assert (the_step().duration_seconds, the_step().to_count) == (12, True)


def test_how_long_it_took_may_be_unknown(platform: Platform) -> None:
    platform.completed(12)
    assert (the_step().duration_seconds, the_step().to_count) == (None, False)


def test_a_start_that_comes_late_says_how_long_it_took(platform: Platform) -> None:
    platform.completed(12, name="Collect metrics")
    platform.started(0, received=13)
    step = the_step()
    assert (step.started_at, step.duration_seconds, step.to_count) == (AT, 12, True)
    assert (step.due_at, step.name) == (None, "Collect metrics")


def test_what_is_heard_late_is_given_its_time_from_then_on(platform: Platform) -> None:
    platform.started(0, received=7200)
    assert due_after(the_step()) == 7200 + DEFAULT_SECONDS


def test_a_start_that_comes_again_changes_nothing(platform: Platform) -> None:
    platform.started(0)
    platform.started(0, received=600)
    assert due_after(the_step()) == DEFAULT_SECONDS


def test_a_step_that_is_tried_again_runs_again(platform: Platform) -> None:
    platform.started(0)
    platform.completed(5)
    platform.started(10)
    step = the_step()
    assert (step.started_at, step.completed_at, step.duration_seconds) == (at(10), at(5), 5)
    assert due_after(step) == 10 + DEFAULT_SECONDS
    platform.completed(12)
    assert (the_step().completed_at, the_step().duration_seconds) == (at(12), 2)


def test_a_step_that_begins_anew_without_an_end_counts_from_there(platform: Platform) -> None:
    platform.started(0)
    platform.started(600)
    assert due_after(the_step()) == 600 + DEFAULT_SECONDS


def test_what_starts_and_ends_in_the_same_second_is_over(platform: Platform) -> None:
    platform.completed(5)
    platform.started(5)
    assert (the_step().due_at, the_step().duration_seconds) == (None, 0)


def test_an_earlier_end_is_not_the_last_one(platform: Platform) -> None:
    platform.started(10)
    platform.completed(12)
    platform.completed(5, duration_seconds=5, received=13)
    assert (the_step().completed_at, the_step().duration_seconds) == (at(12), 2)


def test_an_earlier_end_leaves_what_runs_alone(platform: Platform) -> None:
    platform.started(10)
    platform.completed(5, received=11)
    assert due_after(the_step()) == 10 + DEFAULT_SECONDS


def test_a_start_that_proves_to_be_an_earlier_one_says_nothing(platform: Platform) -> None:
    platform.started(0)
    platform.completed(12)
    platform.completed(5, received=13)
    assert (the_step().completed_at, the_step().duration_seconds) == (at(12), None)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_two_tries_in_any_order(platform: Platform, order: tuple[int, ...]) -> None:
    reports = [
        lambda: platform.started(0, received=20),
        lambda: platform.completed(5, received=20),
        lambda: platform.started(10, received=20),
        lambda: platform.completed(12, received=20),
    ]
    for number in order:
        reports[number]()
    step = the_step()
    assert (step.started_at, step.completed_at) == (at(10), at(12))
    assert (step.duration_seconds, step.due_at) == (2, None)


def test_steps_beside_each_other_say_nothing_of_each_other(platform: Platform) -> None:
    platform.started(0, 1)
    platform.started(1, 2)
    platform.completed(2, 2)
    assert due_after(the_step(1)) == DEFAULT_SECONDS


def test_the_end_of_a_run_ends_the_watch_over_its_steps(platform: Platform) -> None:
    platform.started(0, 1)
    platform.started(0, 2)
    platform.finished(60)
    assert (the_step(1).due_at, the_step(2).due_at) == (None, None)


def test_a_step_of_a_run_that_is_over_is_not_watched(platform: Platform) -> None:
    platform.finished(60)
    platform.started(0, received=61)
    assert (the_step().started_at, the_step().due_at) == (AT, None)


def test_a_run_lasted_as_the_platform_says_else_by_its_timestamps(platform: Platform) -> None:
    platform.report("workflow.run_started", 0)
    platform.finished(252)
    assert the_run().duration_seconds == 252
    platform.finished(251, duration_seconds=250.5)
    assert the_run().duration_seconds == 250.5


def test_of_two_ends_the_first_counts_in_either_order(platform: Platform) -> None:
    late = platform.finished(300, "success")
    early = platform.finished(200, "failure")
    assert (the_run().state, the_run().finished_at) == ("failure", at(200))
    assert (late.facts, early.facts) == ({}, {})
    again = platform.finished(300, "success")
    assert (the_run().state, again.facts) == ("failure", {"state": "superseded"})


def test_what_is_said_twice_under_two_ids_is_told_once(platform: Platform) -> None:
    def report() -> list[dict[str, Any]]:
        events = [
            platform.report("workflow.run_started", 0),
            platform.started(1),
            platform.stuck(2),
            platform.completed(3),
            platform.finished(4),
        ]
        return [event.facts for event in events]

    assert report() == [{}] * 5
    platform.connect()
    assert [facts.get("state") for facts in report()] == ["finished"] * 4 + ["superseded"]


def test_the_platforms_word_that_a_step_is_stuck_ends_the_watch(platform: Platform) -> None:
    platform.started(0)
    event = platform.stuck(900)
    step = the_step()
    assert event.facts == {}
    assert (step.alarm, step.stuck_at, step.stuck_since) == ("stuck", at(900), AT)
    assert (step.stuck_told, step.due_at) == (True, None)


def test_of_a_step_that_nothing_is_known_of_it_says_since_when(platform: Platform) -> None:
    platform.stuck(1000, running=900)
    assert (the_step().started_at, the_step().stuck_since) == (None, at(100))


@pytest.mark.parametrize(
    ("before", "state"),
    [
        (lambda platform: platform.stuck(899), "superseded"),
        (lambda platform: platform.completed(901), "superseded"),
        (lambda platform: platform.completed(900), "superseded"),
        (lambda platform: platform.started(901), "superseded"),
        (lambda platform: platform.finished(901), "finished"),
    ],
)
def test_what_is_stuck_no_more_is_told_nobody(platform: Platform, before: Any, state: str) -> None:
    platform.started(0)
    before(platform)
    event = platform.stuck(900)
    assert event.facts == {"state": state}


def test_a_later_try_may_be_stuck_as_well(platform: Platform) -> None:
    platform.started(0)
    platform.stuck(900)
    platform.completed(1000)
    platform.started(1001)
    assert platform.stuck(2000).facts == {}
    assert (the_step().alarm, the_step().stuck_since) == ("stuck", at(1001))


def test_a_restart_of_what_is_stuck_is_the_same_trouble(platform: Platform) -> None:
    platform.started(0)
    platform.stuck(900)
    platform.started(1000)
    assert (the_step().alarm, the_step().due_at) == ("stuck", None)
    assert platform.stuck(2000).facts == {"state": "superseded"}


def test_an_end_is_its_end_though_the_next_try_was_heard_of_before(platform: Platform) -> None:
    platform.started(0)
    platform.stuck(900)
    platform.started(1001)
    platform.completed(1000, received=1002)
    step = the_step()
    assert (step.alarm, step.moved_at) == ("moved", at(1000))
    # The next try runs, and is looked at.
    assert step.due_at == at(1002)


@pytest.mark.django_db(transaction=True)
def test_all_events_of_a_step_at_once_leave_one_completed_step() -> None:
    platform = Platform()
    reports = [lambda: platform.started(0, received=900), lambda: platform.completed(900)] * 4
    Random(1).shuffle(reports)
    at_once(8, lambda number: reports[number]())
    step = Step.objects.get()
    assert (step.started_at, step.completed_at, step.duration_seconds) == (AT, at(900), 900)
    assert Run.objects.count() == 1


def test_patience_is_what_the_history_says(platform: Platform) -> None:
    known = platform.has_taken(*[120.0] * 10)
    platform.started(0)
    assert due_after(the_step()) == known.threshold_seconds == 240


def test_a_baseline_is_that_of_the_steps_name(platform: Platform) -> None:
    platform.has_taken(*[600.0] * 10, step="Collect metrics")
    platform.started(0, 7, name="Collect metrics")
    assert due_after(the_step(7)) == 1200


@pytest.mark.parametrize("history", [(), (700.0,), (120.0,) * 10, (20.0, 900.0) * 6])
@pytest.mark.parametrize("factor", [1.0, 0.2, 3.0])
@pytest.mark.parametrize(
    ("own", "organizations"), [(None, None), (300, None), (None, 400), (5e3, 6)]
)
def test_the_door_is_as_patient_as_the_rule(
    platform: Platform,
    history: tuple[float, ...],
    factor: float,
    own: float | None,
    organizations: float | None,
) -> None:
    known = platform.has_taken(*history) if history else None
    platform.workflow.stuck_factor = factor
    platform.workflow.stuck_default = timedelta(seconds=own) if own else None
    platform.workflow.save()
    if organizations:
        StuckPolicy.objects.create(
            organization=platform.workflow.organization,
            stuck_default=timedelta(minutes=organizations),
        )
    platform.started(0)
    usual = thresholds.usual(known.durations) if known else None
    default = own or (organizations and organizations * 60)
    assert due_after(the_step()) == pytest.approx(patience(usual, factor=factor, default=default))
