"""Orphans: deliveries in the hands of a sender that is dead, taken back to be sent again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from channels_app.deliveries import UNANSWERED_ATTEMPTS
from channels_app.leases import LEASE, ORPHAN_AGE, SERVER_GRACE
from channels_app.levels import Lane

# Whether a process lives is asked of the server's own list of sessions. That list is believed only
# if it shows ourselves: a pooler may keep names to itself.
RECLAIM = """
    WITH living AS MATERIALIZED (
        SELECT substr(application_name, 12, 8) AS holder FROM pg_stat_activity
        WHERE starts_with(application_name, 'pushbridge ')
            AND pg_postmaster_start_time() < now() - %(grace)s
    ), orphan AS (
        SELECT id, due_at AS leased_until FROM chatbot_delivery
        WHERE state = 'sending' AND lane = %(lane)s AND (
            due_at <= %(now)s OR (
                due_at <= %(orphaned)s AND holder NOT IN (SELECT holder FROM living)
                AND %(holder)s IN (SELECT holder FROM living)
            )
        )
        FOR UPDATE SKIP LOCKED
    ), lost AS (
        UPDATE chatbot_delivery delivery SET
            state = CASE WHEN attempts >= %(most)s THEN 'unknown' ELSE 'pending' END,
            settled_at = CASE WHEN attempts >= %(most)s THEN %(now)s END,
            due_at = %(now)s, reason = 'sender_lost'
        FROM orphan WHERE delivery.id = orphan.id
        RETURNING delivery.id, attempts, leased_until
    )
    INSERT INTO chatbot_attempt (
        delivery_id, number, verdict, status, reason, gateway_id, sent_at, answered_at
    )
    SELECT id, attempts, 'lost', NULL, 'sender_lost', '', leased_until - %(lease)s, %(now)s
    FROM lost
    ON CONFLICT (delivery_id, number) DO NOTHING
"""


def take_back(*, lane: Lane, now: datetime, grace: timedelta = SERVER_GRACE) -> int:
    """Take back what a dead sender had leased; answer how many that were.

    `grace` is how long the database server must have been up for a missing session to mean that its
    process is dead.
    """
    values: dict[str, Any] = {
        "now": now,
        "lane": lane.value,
        "most": UNANSWERED_ATTEMPTS,
        "lease": LEASE,
        "orphaned": now + LEASE - ORPHAN_AGE,
        "grace": grace,
        "holder": settings.LEASE_HOLDER,
    }
    with connection.cursor() as cursor:
        cursor.execute(RECLAIM, values)
        return int(cursor.rowcount)
