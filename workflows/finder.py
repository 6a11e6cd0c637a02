"""The finder: which steps have been running for too long, by the moment at which they do.

A step that starts is given the moment at which it would be stuck (`steps.STARTED`). Looking for
those whose moment has come is one walk through an index of nothing else, whatever the number of
steps that run. What is found is judged once more, by what is usual and chosen now.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from workflows import announcements
from workflows.announcements import NAMED, Place
from workflows.models import Run, Step
from workflows.thresholds import Usual, patience

# The run's row is locked as well: its end and the alarm come one after the other. What a webhook
# has locked at this moment is left to the next sweep.
DUE = f"""
    SELECT {NAMED}, step.started_at, step.completed_at, run.state,
        workflow.watched, workflow.stuck_factor,
        EXTRACT(EPOCH FROM COALESCE(workflow.stuck_default, policy.stuck_default))::float8,
        baseline.mean_seconds, baseline.median_seconds, baseline.floor_seconds,
        baseline.threshold_seconds
    FROM workflows_step step
    JOIN workflows_run run ON run.id = step.run_id
    JOIN workflows_workflow workflow ON workflow.source_ptr_id = run.workflow_id
    JOIN chatbot_source source ON source.id = run.workflow_id
    LEFT JOIN workflows_stuckpolicy policy ON policy.organization_id = source.organization_id
    LEFT JOIN workflows_baseline baseline ON baseline.workflow_id = run.workflow_id
        AND baseline.step = COALESCE(NULLIF(step.name, ''), '#' || step.index)
    WHERE step.due_at <= %(now)s
    ORDER BY step.due_at LIMIT %(limit)s
    FOR NO KEY UPDATE OF step, run SKIP LOCKED
"""
NAMES = 10  # columns of NAMED


class Verdict(Enum):
    """What becomes of a step whose moment has come."""

    STUCK = auto()
    NOT_YET = auto()
    """By what is usual or chosen now, it may still run for a while."""
    NEVER = auto()
    """It is over, its run is, or nobody wants to know."""


def find(*, now: datetime, limit: int) -> int:
    """Say of the steps that are stuck that they are; answer how many were looked at."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(DUE, {"now": now, "limit": limit})
            rows = cursor.fetchall()
        for row in rows:
            _look(Place(*row[:NAMES]), *row[NAMES:], now=now)
    return len(rows)


def _look(
    place: Place,
    started_at: datetime,
    completed_at: datetime | None,
    run_state: str,
    watched: bool,
    factor: float,
    default: float | None,
    *baseline: Any,
    now: datetime,
) -> None:
    usual = _usual(*baseline)
    stuck_at = started_at + timedelta(seconds=patience(usual, factor=factor, default=default))
    running = completed_at is None or started_at > completed_at
    match judge(
        running=running and run_state == Run.State.RUNNING,
        watched=watched,
        stuck_at=stuck_at,
        now=now,
    ):
        case Verdict.STUCK:
            _alarm(place, started_at=started_at, usual=usual, now=now)
        case Verdict.NOT_YET:
            Step.objects.filter(pk=place.step_id).update(due_at=stuck_at)
        case Verdict.NEVER:
            Step.objects.filter(pk=place.step_id).update(due_at=None)


def judge(*, running: bool, watched: bool, stuck_at: datetime, now: datetime) -> Verdict:
    """What becomes of it; `stuck_at`: the moment by what is usual and chosen now. Pure."""
    if not (running and watched):
        return Verdict.NEVER
    return Verdict.STUCK if stuck_at <= now else Verdict.NOT_YET


def _usual(
    mean: float | None, median: float | None, floor: float | None, threshold: float | None
) -> Usual | None:
    if mean is None or median is None or floor is None:
        return None
    return Usual(mean=mean, median=median, floor=floor, threshold=threshold)


def _alarm(place: Place, *, started_at: datetime, usual: Usual | None, now: datetime) -> None:
    """The average is named where it is one; of a few tries it would pretend to be."""
    known = usual is not None and usual.threshold is not None
    Step.objects.filter(pk=place.step_id).update(
        alarm=Step.Alarm.STUCK,
        stuck_at=now,
        stuck_since=F("started_at"),
        stuck_told=False,
        moved_at=None,
        due_at=None,
    )
    announcements.publish(
        "workflow.step_stuck",
        place,
        since=started_at,
        step={
            "running_seconds": max(0.0, (now - started_at).total_seconds()),
            **({"average_seconds": usual.mean} if usual and known else {}),
        },
        now=now,
    )
