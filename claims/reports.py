"""What the platform says became of a conversation: claimed, released, ended; and who writes in it.

Reports come late, twice and in any order, so each is weighed against the moments that are known:
of the claim that holds it (`claimed_at`), of the last leaving (`left_at`: released, handed back or
resolved), and of the last call (`waiting_since`). What is older than the moment that it would undo
is late, and changes nothing but what is known. In one and the same second an end wins over a claim
(who answers fast may), a claim over a release (so a conversation may be passed on), and a call or a
release over an end: a needless banner is the smaller harm.

The facts of a report that changed something are the conversation, its round and who holds it; of
one that came too late there are none, and nobody is told of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from channels_app.events import Change
from claims.customers import customer
from claims.ladder_terms import TERMS
from claims.models import Conversation

_FACTS = "jsonb_strip_nulls(jsonb_build_object('conversation', id, 'epoch', epoch, 'holder', {}))"
_NO_FACTS = "'{}'::jsonb"

# A claim may overtake the call that it answers: then it makes the row, so that the call finds it
# claimed and rings nobody. A member whom Pushbridge gave the conversation keeps it (only reported
# holders have an external id here); another agent of the platform has it from their later claim on.
# Who takes it from the bot, without a call, opens a round.
_CLAIM = f"""
    WITH terms AS ({TERMS})
    INSERT INTO claims_conversation AS known (
        organization_id, bot_id, external_id, customer_id, customer_name, state, epoch, changed_at,
        holder_id, holder_external_id, holder_name, claimed_at, lease_until
    )
    SELECT %(organization_id)s::bigint, source.id, %(subject)s::text, %(customer_id)s::text,
        %(customer_name)s::text, 'claimed', 1, %(occurred_at)s::timestamptz,
        agent.id, %(agent_id)s::text, %(agent_name)s::text, %(occurred_at)s::timestamptz,
        %(now)s::timestamptz + terms.lease
    FROM source CROSS JOIN terms LEFT JOIN chatbot_membership agent
        ON agent.organization_id = %(organization_id)s::bigint
        AND agent.external_id = %(agent_id)s::text AND agent.external_id <> ''
    ON CONFLICT (organization_id, external_id) DO UPDATE SET
        state = 'claimed', epoch = known.epoch + (known.state IN ('with_bot', 'resolved'))::int,
        holder_id = EXCLUDED.holder_id, holder_external_id = EXCLUDED.holder_external_id,
        holder_name = EXCLUDED.holder_name, claimed_at = EXCLUDED.claimed_at,
        lease_until = EXCLUDED.lease_until, next_wave_at = NULL,
        changed_at = GREATEST(known.changed_at, EXCLUDED.changed_at)
    WHERE CASE known.state
        WHEN 'claimed' THEN EXCLUDED.claimed_at > known.claimed_at
            AND (known.holder_id IS NULL OR known.holder_external_id <> '')
        WHEN 'waiting' THEN EXCLUDED.claimed_at >= COALESCE(known.left_at, '-infinity')
        ELSE EXCLUDED.claimed_at > COALESCE(known.left_at, '-infinity')
    END
    RETURNING {_FACTS.format("holder_id")} AS facts
