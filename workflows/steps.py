"""Steps of runs, built from events that come late, twice, and in any order.

Each part here brings one step up to date, within the statement that stores the event, after `run`
has brought the run up to date and locked its row. What they decide by is the platform's clock, and
the newest version of the step's own row: a late event changes only what nothing later has said.

A step that starts says nothing of the others: platforms run steps beside each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from workflows.thresholds import DEFAULT_SECONDS, LEAST_SECONDS

# By which of a workflow's baselines a step is measured. `workflows.baselines` says it in Python.
BASELINE = "COALESCE(NULLIF(%(step_name)s::text, ''), '#' || %(step_index)s::integer)"

# `thresholds.patience`, from what the rows say.
PATIENCE = f"""
    GREATEST(
        COALESCE(baseline.floor_seconds, {LEAST_SECONDS}),
        COALESCE(
            baseline.threshold_seconds * workflow.stuck_factor,
            EXTRACT(EPOCH FROM COALESCE(workflow.stuck_default, policy.stuck_default))::float8,
            {DEFAULT_SECONDS}
        )
    )
"""

# A later start than any before begins a new try; an earlier one may be that of the try that is
# completed. What is heard late is given as much time as if it had begun when it was heard: its
# completion is probably as late. A restart of what is stuck and was never completed is the same
# trouble: nobody is told twice of it.
STARTED = f"""
    step AS (
        INSERT INTO workflows_step AS step (run_id, index, name, started_at, due_at)
        SELECT run.id, %(step_index)s::integer, %(step_name)s::text, %(occurred_at)s::timestamptz,
            CASE WHEN run.state = 'running' THEN
                %(now)s::timestamptz + make_interval(secs => {PATIENCE})
            END
        FROM run
        JOIN workflows_workflow workflow ON workflow.source_ptr_id = run.workflow_id
        LEFT JOIN workflows_stuckpolicy policy ON policy.organization_id = %(organization_id)s
        LEFT JOIN workflows_baseline baseline
            ON baseline.workflow_id = run.workflow_id AND baseline.step = {BASELINE}
        ON CONFLICT (run_id, index) DO UPDATE SET
            name = CASE WHEN step.name = '' THEN EXCLUDED.name ELSE step.name END,
            started_at = GREATEST(step.started_at, EXCLUDED.started_at),
            due_at = CASE
                WHEN EXCLUDED.started_at <= GREATEST(step.started_at, step.completed_at)
                    OR step.alarm = 'stuck'
                THEN step.due_at ELSE EXCLUDED.due_at END,
            duration_seconds = CASE
                WHEN step.duration_told OR EXCLUDED.started_at > step.completed_at
                THEN step.duration_seconds
                ELSE LEAST(
                    step.duration_seconds,
                    EXTRACT(EPOCH FROM step.completed_at - EXCLUDED.started_at)
                ) END,
            to_count = step.to_count OR (
                step.duration_seconds IS NULL AND EXCLUDED.started_at <= step.completed_at
            ) IS TRUE
    ),
"""

# Since the start that is known, unless that is the start of an earlier try.
BY_CLOCK = """
    CASE WHEN step.started_at <= EXCLUDED.completed_at
        AND (step.started_at >= step.completed_at) IS NOT FALSE
    THEN EXTRACT(EPOCH FROM EXCLUDED.completed_at - step.started_at) END
"""
NEWER = "(EXCLUDED.completed_at > step.completed_at) IS NOT FALSE"
# A start that is known now to be that of an earlier try says nothing of the last one.
NOT_ITS_START = """
    NOT step.duration_told AND EXCLUDED.completed_at < step.completed_at
        AND EXCLUDED.completed_at >= step.started_at
