from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from channels_app import chores, deliveries
from channels_app.levels import Lane
from channels_app.models import Delivery, Event
from tests.examples import EXAMPLES
from tests.queries import taken_by
from tests.workflows.platform import (
    RESUMED,
    STUCK,
    Platform,
    at,
    find,
    route,
    said,
    the_step,
    told,
)
from workflows import finder
from workflows.finder import Verdict
from workflows.models import StuckPolicy, Workflow

pytestmark = pytest.mark.django_db
(GOLDEN,) = (example for example in EXAMPLES if example.type == STUCK)


@pytest.fixture
def platform(db: None) -> Platform:
    return Platform()


def settings(platform: Platform, **fields: Any) -> None:
    Workflow.objects.filter(pk=platform.workflow.pk).update(**fields)


def test_the_example_gives_its_banner_when_pushbridge_finds_it_by_itself(
    platform: Platform,
) -> None:
    platform.has_taken(*[60.0, 180.0] * 10, step="Collect metrics")
    platform.started(0, name="Collect metrics")
    find(900)
    route(900)
    assert told() == [(GOLDEN.title, GOLDEN.body)]


def test_what_it_says_has_the_shape_of_the_platforms_own(platform: Platform) -> None:
    platform.has_taken(*[120.0] * 10, step="Collect metrics")
    platform.report("workflow.run_started", 0, run={"subject": "Monday", "steps": 5})
    platform.started(0, name="Collect metrics")
    find(900)
    assert said(STUCK) == [
        {
            "workflow": {"id": "wf_kpi", "name": "Daily KPI digest"},
            "run": {"id": "run_900", "subject": "Monday", "steps": 5},
            "step": {
                "index": 3,
                "name": "Collect metrics",
                "running_seconds": 900,
                "average_seconds": 120,
            },
        }
    ]
    event = Event.objects.get(type=STUCK)
    assert (event.connection, event.subject, event.occurred_at) == (None, "run_900", at(900))
    assert (event.source_id, event.lane, event.state) == (
        platform.workflow.pk,
        "default",
        "received",
    )


def test_it_is_said_once_and_not_before_its_time(platform: Platform) -> None:
    platform.has_taken(*[120.0] * 10)
    platform.started(0)
    assert (find(239), said(STUCK)) == (0, [])
    assert find(240) == 1
    assert [find(second) for second in (241, 600, 6000)] == [0, 0, 0]
    step = the_step()
    assert (step.alarm, step.stuck_at, step.stuck_since) == ("stuck", at(240), at(0))
    assert (step.stuck_told, step.due_at) == (False, None)
    assert len(said(STUCK)) == 1


def test_of_a_few_tries_no_average_is_named(platform: Platform) -> None:
    platform.has_taken(120.0, 100.0)
    platform.started(0)
    find(1800)
    route(1800)
    assert told() == [
        (
            "⚠️ Workflow stuck: Daily KPI digest",
            "Step 3 has been running for 30 min.\nTap to investigate.",
        )
    ]


@pytest.mark.parametrize("order", [(240, 241), (241, 240)])
def test_ours_and_the_platforms_are_one_banner(platform: Platform, order: tuple[int, int]) -> None:
    platform.has_taken(*[120.0] * 10)
    platform.started(0)
    ours, theirs = order
    if ours < theirs:
        find(ours)
        platform.stuck(theirs)
    else:
        platform.stuck(theirs)
        find(ours + 1)
    route(250)
    assert len(told()) == 1


@pytest.mark.parametrize(
    "over",
    [
        lambda platform: platform.completed(100),
        lambda platform: platform.finished(100),
        lambda platform: platform.finished(100, "failure"),
    ],
)
def test_what_is_over_never_rings(platform: Platform, over: Any) -> None:
    platform.started(0)
    over(platform)
    assert (find(100_000), said(STUCK)) == (0, [])


def test_a_late_start_of_what_is_long_over_does_not_ring(platform: Platform) -> None:
    platform.completed(100, duration_seconds=100)
    platform.started(0, received=7200)
    platform.finished(200, run={"id": "run_901"})
    platform.report(
        "workflow.step_started", 0, received=7200, run={"id": "run_901"}, step={"index": 1}
    )
    assert (find(100_000), said(STUCK)) == (0, [])