"""

# The platform may report back what we told it, with its own time. That must not undo what came
# after it here, unless its agent holds the conversation again.
_NOT_OUR_ECHO = """
    NOT EXISTS (
        SELECT FROM chatbot_event own
        WHERE own.source_id = known.bot_id AND own.subject = known.external_id
            AND own.occurred_at BETWEEN EXCLUDED.left_at - interval '1 minute'
                AND EXCLUDED.left_at + interval '1 minute'
            AND own.connection_id IS NULL AND own.type = %(type)s::text
            AND %(agent_id)s::text IN ('', own.payload #>> '{data,agent,id}')
    ) OR EXISTS (
        SELECT FROM chatbot_membership agent
        WHERE agent.id = known.holder_id AND agent.external_id = %(agent_id)s::text
    )
"""
_NOBODY = """
    holder_id = NULL, holder_external_id = '', holder_name = '', claimed_at = NULL,
    lease_until = NULL
"""

# Back to the pool: another round, whose first wave the ladder rings at once.
_RELEASE = f"""
    INSERT INTO claims_conversation AS known (
        organization_id, bot_id, external_id, customer_id, customer_name, state, epoch, changed_at,
        waiting_since, left_at, wave, next_wave_at
    )
    SELECT %(organization_id)s::bigint, source.id, %(subject)s::text, %(customer_id)s::text,
        %(customer_name)s::text, 'waiting', 1, %(occurred_at)s::timestamptz,
        %(occurred_at)s::timestamptz, %(occurred_at)s::timestamptz, 0, %(now)s::timestamptz
    FROM source
    ON CONFLICT (organization_id, external_id) DO UPDATE SET
        state = 'waiting', epoch = known.epoch + (known.state <> 'waiting')::int,
        wave = CASE known.state WHEN 'waiting' THEN known.wave ELSE 0 END,
        next_wave_at = CASE known.state
            WHEN 'waiting' THEN known.next_wave_at ELSE EXCLUDED.next_wave_at END,
        waiting_since = GREATEST(known.waiting_since, EXCLUDED.waiting_since),
        left_at = GREATEST(known.left_at, EXCLUDED.left_at), left_by_id = NULL, {_NOBODY},
        changed_at = GREATEST(known.changed_at, EXCLUDED.changed_at)
    WHERE CASE known.state
        WHEN 'claimed' THEN EXCLUDED.left_at > known.claimed_at
        WHEN 'waiting' THEN true
        ELSE EXCLUDED.left_at >= COALESCE(known.left_at, '-infinity')
    END AND ({_NOT_OUR_ECHO})
    RETURNING CASE WHEN wave = 0 AND next_wave_at = %(now)s::timestamptz
        THEN {_FACTS.format("NULL::bigint")} ELSE {_NO_FACTS} END AS facts
"""

# Back to the bot, or over. A call later than this end, which rang the holder alone while somebody
# held the conversation, is rung for all now.
_END = f"""
    INSERT INTO claims_conversation AS known (
        organization_id, bot_id, external_id, customer_id, customer_name, state, epoch, changed_at,
        left_at
    )
    SELECT %(organization_id)s::bigint, source.id, %(subject)s::text, %(customer_id)s::text,
        %(customer_name)s::text, %(end)s::text, 1, %(occurred_at)s::timestamptz,
        %(occurred_at)s::timestamptz
    FROM source
    ON CONFLICT (organization_id, external_id) DO UPDATE SET
        (state, epoch, wave, next_wave_at) = (
            SELECT CASE WHEN stays OR calls THEN 'waiting' ELSE EXCLUDED.state END,
                known.epoch + calls::int,
                CASE WHEN calls THEN 0 ELSE known.wave END,
                CASE WHEN calls THEN %(now)s::timestamptz WHEN stays THEN known.next_wave_at END
            FROM (
                SELECT known.state = 'waiting'
                        AND EXCLUDED.left_at <= COALESCE(known.waiting_since, '-infinity') AS stays,
                    known.state = 'claimed' AND COALESCE(
                        known.waiting_since >= EXCLUDED.left_at
                            AND known.waiting_since > known.claimed_at,
                        false
                    ) AS calls
            ) AS end_of_round
        ),
        left_at = GREATEST(known.left_at, EXCLUDED.left_at), left_by_id = NULL, {_NOBODY},
        changed_at = GREATEST(known.changed_at, EXCLUDED.changed_at)
    WHERE CASE known.state
        WHEN 'claimed' THEN EXCLUDED.left_at >= known.claimed_at
        WHEN 'waiting' THEN true
        ELSE (EXCLUDED.left_at, EXCLUDED.state)
            > (COALESCE(known.left_at, '-infinity'), known.state)
    END AND ({_NOT_OUR_ECHO})
    RETURNING CASE WHEN state = %(end)s::text
        THEN {_FACTS.format("NULL::bigint")} ELSE {_NO_FACTS} END AS facts
"""

# Whoever writes for us keeps the claim alive; a customer who writes does not.
_WRITE = f"""
    WITH terms AS ({TERMS})
    UPDATE claims_conversation known
    SET lease_until = GREATEST(lease_until, %(occurred_at)s::timestamptz + terms.lease)
    FROM source CROSS JOIN terms
    WHERE %(by_agent)s::boolean AND organization_id = %(organization_id)s::bigint
        AND external_id = %(subject)s::text AND state = 'claimed' AND lease_until IS NOT NULL
    RETURNING {_NO_FACTS} AS facts
"""


def _agent(type: str, data: Mapping[str, Any], occurred_at: datetime) -> dict[str, Any]:
    agent = data.get("agent") or data.get("actor") or {}
    return {
        **customer(data),
        "agent_id": agent.get("id", ""),
        "agent_name": agent.get("name", ""),
    }


def _end(state: Conversation.State) -> Change:
    return Change(
        _END,
        lambda type, data, occurred_at: {**_agent(type, data, occurred_at), "end": state.value},
    )


def _writer(type: str, data: Mapping[str, Any], occurred_at: datetime) -> dict[str, Any]:
    return {"by_agent": bool(data.get("actor"))}


CLAIMED = Change(_CLAIM, _agent)
RELEASED = Change(_RELEASE, _agent)
HANDED_BACK = _end(Conversation.State.WITH_BOT)
RESOLVED = _end(Conversation.State.RESOLVED)
WROTE = Change(_WRITE, _writer)
