"""Conversations that wait for a human, built from the platform's events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from claims.models import Conversation

# A first escalation makes the row. A later one opens a new epoch; one that happened before the
# last change we know of (a late arrival) changes nothing: the platform's clock has the last word.
# In the same second an escalation wins over an end: a needless banner is the smaller harm.
# What does not reach the bot's thresholds calls nobody, and is no escalation.
ESCALATE = """
    INSERT INTO claims_conversation AS known (
        organization_id, bot_id, external_id, customer_id, customer_name, state, epoch, changed_at
    )
    SELECT %s, source_ptr_id, %s, %s, %s, 'waiting', 1, %s FROM chatbot_bot
    WHERE source_ptr_id = %s AND unanswered_threshold <= %s AND tone_minimum <= %s
    ON CONFLICT (organization_id, external_id) DO UPDATE SET
        epoch = known.epoch + (
            EXCLUDED.changed_at > known.changed_at
            OR (EXCLUDED.changed_at = known.changed_at
                AND known.state IN ('with_bot', 'resolved'))
        )::int,
        state = CASE
            WHEN known.state <> 'claimed' AND EXCLUDED.changed_at >= known.changed_at
            THEN 'waiting' ELSE known.state END,
        changed_at = GREATEST(known.changed_at, EXCLUDED.changed_at),
        customer_id = COALESCE(NULLIF(known.customer_id, ''), EXCLUDED.customer_id),
        customer_name = COALESCE(NULLIF(known.customer_name, ''), EXCLUDED.customer_name)
    RETURNING id, epoch, state
"""

# A claim may overtake the escalation that it answers: then it makes the row, so that the escalation
# finds it claimed and calls nobody.
RECORD = """
    INSERT INTO claims_conversation AS known (
        organization_id, bot_id, external_id, customer_id, customer_name, state, epoch, changed_at
    ) VALUES (%s, %s, %s, %s, %s, %s, 1, %s)
    ON CONFLICT (organization_id, external_id) DO UPDATE SET
        state = EXCLUDED.state, changed_at = EXCLUDED.changed_at
    WHERE known.changed_at <= EXCLUDED.changed_at
"""

# Above every threshold: a customer who asks for a human is not weighed.
ALWAYS = 2_147_483_647

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

    That is the conversation's id and epoch, and its state where nobody is waited for after all;
    nothing for trouble that is below the bot's thresholds.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            ESCALATE,
            (
                organization_id,
                *_named(data),
                occurred_at,
                bot_id,
                data.get("consecutive_unanswered", ALWAYS),
                data.get("score", ALWAYS),
            ),
        )
        row = cursor.fetchone()
    if row is None:
        return {}
    conversation_id, epoch, state = row
    facts = {"conversation": conversation_id, "epoch": epoch}
    return facts if state == Conversation.State.WAITING else {**facts, "state": state}


def record(
    *,
    organization_id: int,
    bot_id: int,
    type: str,
    data: Mapping[str, Any],
    occurred_at: datetime,
) -> dict[str, Any]:
    """What the platform says became of a conversation, unless we know of something later."""
    state = AFTERWARDS.get(type)
    if state is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                RECORD, (organization_id, bot_id, *_named(data), state.value, occurred_at)
            )
    return {}


def _named(data: Mapping[str, Any]) -> tuple[str, str, str]:
    """The ids of the conversation and of its customer, and the customer's name."""
    conversation = data["conversation"]
    customer = conversation.get("customer") or {}
    return conversation["id"], customer.get("id", ""), customer.get("name", "")
