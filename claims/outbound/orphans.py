"""What no sender has in hand any more: messages of one that died, and those nobody will send."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from channels_app.leases import ORPHAN_AGE, SERVER_GRACE
from claims.models import Message
from claims.outbound import answers, tries
from claims.outbound.messages import ENDPOINT_DISABLED, TEST
from claims.outbound.tries import LEASE, Try

# Whether a sender lives is asked of the server's own list of sessions, as `channels_app.orphans`
# does for deliveries. Not locked: settling looks again, and takes each back once.
_FIND = """
    WITH living AS MATERIALIZED (
        SELECT substr(application_name, 12, 8) AS holder FROM pg_stat_activity
        WHERE starts_with(application_name, 'pushbridge ')
            AND pg_postmaster_start_time() < now() - %(grace)s
    )
    SELECT id, endpoint_id, type, attempts, attempts - round_attempts, round_at, due_at
    FROM claims_message
    WHERE state = 'sending' AND (
        due_at <= %(now)s OR (
            due_at <= %(orphaned)s AND holder NOT IN (SELECT holder FROM living)
            AND %(holder)s IN (SELECT holder FROM living)
        )
    )
    LIMIT %(limit)s
"""


def take_back(*, now: datetime, limit: int, grace: timedelta = SERVER_GRACE) -> int:
    """Take back what a dead sender had leased; answer how many that were.

    `grace` is how long the database server must have been up for a missing session to mean that its
    process is dead.
    """
    values: dict[str, Any] = {
        "now": now,
        "orphaned": now + LEASE - ORPHAN_AGE,
        "grace": grace,
        "holder": settings.LEASE_HOLDER,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIND, values)
        orphans = cursor.fetchall()
    tries.settle(
        [
            (Try(*row), answers.lost(sent_at=leased_until - LEASE, now=now))
            for *row, leased_until in orphans
        ],
        now=now,
    )
    return len(orphans)


def give_up_disabled(*, now: datetime) -> int:
    """Fail what waits for an endpoint that we disabled: only a replay sends it now."""
    return (
        Message.objects.filter(endpoint__disabled_at__isnull=False, state=Message.State.PENDING)
        .exclude(type=TEST)
        .update(state=Message.State.FAILED, reason=ENDPOINT_DISABLED, settled_at=now)
    )