def test_a_step_that_starts_while_its_run_ends_is_left_alone(platform: Platform) -> None:
    platform.started(0)
    due_at = the_step().due_at
    platform.finished(100)
    # As the end may leave it, which does not see what is stored at the same moment.
    type(the_step()).objects.update(due_at=due_at)
    assert (find(1800), said(STUCK), the_step().due_at) == (1, [], None)


def test_nobody_is_told_of_a_workflow_that_is_not_watched(platform: Platform) -> None:
    platform.started(0)
    settings(platform, watched=False)
    assert (find(1800), said(STUCK), the_step().due_at) == (1, [], None)


def test_the_platforms_own_word_counts_all_the_same(platform: Platform) -> None:
    settings(platform, watched=False)
    platform.started(0)
    platform.stuck(900)
    route(900)
    assert len(told()) == 1


def test_more_patience_counts_for_what_runs_already(platform: Platform) -> None:
    platform.has_taken(*[120.0] * 10)
    platform.started(0)
    settings(platform, stuck_factor=2)
    assert (find(240), said(STUCK)) == (1, [])
    assert the_step().due_at == at(480)
    assert find(480) == 1
    assert len(said(STUCK)) == 1


def test_the_workflows_default_comes_before_the_organizations(platform: Platform) -> None:
    StuckPolicy.objects.create(
        organization=platform.workflow.organization, stuck_default=timedelta(minutes=5)
    )
    platform.started(0, 1)
    settings(platform, stuck_default=timedelta(minutes=10))
    platform.started(0, 2)
    assert find(300) == 1
    # The first was to be looked at after five minutes; now ten are chosen.
    assert said(STUCK) == []
    find(600)
    assert {data["step"]["index"] for data in said(STUCK)} == {1, 2}


def test_a_later_try_rings_anew_a_restart_does_not(platform: Platform) -> None:
    platform.started(0)
    find(1800)
    platform.started(2000)
    find(100_000)
    assert len(said(STUCK)) == 1
    platform.completed(100_001)
    platform.started(100_002)
    find(200_000)
    assert len(said(STUCK)) == 2


def test_a_stuck_step_that_is_completed_before_it_is_sent_is_not_sent(platform: Platform) -> None:
    platform.started(0)
    find(1800)
    route(1800)
    platform.completed(1801)
    taken = deliveries.lease(lane=Lane.DEFAULT, now=at(1802), limit=10)
    deliveries.drop(taken.objections, now=at(1802))
    assert not taken.leased
    assert [(row.state, row.reason) for row in Delivery.objects.all()] == [("cancelled", "moot")]


def test_a_limit_is_kept_and_the_longest_due_come_first(platform: Platform) -> None:
    for index in (3, 1, 2):
        platform.started(index, index)
    assert finder.find(now=at(6000), limit=2) == 2
    assert [data["step"]["index"] for data in said(STUCK)] == [1, 2]
    assert finder.find(now=at(6000), limit=2) == 1


def test_looking_when_nothing_is_due_takes_one_statement(platform: Platform) -> None:
    for index in range(1, 20):
        platform.started(index, index)
    # With the two that begin and end a savepoint within the test's transaction.
    assert taken_by(lambda: find(60)) == 1 + 2


@pytest.mark.parametrize(
    ("running", "watched", "stuck_at", "verdict"),
    [
        (True, True, 10, Verdict.STUCK),
        (True, True, 9, Verdict.STUCK),
        (True, True, 11, Verdict.NOT_YET),
        (False, True, 9, Verdict.NEVER),
        (True, False, 9, Verdict.NEVER),
    ],
)
def test_what_becomes_of_a_step(
    running: bool, watched: bool, stuck_at: float, verdict: Verdict
) -> None:
    found = finder.judge(running=running, watched=watched, stuck_at=at(stuck_at), now=at(10))
    assert found is verdict


def test_every_sweep_of_the_default_lane_looks(platform: Platform) -> None:
    platform.has_taken(*[120.0] * 9)
    platform.completed(0, duration_seconds=120)
    platform.started(10)
    chores.do(Lane.DEFAULT, clock=lambda: at(250))
    # The tenth is learned. The step that runs began without a history.
    assert platform.workflow.baselines.get().threshold_seconds == 240
    assert said(STUCK) == []
    chores.do(Lane.DEFAULT, clock=lambda: at(1810))
    platform.completed(1811)
    chores.do(Lane.DEFAULT, clock=lambda: at(1812))
    assert (len(said(STUCK)), len(said(RESUMED))) == (1, 1)