"""
NO_LONGER_STUCK = "step.alarm = 'stuck' AND EXCLUDED.completed_at > step.stuck_since"

COMPLETED = f"""
    step AS (
        INSERT INTO workflows_step AS step (
            run_id, index, name, completed_at, duration_seconds, duration_told, to_count
        )
        SELECT run.id, %(step_index)s::integer, %(step_name)s::text, %(occurred_at)s::timestamptz,
            %(step_seconds)s::float8, %(step_seconds)s IS NOT NULL, %(step_seconds)s IS NOT NULL
        FROM run
        ON CONFLICT (run_id, index) DO UPDATE SET
            name = CASE WHEN step.name = '' THEN EXCLUDED.name ELSE step.name END,
            completed_at = GREATEST(step.completed_at, EXCLUDED.completed_at),
            duration_seconds = CASE
                WHEN {NEWER} THEN COALESCE(EXCLUDED.duration_seconds, {BY_CLOCK})
                WHEN {NOT_ITS_START} THEN NULL
                ELSE step.duration_seconds END,
            duration_told = CASE
                WHEN {NEWER} THEN EXCLUDED.duration_told ELSE step.duration_told END,
            to_count = CASE
                WHEN {NEWER} THEN COALESCE(EXCLUDED.duration_seconds, {BY_CLOCK}) IS NOT NULL
                ELSE step.to_count END,
            due_at = CASE
                WHEN EXCLUDED.completed_at >= step.started_at THEN NULL
                -- Its next try has begun, which nobody has looked after so far.
                WHEN {NO_LONGER_STUCK} AND step.started_at > EXCLUDED.completed_at
                    AND (SELECT state FROM run) = 'running'
                THEN %(now)s::timestamptz
                ELSE step.due_at END,
            alarm = CASE WHEN {NO_LONGER_STUCK} THEN 'moved' ELSE step.alarm END,
            moved_at = CASE
                WHEN {NO_LONGER_STUCK} THEN EXCLUDED.completed_at ELSE step.moved_at END
    ),
"""

# No row is answered where there is nothing to tell: the step has been completed or begun anew
# since, or people have been told already. The row is locked when this is decided, so of two that
# say so at the same moment one is the first; the finder locks it as well.
STUCK = """
    step AS (
        INSERT INTO workflows_step AS step (
            run_id, index, name, alarm, stuck_at, stuck_since, stuck_told
        )
        SELECT run.id, %(step_index)s::integer, %(step_name)s::text, 'stuck',
            %(occurred_at)s::timestamptz,
            %(occurred_at)s::timestamptz - make_interval(secs => %(step_seconds)s::float8), true
        FROM run WHERE run.state = 'running'
        ON CONFLICT (run_id, index) DO UPDATE SET
            name = CASE WHEN step.name = '' THEN EXCLUDED.name ELSE step.name END,
            due_at = NULL,
            alarm = 'stuck',
            stuck_at = EXCLUDED.stuck_at,
            stuck_since = CASE
                WHEN (step.started_at >= step.completed_at) IS NOT FALSE
                THEN COALESCE(step.started_at, EXCLUDED.stuck_since) ELSE EXCLUDED.stuck_since END,
            stuck_told = true,
            moved_at = NULL
        WHERE step.alarm <> 'stuck'
            AND (step.completed_at >= EXCLUDED.stuck_at) IS NOT TRUE
            AND (step.started_at > EXCLUDED.stuck_at) IS NOT TRUE
        RETURNING id
    ),
"""

# As the statement found it: of two completions of the same try only the first has news.
COMPLETED_BEFORE = """
    EXISTS (
        SELECT FROM workflows_step old WHERE old.run_id = run.id
            AND old.index = %(step_index)s::integer
            AND old.completed_at >= %(occurred_at)s::timestamptz
    )
"""


def parameters(type: str, data: Mapping[str, Any], occurred_at: datetime) -> dict[str, Any]:
    """What the parts above name, beside what the event is."""
    step = data["step"]
    took = "running_seconds" if type == "workflow.step_stuck" else "duration_seconds"
    return {
        "step_index": step["index"],
        "step_name": step.get("name", ""),
        "step_seconds": step.get(took),
    }
