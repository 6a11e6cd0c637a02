"""A call for a human, as the platform reports it: it opens a round, or finds one going on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from channels_app.events import Change
from claims.customers import customer
from claims.ladder_terms import TERMS

# The platform's clock has the last word, whatever the order of arrival. Where nobody holds the
# conversation, a call later than all we know of opens a round; in the same second it wins over an
# end, since a needless banner is the smaller harm. While somebody holds it the round goes on.
_OPENS = """
    CASE known.state
        WHEN 'claimed' THEN false
        WHEN 'waiting' THEN EXCLUDED.waiting_since > COALESCE(known.waiting_since, '-infinity')
        ELSE EXCLUDED.waiting_since >= COALESCE(known.left_at, '-infinity')
    END
"""
# Where a customer waits and no wave has rung yet (the platform's `released` overtook the call), a
# late call is the first wave.
_RINGS = f"({_OPENS} OR known.state = 'waiting' AND known.wave = 0)"

# What does not reach the bot's thresholds calls nobody, and is no escalation: it makes no row, and
# the event has no facts. Otherwise they say how the conversation stands, where nobody is waited for
# after all; who holds it, and is told of a call that came while they do; and whether the call is
# for those alone who are awake. The conversation belongs to the bot of its latest call.
# The conditions are written out where they are needed: a sub-select costs 25 µs for each event.
ESCALATE = f"""
    WITH terms AS ({TERMS})
    INSERT INTO claims_conversation AS known (
        organization_id, bot_id, external_id, customer_id, customer_name, state, epoch, changed_at,
        waiting_since, wave, next_wave_at
    )
    SELECT %(organization_id)s::bigint, source.id, %(subject)s::text, %(customer_id)s::text,
        %(customer_name)s::text, 'waiting', 1, %(occurred_at)s::timestamptz,
        %(occurred_at)s::timestamptz, 1, %(now)s::timestamptz + terms.rest
    FROM source JOIN chatbot_bot ON source_ptr_id = source.id CROSS JOIN terms
    WHERE unanswered_threshold <= %(consecutive_unanswered)s::integer
        AND tone_minimum <= %(score)s::double precision
    ON CONFLICT (organization_id, external_id) DO UPDATE SET
        state = CASE WHEN {_OPENS} THEN 'waiting' ELSE known.state END,
        epoch = known.epoch + ({_OPENS})::int,
        wave = CASE WHEN {_RINGS} THEN 1 ELSE known.wave END,
        next_wave_at = CASE WHEN {_RINGS} THEN EXCLUDED.next_wave_at ELSE known.next_wave_at END,
        bot_id = CASE
            WHEN EXCLUDED.waiting_since >= COALESCE(known.waiting_since, '-infinity')
            THEN EXCLUDED.bot_id ELSE known.bot_id END,
        waiting_since = GREATEST(known.waiting_since, EXCLUDED.waiting_since),
        changed_at = GREATEST(known.changed_at, EXCLUDED.changed_at),
        customer_id = COALESCE(NULLIF(known.customer_id, ''), EXCLUDED.customer_id),
        customer_name = COALESCE(NULLIF(known.customer_name, ''), EXCLUDED.customer_name)
    RETURNING jsonb_strip_nulls(jsonb_build_object(
        'conversation', id, 'epoch', epoch, 'state', NULLIF(state, 'waiting'),
        'holder', CASE WHEN claimed_at < %(occurred_at)s::timestamptz THEN holder_id END,
        'awake', CASE WHEN state = 'waiting' AND wave = 1
            THEN (SELECT NULLIF(awake, false) FROM terms) END
    )) AS facts
"""

# Above every threshold: a customer who asks for a human is not weighed.
ALWAYS = 2_147_483_647


def _trouble(type: str, data: Mapping[str, Any], occurred_at: datetime) -> dict[str, Any]:
    return {
        **customer(data),
        "consecutive_unanswered": data.get("consecutive_unanswered", ALWAYS),
        "score": data.get("score", ALWAYS),
    }


ESCALATED = Change(ESCALATE, _trouble)
