"""Fills a database with runs and times the sweep's chores: `python -m bench.finder_side ROUNDS`.

A script of its own, run with Pushbridge's settings.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pushbridge.settings")
django.setup()

# Models can be imported only once Django knows its applications.
from django.db import connection  # noqa: E402

from channels_app.chores import LIMIT  # noqa: E402
from channels_app.models import Event, Organization, Source  # noqa: E402
from workflows import baselines, finder, moving, thresholds  # noqa: E402
from workflows.models import Baseline, Step, Workflow  # noqa: E402

SIZES = (1_000, 10_000, 100_000)
WORKFLOWS = 20
DUE = 10
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEADS = ("running steps", "none due", f"{DUE} due", "nothing to learn", "nothing moves")

SEED = """
    WITH run AS (
        INSERT INTO workflows_run (
            workflow_id, external_id, subject, state, started_at
        )
        SELECT (%(workflows)s::bigint[])[1 + number %% %(count)s], 'run_' || number, '', 'running',
            %(now)s::timestamptz - interval '1 minute'
        FROM generate_series(1, %(size)s) number
        RETURNING id, started_at
    )
    INSERT INTO workflows_step (
        run_id, index, name, started_at, completed_at, duration_seconds, counted_at, due_at
    )
    SELECT id, index, 'Step ' || index, started_at + index * interval '10 seconds',
        CASE WHEN index < 4 THEN started_at + (index + 1) * interval '10 seconds' END,
        CASE WHEN index < 4 THEN 10 END,
        CASE WHEN index < 4 THEN started_at + (index + 1) * interval '10 seconds' END,
        CASE WHEN index = 4 THEN %(now)s::timestamptz + random() * interval '1 hour' END
    FROM run, generate_series(1, 4) index
"""


def seed(size: int) -> None:
    """As many runs, each in its fourth step."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE chatbot_organization, workflows_run CASCADE")
        organization = Organization.objects.create(name="Bench", slug="bench")
        ids = [_workflow(organization, number).pk for number in range(WORKFLOWS)]
        cursor.execute(SEED, {"workflows": ids, "count": WORKFLOWS, "size": size, "now": NOW})
        cursor.execute("VACUUM ANALYZE")


def _workflow(organization: Organization, number: int) -> Workflow:
    workflow = Workflow.objects.create(
        organization=organization,
        kind=Source.Kind.WORKFLOW,
        external_id=f"wf_{number}",
        name=f"Workflow {number}",
    )
    durations = [10.0] * 20
    usual = thresholds.usual(durations)
    for index in range(1, 5):
        Baseline.objects.create(
            workflow=workflow,
            step=f"Step {index}",
            durations=durations,
            completed=len(durations),
            mean_seconds=usual.mean,
            median_seconds=usual.median,
            floor_seconds=usual.floor,
            threshold_seconds=usual.threshold,
            changed_at=NOW,
        )
    return workflow


def none_due() -> None:
    """The finder, in vain."""
    assert finder.find(now=NOW, limit=LIMIT) == 0


def some_due() -> None:
    """The finder, with alarms to raise."""
    assert finder.find(now=NOW + timedelta(hours=-1), limit=LIMIT) == DUE


def arm() -> None:
    """Let some steps that run be due, an hour ago and for long."""
    ids = Step.objects.filter(due_at__gt=NOW).values_list("pk", flat=True)[:DUE]
    long_ago = NOW - timedelta(hours=2)
    Step.objects.filter(pk__in=list(ids)).update(started_at=long_ago, due_at=long_ago)


def timed(work: Callable[[], object], *, rounds: int, before: Callable[[], object]) -> str:
    """Milliseconds: the median, and the longest."""
    found = []
    for _ in range(rounds):
        before()
        start = time.perf_counter()
        work()
        found.append((time.perf_counter() - start) * 1000)
    return f"{statistics.median(found):.1f} ({max(found):.1f})"


def nothing() -> None:
    """Nothing is to be prepared."""


def main(rounds: int) -> None:
    """Print the table."""
    print(f"| {' | '.join(HEADS)} |\n|{'---:|' * len(HEADS)}")
    for size in SIZES:
        seed(size)
        none_due()
        cells = [
            f"{size:,}",
            timed(none_due, rounds=rounds, before=nothing),
            timed(some_due, rounds=rounds, before=arm),
            timed(lambda: baselines.learn(now=NOW, limit=LIMIT), rounds=rounds, before=nothing),
            timed(lambda: moving.tell(now=NOW, limit=LIMIT), rounds=rounds, before=nothing),
        ]
        stuck = Event.objects.filter(type="workflow.step_stuck").count()
        assert stuck == DUE * rounds
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
