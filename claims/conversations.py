"""Conversations that wait for a human, built from the platform's events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from channels_app.event_types import CATALOGUE, Channel
from channels_app.events import Change
from claims.models import Conversation

# A first escalation makes the row. A later one opens a new epoch; one that happened before the
# last change we know of (a late arrival) changes nothing: the platform's clock has the last word.
# In the same second an escalation wins over an end: a needless banner is the smaller harm.
# What does not reach the bot's thresholds calls nobody, and is no escalation: it makes no row, and
# the event has no facts. Otherwise they are the conversation's id and epoch, and its state where
# nobody is waited for after all.
ESCALATE = """
    INSERT INTO claims_conversation AS known (
        organization_id, bot_id, external_id, customer_id, customer_name, state, epoch, changed_at
    )
    SELECT %(organization_id)s::bigint, source.id, %(subject)s::text, %(customer_id)s::text,
        %(customer_name)s::text, 'waiting', 1, %(occurred_at)s::timestamptz
    FROM source JOIN chatbot_bot ON source_ptr_id = source.id
    WHERE unanswered_threshold <= %(consecutive_unanswered)s::integer
        AND tone_minimum <= %(score)s::double precision
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
    RETURNING jsonb_strip_nulls(jsonb_build_object(
        'conversation', id, 'epoch', epoch, 'state', NULLIF(state, 'waiting')
    )) AS facts
"""

# What the platform says became of a conversation, unless we know of something later.
# A claim may overtake the escalation that it answers: then it makes the row, so that the escalation
# finds it claimed and calls nobody.
RECORD = """
    INSERT INTO claims_conversation AS known (
        organization_id, bot_id, external_id, customer_id, customer_name, state, epoch, changed_at,
        claimed_at
    )
    SELECT %(organization_id)s::bigint, source.id, %(subject)s::text, %(customer_id)s::text,
        %(customer_name)s::text, %(conversation_state)s::text, 1, %(occurred_at)s::timestamptz,
        CASE WHEN %(conversation_state)s = 'claimed' THEN %(occurred_at)s::timestamptz END
    FROM source
    ON CONFLICT (organization_id, external_id) DO UPDATE SET
        state = EXCLUDED.state, changed_at = EXCLUDED.changed_at,
        claimed_at = EXCLUDED.claimed_at, holder_id = NULL, holder_external_id = '',
        holder_name = '', lease_until = NULL, next_wave_at = NULL
    WHERE known.changed_at <= EXCLUDED.changed_at
    RETURNING '{}'::jsonb AS facts
"""

# Above every threshold: a customer who asks for a human is not weighed.
ALWAYS = 2_147_483_647

AFTERWARDS = {
    "conversation.claimed": Conversation.State.CLAIMED,
    "conversation.released": Conversation.State.WAITING,
    "conversation.handed_back": Conversation.State.WITH_BOT,
    "conversation.resolved": Conversation.State.RESOLVED,
}


def _trouble(type: str, data: Mapping[str, Any], occurred_at: datetime) -> dict[str, Any]:
    return {
        **_customer(data),
        "consecutive_unanswered": data.get("consecutive_unanswered", ALWAYS),
        "score": data.get("score", ALWAYS),
    }


def _outcome(type: str, data: Mapping[str, Any], occurred_at: datetime) -> dict[str, Any]:
    return {**_customer(data), "conversation_state": AFTERWARDS[type].value}


def _customer(data: Mapping[str, Any]) -> dict[str, Any]:
    customer = data["conversation"].get("customer") or {}
    return {"customer_id": customer.get("id", ""), "customer_name": customer.get("name", "")}


# By type of event. A message that is not in here changes no conversation.
CHANGES: Mapping[str, Change] = {
    **dict.fromkeys(
        (row.name for row in CATALOGUE.values() if row.channel is Channel.ESCALATION),
        Change(ESCALATE, _trouble),
    ),
    **dict.fromkeys(AFTERWARDS, Change(RECORD, _outcome)),
}
