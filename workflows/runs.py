"""Runs of workflows, built from events that come late, twice, and in any order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction

from channels_app import sources
from channels_app.models import Source
from workflows.models import Run, Workflow


def workflow(*, organization_id: int, external_id: str, name: str) -> int:
    """The id of a workflow, which is made if this is the first time that the platform names it."""
    known = sources.known(
        organization_id=organization_id,
        kind=Source.Kind.WORKFLOW,
        external_id=external_id,
        name=name,
    )
    if known is not None:
        return known
    key = {
        "organization_id": organization_id,
        "kind": Source.Kind.WORKFLOW,
        "external_id": external_id,
    }
    try:
        with transaction.atomic():
            return Workflow.objects.create(**key, name=name).pk
    except IntegrityError:
        return Source.objects.values_list("pk", flat=True).get(**key)


# Whatever arrives first makes the row; a terminal state stays; what was unknown is filled in.
UPSERT = """
    INSERT INTO workflows_run AS run (
        workflow_id, external_id, subject, steps, state, started_at, finished_at
    ) VALUES (%(workflow_id)s, %(external_id)s, %(subject)s, %(steps)s, %(state)s,
              %(started_at)s, %(finished_at)s)
    ON CONFLICT (workflow_id, external_id) DO UPDATE SET
        subject = CASE WHEN run.subject = '' THEN EXCLUDED.subject ELSE run.subject END,
        steps = COALESCE(run.steps, EXCLUDED.steps),
        started_at = COALESCE(run.started_at, EXCLUDED.started_at),
        state = CASE WHEN run.state = 'running' THEN EXCLUDED.state ELSE run.state END,
        finished_at = COALESCE(run.finished_at, EXCLUDED.finished_at)
    RETURNING steps, state
"""


def record(
    *, workflow_id: int, type: str, data: Mapping[str, Any], occurred_at: datetime
) -> dict[str, Any]:
    """Bring a run up to date with an event; answer what its banner needs beside the event.

    `steps` is the number of steps of the run, where anything has told it so far; `state` says that
    the run is over, for an event that reports it as still going on.
    """
    run = data["run"]
    finished = type == "workflow.run_finished"
    with connection.cursor() as cursor:
        cursor.execute(
            UPSERT,
            {
                "workflow_id": workflow_id,
                "external_id": run["id"],
                "subject": run.get("subject", ""),
                "steps": run.get("steps"),
                "state": data["status"] if finished else Run.State.RUNNING.value,
                "started_at": occurred_at if type == "workflow.run_started" else None,
                "finished_at": occurred_at if finished else None,
            },
        )
        steps, state = cursor.fetchone()
    facts: dict[str, Any] = {} if steps is None else {"steps": steps}
    if state != Run.State.RUNNING and not finished:
        facts["state"] = "finished"
    return facts
