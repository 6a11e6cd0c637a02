"""Runs of workflows, built from events that come late, twice, and in any order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from channels_app import sources
from channels_app.events import Change
from channels_app.models import Source
from workflows import steps
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


# Whatever arrives first makes the row. What was unknown is filled in. Of two starts the earlier one
# counts, and of two ends as well, whichever arrived first: a terminal state stays terminal. (In the
# same moment a failure does: a needless alarm is the smaller harm.)
FIRST_END = """
    EXCLUDED.finished_at IS NOT NULL AND (
        run.finished_at IS NULL
        OR (EXCLUDED.finished_at, EXCLUDED.state) < (run.finished_at, run.state)
    )
"""
RUN = f"""
    run AS (
        INSERT INTO workflows_run AS run (
            workflow_id, external_id, subject, steps, state, started_at, finished_at, told_seconds
        )
        SELECT source.id, %(subject)s::text, %(run_subject)s::text, %(steps)s::integer,
            %(run_state)s::text, %(started_at)s::timestamptz, %(finished_at)s::timestamptz,
            %(run_seconds)s::float8
        FROM source
        ON CONFLICT (workflow_id, external_id) DO UPDATE SET
            subject = CASE WHEN run.subject = '' THEN EXCLUDED.subject ELSE run.subject END,
            steps = GREATEST(run.steps, EXCLUDED.steps),
            started_at = LEAST(run.started_at, EXCLUDED.started_at),
            state = CASE WHEN {FIRST_END} THEN EXCLUDED.state ELSE run.state END,
            finished_at = CASE WHEN {FIRST_END} THEN EXCLUDED.finished_at ELSE run.finished_at END,
            told_seconds = CASE
                WHEN {FIRST_END} THEN EXCLUDED.told_seconds ELSE run.told_seconds END
        RETURNING id, workflow_id, steps, state, finished_at
    ),
"""
# What is over is stuck no more. (A step that starts at this very moment is left to the finder.) Not
# IS NOT NULL: that would be an invitation to walk through the index of all that is ever due.
UNWATCHED = """
    unwatched AS (
        UPDATE workflows_step SET due_at = NULL
        WHERE run_id = (SELECT id FROM run) AND num_nonnulls(due_at) = 1
    ),
"""


def _facts(overtaken: str, known: str = "run") -> str:
    """Answers the facts: `steps` is the number of steps of the run, where anything has told it so
    far; `state` says why there is nothing to tell of this event: the run is over, or something that
    was known before has said the same or more. (What came at the same moment is not looked for.)
    """
    return f"""
        SELECT jsonb_strip_nulls(jsonb_build_object(
            'steps', run.steps, 'state', CASE {overtaken} END
        )) AS facts
        FROM {known}
    """


OVER = "WHEN run.state <> 'running' THEN 'finished'"
STARTED_BEFORE = """
    EXISTS (SELECT FROM workflows_run old WHERE old.id = run.id AND old.started_at IS NOT NULL)
"""
ENDED_OTHERWISE = """
    (run.finished_at, run.state) <> (%(finished_at)s::timestamptz, %(run_state)s::text)
"""
ENDED_BEFORE = """
    EXISTS (
        SELECT FROM workflows_run old WHERE old.id = run.id
            AND (old.finished_at, old.state) = (%(finished_at)s::timestamptz, %(run_state)s::text)
    )
"""


def _progress(type: str, data: Mapping[str, Any], occurred_at: datetime) -> dict[str, Any]:
    run = data["run"]
    finished = type == "workflow.run_finished"
    return {
        "run_subject": run.get("subject", ""),
        "steps": run.get("steps"),
        "run_state": data["status"] if finished else Run.State.RUNNING.value,
        "run_seconds": data.get("duration_seconds") if finished else None,
        "started_at": occurred_at if type == "workflow.run_started" else None,
        "finished_at": occurred_at if finished else None,
    }


def _step_progress(type: str, data: Mapping[str, Any], occurred_at: datetime) -> dict[str, Any]:
    return {
        **_progress(type, data, occurred_at),
        **steps.parameters(type, data, occurred_at),
    }


# By type of event: each brings the run up to date that it is about, and the step.
CHANGES: Mapping[str, Change] = {
    "workflow.run_started": Change(
        _facts(f"{OVER} WHEN {STARTED_BEFORE} THEN 'superseded'"), _progress, RUN
    ),
    "workflow.run_finished": Change(
        _facts(f"WHEN {ENDED_OTHERWISE} OR {ENDED_BEFORE} THEN 'superseded'"),
        _progress,
        RUN + UNWATCHED,
    ),
    "workflow.step_started": Change(_facts(OVER), _step_progress, RUN + steps.STARTED),
    "workflow.step_completed": Change(
        _facts(f"{OVER} WHEN {steps.COMPLETED_BEFORE} THEN 'superseded'"),
        _step_progress,
        RUN + steps.COMPLETED,
    ),
    "workflow.step_stuck": Change(
        _facts(f"{OVER} WHEN step.id IS NULL THEN 'superseded'", "run LEFT JOIN step ON true"),
        _step_progress,
        RUN + steps.STUCK,
    ),
}
