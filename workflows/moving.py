"""Moving again: what was called stuck goes on, or its run is over, and people are told.

It follows from the rows, whichever way they came to say so. The door marks a completed step; the
end of a run is seen by looking at the runs of what is stuck. So this costs as much as there is
stuck, and no event that ends something has to know who was told what.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction

from workflows import announcements
from workflows.announcements import NAMED, Place
from workflows.models import Run, Step

# Nobody waits any more for what has been stuck for so long: the run's end was never told.
FORGOTTEN = timedelta(days=30)

OVER = f"""
    SELECT {NAMED}, step.stuck_since,
        CASE WHEN step.alarm = 'moved' THEN step.moved_at ELSE run.finished_at END, run.state
    FROM workflows_step step
    JOIN workflows_run run ON run.id = step.run_id
    JOIN chatbot_source source ON source.id = run.workflow_id
    WHERE step.alarm IN ('stuck', 'moved')
        AND (step.alarm = 'moved' OR run.state <> 'running' OR step.stuck_at <= %(forgotten)s)
    ORDER BY step.stuck_at LIMIT %(limit)s
    FOR NO KEY UPDATE OF step SKIP LOCKED
"""


def tell(*, now: datetime, limit: int) -> int:
    """Say of what is stuck no more that it is not; answer of how many steps."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(OVER, {"forgotten": now - FORGOTTEN, "limit": limit})
            rows = cursor.fetchall()
        for *names, since, moved_at, run_state in rows:
            place = Place(*names)
            Step.objects.filter(pk=place.step_id).update(
                alarm=Step.Alarm.SETTLED, moved_at=moved_at
            )
            if moved_at is not None:
                _tell(place, since=since, moved_at=moved_at, run_state=run_state, now=now)
    return len(rows)


def _tell(
    place: Place, *, since: datetime, moved_at: datetime, run_state: str, now: datetime
) -> None:
    """A run that has failed is not said to go on, whatever became of the step."""
    failed = {"status": run_state} if run_state == Run.State.FAILURE else {}
    announcements.publish(
        "workflow.step_resumed",
        place,
        since=since,
        step={"duration_seconds": max(0.0, (moved_at - since).total_seconds())},
        now=now,
        **failed,
    )
