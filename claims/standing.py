"""How conversations stand: whether a call for a human still calls anybody."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from channels_app.standing import Report
from claims.models import Conversation

FIND = """
    SELECT organization_id, external_id, state, epoch FROM claims_conversation
    WHERE (organization_id, external_id) IN (
        SELECT * FROM unnest(%(organizations)s::bigint[], %(subjects)s::text[])
    )
"""


def overtaken(reports: Sequence[Report]) -> dict[int, str]:
    """The escalations among these events that are answered or of an earlier round, by event."""
    calls = [report for report in reports if "epoch" in report.facts]
    if not calls:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            FIND,
            {
                "organizations": [call.organization_id for call in calls],
                "subjects": [call.subject for call in calls],
            },
        )
        known = {(row[0], row[1]): (row[2], row[3]) for row in cursor.fetchall()}
    states: dict[int, str] = {}
    for call in calls:
        state, epoch = known.get((call.organization_id, call.subject), ("waiting", 0))
        if epoch > call.facts["epoch"]:
            states[call.event_id] = "superseded"
        elif state != Conversation.State.WAITING:
            states[call.event_id] = state
    return states
