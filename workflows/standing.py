"""How runs and their steps stand: whether there is anything left to tell of an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from channels_app.standing import Report
from workflows.models import Run, Step

FIND = """
    SELECT asked.event_id, run.state, run.finished_at,
        step.completed_at, step.alarm, step.stuck_at
    FROM unnest(%(events)s::bigint[], %(workflows)s::bigint[], %(runs)s::text[], %(steps)s::int[])
        asked (event_id, workflow_id, run, step)
    JOIN workflows_run run ON run.workflow_id = asked.workflow_id AND run.external_id = asked.run
    LEFT JOIN workflows_step step ON step.run_id = run.id AND step.index = asked.step
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """A run, and the step of it that an event is about, if it is and the step is known."""

    state: str
    finished_at: datetime | None
    completed_at: datetime | None = None
    alarm: str | None = None
    stuck_at: datetime | None = None


def overtaken(reports: Sequence[Report]) -> dict[int, str]:
    """The events among these that leave nothing to tell, by event: `finished` where what they tell
    of is over, `superseded` where another event has told it.
    """
    asked = [report for report in reports if report.source_id is not None]
    if not asked:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            FIND,
            {
                "events": [report.event_id for report in asked],
                "workflows": [report.source_id for report in asked],
                "runs": [report.subject for report in asked],
                "steps": [int(report.step) if report.step else None for report in asked],
            },
        )
        known = {event_id: Standing(*row) for event_id, *row in cursor.fetchall()}
    states = {
        report.event_id: state_of(report, known[report.event_id])
        for report in asked
        if report.event_id in known
    }
    return {event_id: state for event_id, state in states.items() if state is not None}


def state_of(report: Report, known: Standing) -> str | None:
    """What overtook an event, by how its run and step stand; None: it is as it says. Pure."""
    match report.type:
        case "workflow.run_finished":
            # Of two ends the first is the end.
            first = known.finished_at is None or known.finished_at >= report.occurred_at
            return None if first else "superseded"
        case "workflow.step_resumed":
            # It replaces a banner on the lock screen whatever became of the run, unless that banner
            # is true again.
            return "superseded" if known.alarm == Step.Alarm.STUCK else None
    if known.state != Run.State.RUNNING:
        return "finished"
    match report.type:
        case "workflow.step_stuck":
            if known.alarm == Step.Alarm.STUCK:
                return None if known.stuck_at == report.occurred_at else "superseded"
            # Of a step that an earlier release received, nothing is known but the event.
            return None if known.alarm is None else "finished"
        case "workflow.step_completed":
            later = known.completed_at is not None and known.completed_at > report.occurred_at
            return "superseded" if later else None
    return None
