"""The state machine of a message: lease and settle (and `orphans`, which takes leases back).

Lease and number of the try are committed before anything goes to the network, and whoever settles
names that number: a sender may die, or freeze for an hour, at any instant.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from claims.models import Endpoint, Message
from claims.outbound import alarms, schedule
from claims.outbound.answers import Answer
from claims.outbound.health import Health, judge
from claims.outbound.messages import TEST

LEASE = timedelta(seconds=45)
"""Longer than a request may wait for its turn and then for its answer (`sender`): a lease that ends
means that its sender is dead."""
MOST_UNDER_WAY = 4
"""Messages under way at one endpoint. One that hangs keeps this many places, and no more."""

# One sender at a time takes from an endpoint. The locks come first and in a statement of their own,
# so that the next one sees what the last who had them committed.
_LOCK = """
    SELECT endpoint.id FROM claims_endpoint endpoint
    JOIN chatbot_connection connection ON connection.id = endpoint.connection_id
    WHERE connection.active AND EXISTS (
        SELECT FROM claims_message message
        WHERE message.endpoint_id = endpoint.id AND message.state = 'pending'
            AND message.due_at <= %(now)s
            AND (endpoint.enabled AND endpoint.disabled_at IS NULL OR message.type = %(test)s)
    )
    FOR NO KEY UPDATE OF endpoint SKIP LOCKED
"""

# Of one conversation one message is under way at a time, the earliest that is due first; one whose
# next try is only seconds away (the first is) holds up those after it. An endpoint that fails gets
# one at a time. Every endpoint has its turn before any has a second.
_TAKE = """
    WITH room AS (
        SELECT endpoint.*, GREATEST(0,
            CASE WHEN failing_since IS NULL THEN %(most)s ELSE 1 END - (
                SELECT count(*) FROM claims_message
                WHERE endpoint_id = endpoint.id AND state = 'sending'
            )
        ) AS places
        FROM claims_endpoint endpoint WHERE id = ANY(%(endpoints)s)
    ), due AS (
        SELECT turns.id FROM (
            SELECT waiting.id, row_number() OVER (
                PARTITION BY room.id ORDER BY waiting.due_at, waiting.id
            ) AS turn
            FROM room CROSS JOIN LATERAL (
                SELECT id, due_at FROM claims_message message
                WHERE endpoint_id = room.id AND state = 'pending' AND due_at <= %(now)s
                    AND (room.enabled AND room.disabled_at IS NULL OR type = %(test)s)
                    AND NOT EXISTS (
                        SELECT FROM claims_message other
                        WHERE other.endpoint_id = room.id AND other.subject = message.subject
                            AND other.subject <> '' AND (
                                other.state = 'sending'
                                OR other.state = 'pending' AND other.id < message.id
                                    AND other.due_at <= %(soon)s
                            )
                    )
                ORDER BY due_at, id LIMIT room.places
                FOR UPDATE SKIP LOCKED
            ) waiting
        ) turns
        ORDER BY turn LIMIT %(limit)s
    )
    UPDATE claims_message message
    SET state = 'sending', attempts = attempts + 1, due_at = %(until)s, holder = %(holder)s
    FROM due, room WHERE message.id = due.id AND room.id = message.endpoint_id
    RETURNING message.id, room.id, type, attempts, attempts - round_attempts, round_at,
        webhook_id, body, room.url, room.secret,
        CASE WHEN room.previous_secret_until > %(now)s THEN room.previous_secret ELSE '' END
"""
SOON = timedelta(seconds=6)


@dataclass(frozen=True, slots=True)
class Try:
    """One try to send one message."""

    message_id: int
    endpoint_id: int
    type: str
    attempt: int
    """The number of this try, from 1: who settles it says which try it was."""
    tries: int
    """The same, counted from the last replay."""
    round_at: datetime


@dataclass(frozen=True, slots=True)
class Leased(Try):
    """A message that this sender has to itself for the length of the lease."""

    webhook_id: str
    body: str
    url: str
    secret: str
    previous_secret: str
    """During a rotation, else empty."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Those that are live, the newest first."""
        return (self.secret, self.previous_secret) if self.previous_secret else (self.secret,)


