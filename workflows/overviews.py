"""How a workflow does: its last runs, and what of it runs now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

from workflows import expectations
from workflows.expectations import Expectations
from workflows.models import Run, Step, Workflow

# A picture shows so many runs, and the success rate is about them.
LAST_RUNS = 50
# What runs is looked for among so many of the newest runs: nothing has to be counted through.
LOOKED_THROUGH = 500
MOST_RUNNING = 50


@dataclass(frozen=True, slots=True)
class Running:
    """A step that runs now."""

    run: str
    """The platform's id."""
    run_pk: int
    index: int
    name: str
    started_at: datetime
    stuck_at: datetime | None
    """When it was called stuck, if it is."""
    stuck_from: datetime | None
    """When it is to be called stuck, unless it is; None: nobody looks."""


@dataclass(frozen=True, slots=True)
class Overview:
    """A workflow at a glance.

    Attributes:
        runs: the last ones, the oldest first.
        running: steps that run now, those that have been running longest first.
    """

    runs: Sequence[Run]
    running: Sequence[Running]
    expectations: Expectations

    @property
    def successes(self) -> int:
        return sum(run.state == Run.State.SUCCESS for run in self.runs)

    @property
    def failures(self) -> int:
        return sum(run.state == Run.State.FAILURE for run in self.runs)

    @property
    def success_rate(self) -> float | None:
        """Of the runs that are over; None: none is."""
        over = self.successes + self.failures
        return self.successes / over if over else None


def read(workflow: Workflow) -> Overview:
    """Four queries."""
    newest = Run.objects.filter(workflow=workflow.pk).order_by("-pk")
    known = expectations.of(workflow)
    return Overview(
        runs=list(newest[:LAST_RUNS])[::-1],
        running=_running(workflow, known),
        expectations=known,
    )


def _running(workflow: Workflow, known: Expectations) -> list[Running]:
    recent = Run.objects.filter(workflow=workflow.pk).order_by("-pk").values("pk")[:LOOKED_THROUGH]
    steps = (
        Step.objects.filter(
            Q(completed_at=None) | Q(started_at__gt=F("completed_at")),
            run__in=recent,
            run__state=Run.State.RUNNING,
            started_at__isnull=False,
        )
        .select_related("run")
        .order_by("started_at", "pk")[:MOST_RUNNING]
    )
    return [_as_running(step, known) for step in steps]


def _as_running(step: Step, known: Expectations) -> Running:
    assert step.started_at is not None
    stuck = step.stuck_at if step.alarm == Step.Alarm.STUCK else None
    awaited = known.watched and stuck is None
    return Running(
        run=step.run.external_id,
        run_pk=step.run_id,
        index=step.index,
        name=step.name,
        started_at=step.started_at,
        stuck_at=stuck,
        stuck_from=known.of(step.index, step.name).stuck_from(step.started_at) if awaited else None,
    )
