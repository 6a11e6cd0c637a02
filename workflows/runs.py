"""Runs of workflows, built from events that come late, twice, and in any order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from channels_app import sources
from channels_app.event_types import CATALOGUE, Subject
from channels_app.events import Change
from channels_app.models import Source
from workflows.models import Run, Workflow


def workflow(*, organization_id: int, external_id: str, name: str) -> int:
    """The id of a workflow, which is made if this is the first time that the platform names it.

    Raises:
        sources.Vanished: the organization is no longer there.
    """
    return sources.known_or_made(
        organization_id=organization_id,
        kind=Source.Kind.WORKFLOW,
        external_id=external_id,
        name=name,
        make=_make,
    )


def _make(organization_id: int, external_id: str, name: str) -> int:
    return Workflow.objects.create(
        organization_id=organization_id,
        kind=Source.Kind.WORKFLOW,
        external_id=external_id,
        name=name,
    ).pk


# Whatever arrives first makes the row; a terminal state stays; what was unknown is filled in.
# The facts: `steps` is the number of steps of the run, where anything has told it so far; `state`
# says that the run is over, for an event that reports it as still going on.
UPSERT = """
    INSERT INTO workflows_run AS run (
        workflow_id, external_id, subject, steps, state, started_at, finished_at
    )
    SELECT source.id, %(subject)s::text, %(run_subject)s::text, %(steps)s::integer,
        %(run_state)s::text, %(started_at)s::timestamptz, %(finished_at)s::timestamptz
    FROM source
    ON CONFLICT (workflow_id, external_id) DO UPDATE SET
        subject = CASE WHEN run.subject = '' THEN EXCLUDED.subject ELSE run.subject END,
        steps = COALESCE(run.steps, EXCLUDED.steps),
        started_at = COALESCE(run.started_at, EXCLUDED.started_at),
        state = CASE WHEN run.state = 'running' THEN EXCLUDED.state ELSE run.state END,
        finished_at = COALESCE(run.finished_at, EXCLUDED.finished_at)
    RETURNING jsonb_strip_nulls(jsonb_build_object(
        'steps', steps,
        'state', CASE WHEN state <> 'running' AND %(run_state)s = 'running' THEN 'finished' END
    )) AS facts
"""


def _progress(type: str, data: Mapping[str, Any], occurred_at: datetime) -> dict[str, Any]:
    run = data["run"]
    finished = type == "workflow.run_finished"
    return {
        "run_subject": run.get("subject", ""),
        "steps": run.get("steps"),
        "run_state": data["status"] if finished else Run.State.RUNNING.value,
        "started_at": occurred_at if type == "workflow.run_started" else None,
        "finished_at": occurred_at if finished else None,
    }


# By type of event: each brings the run up to date that it is about.
CHANGES: Mapping[str, Change] = dict.fromkeys(
    (row.name for row in CATALOGUE.values() if row.subject is Subject.RUN),
    Change(UPSERT, _progress),
)
