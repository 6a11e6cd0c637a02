"""Whatever the order in which a run's events come, how often, and which of them are lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels_app import cases
from channels_app.links import identity
from channels_app.models import Notification
from tests.examples import EXAMPLES
from tests.workflows.platform import (
    COMPLETED,
    RUN_FINISHED,
    RUN_STARTED,
    STARTED,
    STUCK,
    Platform,
    at,
    route,
    told,
)
from workflows.models import Run, Step

# When all of it is received.
LATE = 100_000
runs = count()


@dataclass(frozen=True, slots=True)
class Report:
    """One event of a run, in seconds."""

    type: str
    at: int
    index: int = 0
    told: float | None = None
    """The duration, or how long it has been running, as the platform says."""
    status: str = ""

    def send(self, platform: Platform, run: str, *, twice: bool) -> int:
        """Receive it; `twice`: with the id that it had before. Answers the event."""
        data: dict[str, Any] = {"run": {"id": run, "steps": 4}}
        if self.index:
            name = "running_seconds" if self.type == STUCK else "duration_seconds"
            took = {} if self.told is None else {name: self.told}
            data["step"] = {"index": self.index, "name": f"Step {self.index}", **took}
        if self.status:
            data["status"] = self.status
        key = f"{run} {self}" if twice else ""
        return platform.report(self.type, self.at, received=LATE, webhook_id=key, **data).pk


@st.composite
def histories(draw: st.DrawFn) -> list[Report]:
    """A run of a few steps, some of them tried again, some stuck, some never completed."""
    seconds = count(1)
    reports = [Report(RUN_STARTED, 0)]
    for index in range(1, draw(st.integers(1, 4)) + 1):
        says = draw(st.booleans())
        for _ in range(draw(st.integers(1, 2))):
            start = next(seconds)
            reports.append(Report(STARTED, start, index))
            if draw(st.booleans()):
                stuck = next(seconds)
                reports.append(Report(STUCK, stuck, index, stuck - start))
            if draw(st.integers(0, 5)):
                end = next(seconds)
                reports.append(Report(COMPLETED, end, index, end - start if says else None))
    if draw(st.integers(0, 3)):
        status = draw(st.sampled_from(["success", "failure"]))
        reports.append(Report(RUN_FINISHED, next(seconds), status=status))
    return reports


@dataclass(frozen=True, slots=True)
class Arrival:
    """What of a history arrives, in which order."""

    reports: tuple[Report, ...]
    lost: frozenset[Report]


@st.composite
def arrivals(draw: st.DrawFn) -> Arrival:
    history = draw(histories())
    lost = draw(st.sets(st.sampled_from(history), max_size=3)) if draw(st.booleans()) else set()
    arriving = [report for report in history if report not in lost]
    again = draw(st.lists(st.sampled_from(arriving), max_size=4)) if arriving else []
    return Arrival(tuple(draw(st.permutations([*arriving, *again]))), frozenset(lost))


def receive(platform: Platform, reports: Sequence[Report]) -> tuple[str, list[bool]]:
    """The run, and of each report whether it was news: stored, and pushed to the follower."""
    run = f"run_{next(runs)}"
    pushed = []
    for number, report in enumerate(reports):
        event_id = report.send(platform, run, twice=True)
        route(LATE)
        outcome = Notification.objects.filter(event=event_id).values_list("outcome", flat=True)
        pushed.append(report not in reports[:number] and list(outcome) == ["pushed"])
    return run, pushed


def state(run: str, *, durations: bool) -> tuple[Any, ...]:
    """All that is known of a run in the end, but when and how alarms were raised on the way."""
    row = Run.objects.get(external_id=run)
    # A report that a step is stuck makes its row only if it is news.
    known = Step.objects.filter(run=row).exclude(started_at=None, completed_at=None)
    return (
        (row.state, row.steps, row.started_at, row.finished_at),
        [
            (
                step.index,
                step.name,
                step.started_at,
                step.completed_at,
                step.duration_seconds if durations and not is_running(step) else None,
            )
            for step in known.order_by("index")
        ],
    )


def is_running(step: Step) -> bool:
    started, completed = step.started_at, step.completed_at
    return started is not None and (completed is None or started > completed)


def is_news(report: Report, before: Sequence[Report], pushed: Sequence[Report]) -> bool:
    """Whether people are to be told, by what arrived before and what they were told of that."""
    if report in before or report.type == STARTED:
        return False
    if report.type == RUN_FINISHED:
        return True
    if any(one.type == RUN_FINISHED for one in before):
        return False
    mine = [one for one in before if one.index == report.index]
    ends = [one.at for one in mine if one.type == COMPLETED]
    match report.type:
        case "workflow.step_completed":
            return not any(end >= report.at for end in ends)
        case "workflow.step_stuck":
            starts = [one.at for one in mine if one.type == STARTED]
            alarms = [
                one.at - (one.told or 0)
                for one in pushed
                if one.type == STUCK and one.index == report.index
            ]
            # An alarm is over when a completion that is later than its try's start has arrived.
            is_open = any(not any(end > since for end in ends) for since in alarms)
            overtaken = any(moment > report.at for moment in [*ends, *starts])
            return not is_open and not overtaken
    return True


@pytest.fixture
def platform(db: None) -> Platform:
    platform = Platform()
    platform.wants(COMPLETED)
    return platform


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrival=arrivals())
def test_the_end_is_the_same_and_people_hear_what_they_should(
    platform: Platform, arrival: Arrival
) -> None:
    if not arrival.reports:
        return
    in_order = sorted(set(arrival.reports), key=lambda report: report.at)
    expected, _ = receive(platform, in_order)
    run, pushed = receive(platform, arrival.reports)

    # How long a try took of which something was lost may be known in one order, not in another.
    durations = not any(report.type in (STARTED, COMPLETED) for report in arrival.lost)
    assert state(run, durations=durations) == state(expected, durations=durations)
    for number, report in enumerate(arrival.reports):
        before = arrival.reports[:number]
        told_before = [one for one, was in zip(before, pushed, strict=False) if was]
        assert pushed[number] == is_news(report, before, told_before)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrival=arrivals())
def test_what_runs_is_watched_and_nothing_else(platform: Platform, arrival: Arrival) -> None:
    if not arrival.reports:
        return
    run, _ = receive(platform, arrival.reports)
    row = Run.objects.get(external_id=run)
    for step in Step.objects.filter(run=row):
        watched = is_running(step) and row.state == "running" and step.alarm != "stuck"
        assert (step.due_at is not None) == watched


BY_TYPE = {
    example.type: example
    for example in EXAMPLES
    if example.data.get("run", {}).get("id") == "run_501"
}


@pytest.mark.parametrize("order", list(permutations([RUN_STARTED, COMPLETED, RUN_FINISHED])))
def test_the_examples_give_their_banners_in_every_order(
    platform: Platform, order: tuple[str, ...]
) -> None:
    for type in order:
        data = {**BY_TYPE[type].data}
        data.pop("workflow")
        platform.workflow.name = "Lead enrichment"
        platform.report(type, 0 if type == RUN_STARTED else 252, **data)
        route(252)
    heard = order[: order.index(RUN_FINISHED) + 1]
    without_number = order.index(COMPLETED) < order.index(RUN_STARTED)
    expected = [
        (
            BY_TYPE[type].title,
            BY_TYPE[type].body.replace(" of 4", "")
            if type == COMPLETED and without_number
            else BY_TYPE[type].body,
        )
        for type in heard
    ]
    assert told() == expected
    run = Run.objects.get()
    assert (run.state, run.steps, run.started_at, run.finished_at) == ("success", 4, at(0), at(252))
    assert run.duration_seconds == 252


def test_the_finished_banner_takes_the_place_of_the_started_one(platform: Platform) -> None:
    events = [platform.report(RUN_STARTED, 0), platform.stuck(1), platform.finished(2)]
    found = cases.read([event.pk for event in events])
    started, stuck, finished = (identity(case.about).collapse_key for case in found)
    assert started == finished != stuck
