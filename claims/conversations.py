"""Conversations that wait for a human, built from the platform's events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from claims.models import Conversation

# A first escalation makes the row. A later one opens a new epoch; one that happened before the
# last change we know of (a late arrival) changes nothing: the platform's clock has the last word.
ESCALATE = """
    INSERT INTO claims_conversation AS known (
        organization_id, bot_id, external_id, customer_id, customer_name, state, epoch, changed_at
    ) VALUES (%s, %s, %s, %s, %s, 'waiting', 1, %s)
    ON CONFLICT (organization_id, external_id) DO UPDATE SET
        epoch = known.epoch + (EXCLUDED.changed_at > known.changed_at)::int,
        state = CASE
            WHEN EXCLUDED.changed_at > known.changed_at AND known.state <> 'claimed'
            THEN 'waiting' ELSE known.state END,
        changed_at = GREATEST(known.changed_at, EXCLUDED.changed_at)
    RETURNING id, epoch, state
"""

AFTERWARDS = {
    "conversation.claimed": Conversation.State.CLAIMED,
    "conversation.released": Conversation.State.WAITING,
    "conversation.handed_back": Conversation.State.WITH_BOT,
    "conversation.resolved": Conversation.State.RESOLVED,
}


def escalate(
    *, organization_id: int, bot_id: int, data: Mapping[str, Any], occurred_at: datetime
) -> dict[str, Any]:
    """A customer needs a human: open (or reopen) the conversation; answer what its banner needs.

    That is the conversation's id and epoch, and its state where nobody is waited for after all.
    """
    conversation = data["conversation"]
    customer = conversation.get("customer") or {}
    with connection.cursor() as cursor:
        cursor.execute(
            ESCALATE,
            (
                organization_id,
                bot_id,
                conversation["id"],
                customer.get("id", ""),
                customer.get("name", ""),
                occurred_at,
            ),
        )
        conversation_id, epoch, state = cursor.fetchone()
    facts = {"conversation": conversation_id, "epoch": epoch}
    return facts if state == Conversation.State.WAITING else {**facts, "state": state}


def record(
    *, organization_id: int, type: str, data: Mapping[str, Any], occurred_at: datetime
) -> dict[str, Any]:
    """What the platform says became of a conversation that we know; an unknown one is no matter."""
    state = AFTERWARDS.get(type)
    if state is not None:
        Conversation.objects.filter(
            organization_id=organization_id,
            external_id=data["conversation"]["id"],
            changed_at__lte=occurred_at,
        ).update(state=state, changed_at=occurred_at)
    return {}
