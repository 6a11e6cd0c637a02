"""What the ladder of a bot says about a call and about a claim, as a part of statements.

Its climb is elsewhere; this is what the moment of an event needs of it, without asking first.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from claims import ladder
from claims.ladder import DEFAULT, Audience


def _interval(span: timedelta | None) -> str:
    return "NULL::interval" if span is None else f"interval '{span.total_seconds()} seconds'"


# Of the bot in `source`: how long after a call the next wave comes (NULL: none does), whether the
# call itself is for those alone who are awake, and how long an idle claim lasts (NULL: for ever).
# The bot's own ladder, else the organization's, else the one that is built in.
TERMS = f"""
    SELECT
        CASE WHEN ladder.id IS NULL THEN {_interval(ladder.gap(ladder.rungs(DEFAULT), 1))}
        ELSE COALESCE(
            (SELECT min(after) FROM claims_wave WHERE ladder_id = ladder.id AND after > '0'),
            CASE WHEN repeats > 0 OR alarm THEN repeat_every END
        ) END AS rest,
        CASE WHEN ladder.id IS NULL THEN {DEFAULT.waves[0].audience is Audience.AWAKE}
        ELSE EXISTS (
            SELECT FROM claims_wave
            WHERE ladder_id = ladder.id AND after = '0' AND audience = 'awake'
        ) END AS awake,
        CASE WHEN ladder.id IS NULL THEN {_interval(DEFAULT.claim_lease)}
        ELSE claim_lease END AS lease
    FROM source LEFT JOIN claims_ladder ladder ON ladder.id = COALESCE(
        (SELECT id FROM claims_ladder WHERE bot_id = source.id),
        (SELECT id FROM claims_ladder
            WHERE organization_id = %(organization_id)s::bigint AND bot_id IS NULL)
    )
"""


def lease_until(*, organization_id: int, bot_id: int, now: datetime) -> datetime | None:
    """When a claim that was last used now goes back to the pool; None: never."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH source AS (SELECT %(bot_id)s::bigint AS id), terms AS ({TERMS})"
            " SELECT %(now)s::timestamptz + lease FROM terms",
            {"organization_id": organization_id, "bot_id": bot_id, "now": now},
        )
        (until,) = cursor.fetchone() or (None,)
    return until
