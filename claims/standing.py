"""How conversations stand: whether a call for a human still calls anybody, and whether it is still
true what a banner is replaced by.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from channels_app.standing import Report
from claims.models import Conversation

FIND = """
    SELECT organization_id, external_id, state, epoch, holder_id FROM claims_conversation
    WHERE (organization_id, external_id) IN (
        SELECT * FROM unnest(%(organizations)s::bigint[], %(subjects)s::text[])
    )
"""


# What became of a conversation, by the event that says so.
SAID = {
    "conversation.claimed": Conversation.State.CLAIMED,
    "conversation.handed_back": Conversation.State.WITH_BOT,
    "conversation.resolved": Conversation.State.RESOLVED,
}


def overtaken(reports: Sequence[Report]) -> dict[int, str]:
    """The events among these that are overtaken, by event: calls for a human that are answered or
    of an earlier round, and answers that no longer hold.
    """
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
        known = {(row[0], row[1]): row[2:] for row in cursor.fetchall()}
    states: dict[int, str] = {}
    for call in calls:
        standing = known.get((call.organization_id, call.subject))
        if standing is not None and (state := _past(call, *standing)):
            states[call.event_id] = state
    return states


def _past(call: Report, state: str, epoch: int, holder: int | None) -> str | None:
    """The state that has overtaken an event, where one has."""
    if epoch > call.facts["epoch"]:
        return "superseded"
    if call.type in SAID:
        return None if state == SAID[call.type] else "superseded"
    if state == Conversation.State.WAITING:
        return None
    if state == Conversation.State.CLAIMED and holder and call.facts.get("holder") == holder:
        return None  # It came while they held it, and is for them.
    return state
