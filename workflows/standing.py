"""How runs stand: whether there is anything left to tell of one."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from channels_app.standing import Report

FINISHED = "workflow.run_finished"
FIND = """
    SELECT workflow_id, external_id FROM workflows_run
    WHERE state <> 'running' AND (workflow_id, external_id) IN (
        SELECT * FROM unnest(%(workflows)s::bigint[], %(runs)s::text[])
    )
"""


def overtaken(reports: Sequence[Report]) -> dict[int, str]:
    """The events among these that tell of a run as going on which is over, by event."""
    ongoing = [one for one in reports if one.type != FINISHED and one.source_id is not None]
    if not ongoing:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            FIND,
            {
                "workflows": [report.source_id for report in ongoing],
                "runs": [report.subject for report in ongoing],
            },
        )
        over = set(cursor.fetchall())
    return {one.event_id: "finished" for one in ongoing if (one.source_id, one.subject) in over}
