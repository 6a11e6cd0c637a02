"""Baselines: each workflow's steps, and how long they usually take.

The door only marks a completed step (`to_count`); the sweep adds what is marked, many at once, to
the last durations of its baseline. So webhooks never stand in line for the row of a baseline, and
each try counts once (docs/decisions/baselines.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection, transaction

from workflows import thresholds
from workflows.models import Baseline

# How many of the last durations count. Enough for a median and a MAD that stand still; few enough
# for a step that has become slower to be usual again after half as many.
WINDOW = 100
# Steps in one transaction, as a multiple of the limit, and transactions in one sweep.
STEPS = 5
ROUNDS = 10

# A try counts once: one that began before the end of the last that counted is the same again,
# reported by a second connection or corrected.
TAKE = """
    WITH taken AS (
        SELECT step.id, run.workflow_id, step.completed_at, step.duration_seconds,
            COALESCE(NULLIF(step.name, ''), '#' || step.index) AS name,
            step.counted_at IS NULL OR step.counted_at <= GREATEST(
                CASE WHEN step.started_at <= step.completed_at THEN step.started_at END,
                step.completed_at - make_interval(secs => step.duration_seconds)
            ) AS counts
        FROM workflows_step step JOIN workflows_run run ON run.id = step.run_id
        WHERE step.to_count
        ORDER BY step.id LIMIT %(limit)s
        FOR NO KEY UPDATE OF step SKIP LOCKED
    ), marked AS (
        UPDATE workflows_step step SET to_count = false,
            counted_at = CASE WHEN counts THEN taken.completed_at ELSE counted_at END
        FROM taken WHERE step.id = taken.id
        RETURNING step.id
    )
    SELECT workflow_id, name,
        array_agg(duration_seconds ORDER BY taken.completed_at) FILTER (WHERE counts), count(*)
    FROM taken JOIN marked USING (id)
    GROUP BY workflow_id, name
"""
LOCK = """
    SELECT * FROM workflows_baseline
    WHERE (workflow_id, step) IN (SELECT * FROM unnest(%s::bigint[], %s::text[]))
    ORDER BY workflow_id, step FOR NO KEY UPDATE
"""

Key = tuple[int, str]


def learn(*, now: datetime, limit: int) -> int:
    """Add completed steps to their baselines; answer how many that were."""
    found = 0
    for _ in range(ROUNDS):
        taken = _learn(now=now, limit=limit * STEPS)
        found += taken
        if taken < limit * STEPS:
            break
    return found


def _learn(*, now: datetime, limit: int) -> int:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(TAKE, {"limit": limit})
            rows = cursor.fetchall()
        fresh = {(workflow, name): durations for workflow, name, durations, _ in rows if durations}
        _add(fresh, now=now)
    return sum(row[3] for row in rows)


def _add(fresh: Mapping[Key, Sequence[float]], *, now: datetime) -> None:
    if not fresh:
        return
    # In the same order by everyone, so that two wait for each other in one direction only.
    keys = sorted(fresh)
    known = _lock(keys)
    if missing := [key for key in keys if key not in known]:
        Baseline.objects.bulk_create(
            (_begun(key, now=now) for key in missing), ignore_conflicts=True
        )
        known = _lock(keys)
    for key in keys:
        _extend(known[key], fresh[key], now=now)


def _lock(keys: Sequence[Key]) -> dict[Key, Baseline]:
    workflows, names = zip(*keys, strict=True)
    found = Baseline.objects.raw(LOCK, [list(workflows), list(names)])
    return {(one.workflow_id, one.step): one for one in found}


def _begun(key: Key, *, now: datetime) -> Baseline:
    """A baseline that knows nothing yet."""
    workflow_id, step = key
    return Baseline(
        workflow_id=workflow_id,
        step=step,
        mean_seconds=0,
        median_seconds=0,
        floor_seconds=thresholds.LEAST_SECONDS,
        changed_at=now,
    )


def _extend(baseline: Baseline, durations: Sequence[float], *, now: datetime) -> None:
    baseline.durations = [*baseline.durations, *durations][-WINDOW:]
    baseline.completed += len(durations)
    usual = thresholds.usual(baseline.durations)
    baseline.mean_seconds = usual.mean
    baseline.median_seconds = usual.median
    baseline.floor_seconds = usual.floor
    baseline.threshold_seconds = usual.threshold
    baseline.changed_at = now
    baseline.save()