def lease(*, now: datetime, limit: int) -> list[Leased]:
    """Take up to `limit` messages that are due."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, {"now": now, "test": TEST})
        endpoints = [pk for (pk,) in cursor.fetchall()]
        if not endpoints:
            return []
        cursor.execute(
            _TAKE,
            {
                "endpoints": endpoints,
                "now": now,
                "soon": now + SOON,
                "until": now + LEASE,
                "holder": settings.LEASE_HOLDER,
                "most": MOST_UNDER_WAY,
                "test": TEST,
                "limit": limit,
            },
        )
        return [Leased(*row) for row in cursor.fetchall()]


# A message that was taken back meanwhile, and not yet sent again, is still answered; after the next
# lease it is not. That its sender died is only said of one that is still in its hands.
_SETTLE = """
    WITH answer AS (
        SELECT * FROM unnest(
            %(id)s::bigint[], %(number)s::int[], %(state)s::text[], %(due_at)s::timestamptz[],
            %(outcome)s::text[], %(status)s::int[], %(reason)s::text[],
            %(sent_at)s::float8[], %(answered_at)s::float8[]
        ) answer (
            id, number, state, due_at, outcome, status, reason, sent_at, answered_at
        )
    ), settled AS (
        UPDATE claims_message message SET
            state = answer.state, reason = COALESCE(NULLIF(answer.reason, ''),
                CASE WHEN answer.outcome = 'refused' THEN 'HTTP ' || answer.status ELSE '' END),
            due_at = COALESCE(answer.due_at, message.due_at), holder = '',
            settled_at = CASE WHEN answer.state = 'pending' THEN NULL ELSE %(now)s END
        FROM answer
        WHERE message.id = answer.id AND message.attempts = answer.number
            AND message.settled_at IS NULL
            AND (answer.outcome <> 'lost' OR message.state = 'sending')
        RETURNING answer.*
    )
    INSERT INTO claims_messageattempt (
        message_id, number, outcome, status, reason, sent_at, answered_at
    )
    SELECT id, number, outcome, status, reason, to_timestamp(sent_at), to_timestamp(answered_at)
    FROM settled
    ON CONFLICT (message_id, number) DO UPDATE SET
        outcome = EXCLUDED.outcome, status = EXCLUDED.status, reason = EXCLUDED.reason,
        sent_at = EXCLUDED.sent_at, answered_at = EXCLUDED.answered_at
    WHERE claims_messageattempt.outcome = 'lost'
"""

Result = tuple[Try, Answer]


def settle(results: Sequence[Result], *, now: datetime) -> None:
    """Write down what came of these tries: of each message, and of the endpoints themselves."""
    if not results:
        return
    after = [_after(one, answer, now=now) for one, answer in results]
    with transaction.atomic():
        # Always in this order, and before the messages: nobody waits for each other in a circle.
        endpoints = list(
            Endpoint.objects.select_for_update(no_key=True, of=("self",))
            .select_related("connection")
            .filter(pk__in={one.endpoint_id for one, _ in results})
            .order_by("pk")
        )
        with connection.cursor() as cursor:
            cursor.execute(_SETTLE, {"now": now, **_columns(results, after)})
        tries: dict[int, list[tuple[Answer, bool]]] = defaultdict(list)
        for (one, answer), (state, _) in zip(results, after, strict=True):
            given_up = state is Message.State.FAILED and one.type != TEST
            tries[one.endpoint_id].append((answer, given_up))
        for endpoint in endpoints:
            health = judge(failing_since=endpoint.failing_since, tries=tries[endpoint.pk], now=now)
            _record(endpoint, health, now=now)


def _after(one: Try, answer: Answer, *, now: datetime) -> tuple[Message.State, datetime | None]:
    """The state that an answer leads to and, if that is pending, when to try again."""
    if answer.delivered:
        return Message.State.DELIVERED, None
    if one.type == TEST:
        return Message.State.FAILED, None
    due_at = schedule.next_try(
        failures=one.tries,
        round_at=one.round_at,
        now=now,
        retry_after=answer.retry_after,
        chance=random.random(),
    )
    return (Message.State.PENDING, due_at) if due_at else (Message.State.FAILED, None)


def _columns(
    results: Sequence[Result], after: Sequence[tuple[Message.State, datetime | None]]
) -> dict[str, list[object]]:
    return {
        "id": [one.message_id for one, _ in results],
        "number": [one.attempt for one, _ in results],
        "state": [state.value for state, _ in after],
        "due_at": [due_at for _, due_at in after],
        "outcome": [answer.outcome.value for _, answer in results],
        "status": [answer.status for _, answer in results],
        "reason": [answer.reason[:100] for _, answer in results],
        "sent_at": [answer.sent_at for _, answer in results],
        "answered_at": [answer.answered_at for _, answer in results],
    }


def _record(endpoint: Endpoint, health: Health, *, now: datetime) -> None:
    """Write down how an endpoint is, which this transaction has locked."""
    if health.failing_since != endpoint.failing_since:
        endpoint.failing_since = health.failing_since
        endpoint.save(update_fields=["failing_since"])
    if health.recovered:
        Message.objects.filter(
            endpoint=endpoint, state=Message.State.PENDING, due_at__gt=now
        ).update(due_at=now)
    if health.disabled_reason and endpoint.disabled_at is None:
        endpoint.disabled_at, endpoint.disabled_reason = now, health.disabled_reason
        endpoint.save(update_fields=["disabled_at", "disabled_reason"])
        alarms.endpoint_disabled(endpoint, now=now)
