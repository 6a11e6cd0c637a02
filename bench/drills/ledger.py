"""What the database says of a drill's events."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg2

PATIENCE_SECONDS = 90.0

OPEN_EVENTS = """
    SELECT count(*) FROM chatbot_event WHERE webhook_id LIKE %s AND state = 'received'
"""
OPEN_DELIVERIES = """
    SELECT count(*) FROM chatbot_delivery WHERE state IN ('pending', 'sending')
"""
LEASED = "SELECT holder, count(*) FROM chatbot_delivery WHERE state = 'sending' GROUP BY holder"
HOLDERS = "SELECT substr(application_name, 12) FROM pg_stat_activity"
EVENTS = "SELECT webhook_id, id, state FROM chatbot_event WHERE webhook_id LIKE %s"
OUTCOMES = """
    SELECT event.id, notification.outcome, count(*)
    FROM chatbot_event event JOIN chatbot_notification notification ON event_id = event.id
    WHERE webhook_id LIKE %s GROUP BY 1, 2
"""
DELIVERIES = """
    SELECT delivery.id, notification.id, event.id, delivery.lane, delivery.state,
        delivery.attempts, array_agg(attempt.verdict ORDER BY attempt.number)
            FILTER (WHERE attempt.id IS NOT NULL),
        extract(epoch FROM max(attempt.sent_at) FILTER (WHERE attempt.verdict = 'accepted')),
        extract(epoch FROM max(attempt.answered_at) FILTER (WHERE attempt.verdict = 'accepted'))
    FROM chatbot_delivery delivery
    JOIN chatbot_notification notification ON notification.id = notification_id
    JOIN chatbot_event event ON event.id = event_id
    LEFT JOIN chatbot_attempt attempt ON attempt.delivery_id = delivery.id
    WHERE webhook_id LIKE %s
    GROUP BY delivery.id, notification.id, event.id
"""
DEAD_DEVICES = """
    SELECT (SELECT count(*) FROM chatbot_installation WHERE dead_since IS NOT NULL)
        + (SELECT count(*) FROM push_notifications_apnsdevice WHERE NOT active)
        + (SELECT count(*) FROM push_notifications_gcmdevice WHERE NOT active)
        + (SELECT count(*) FROM push_notifications_webpushdevice WHERE NOT active)
"""
# A session of ours: the one that asked for something last.
BACKEND = """
    SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
    ORDER BY query_start DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One delivery and the verdicts of its attempts, in their order."""

    delivery_id: int
    notification_id: int
    event_id: int
    lane: str
    state: str
    attempts: int
    verdicts: tuple[str, ...]
    sent_at: float
    """When the push left that the push service accepted, in epoch seconds; 0 if it did not."""
    accepted_at: float
    """When its answer was there."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The running system's database, asked anew each time: it may have been killed meanwhile."""

    database_url: str

    def open_work(self, prefix: str) -> int:
        """Events that nobody has routed, and deliveries that are not settled."""
        ((events,),) = self._ask(OPEN_EVENTS, f"{prefix}-%")
        ((deliveries,),) = self._ask(OPEN_DELIVERIES)
        return int(events) + int(deliveries)

    def leased(self) -> Counter[str]:
        """Deliveries that each worker has in hand, by the name of its sessions."""
        return Counter({str(holder): int(count) for holder, count in self._ask(LEASED)})

    def holders(self) -> frozenset[str]:
        """The processes that have a session."""
        return frozenset(str(name) for (name,) in self._ask(HOLDERS))

    def events(self, prefix: str) -> list[tuple[str, int, str]]:
        """webhook-id, number and state of the drill's events."""
        return [(str(name), int(pk), str(state)) for name, pk, state in self._rows(EVENTS, prefix)]

    def outcomes(self, prefix: str) -> dict[tuple[int, str], int]:
        """By event and outcome, how many people had it."""
        return {(pk, outcome): count for pk, outcome, count in self._rows(OUTCOMES, prefix)}

    def deliveries(self, prefix: str) -> list[DeliveryRow]:
        """Every delivery of the drill's events."""
        return [_delivery_row(*row) for row in self._rows(DELIVERIES, prefix)]

    def dead_devices(self) -> int:
        """Devices out of service, by either table."""
        ((count,),) = self._ask(DEAD_DEVICES)
        return int(count)

    def backend(self) -> int:
        """The process of PostgreSQL that serves one of us."""
        ((pid,),) = self._ask(BACKEND)
        return int(pid)

    def _rows(self, query: str, prefix: str) -> Sequence[tuple[Any, ...]]:
        return self._ask(query, f"{prefix}-%")

    def _ask(self, query: str, *values: object) -> Sequence[tuple[Any, ...]]:
        """The answer, also of a server that is just coming back."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with (
                    closing(psycopg2.connect(self.database_url, connect_timeout=5)) as connection,
                    connection.cursor() as cursor,
                ):
                    cursor.execute(query, values or None)
                    return cursor.fetchall()
            except psycopg2.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


def _delivery_row(
    delivery_id: int,
    notification_id: int,
    event_id: int,
    lane: str,
    state: str,
    attempts: int,
    verdicts: list[str] | None,
    sent_at: Decimal | None,
    accepted_at: Decimal | None,
) -> DeliveryRow:
    return DeliveryRow(
        delivery_id=delivery_id,
        notification_id=notification_id,
        event_id=event_id,
        lane=lane,
        state=state,
        attempts=attempts,
        verdicts=tuple(verdicts or ()),
        sent_at=float(sent_at or 0),
        accepted_at=float(accepted_at or 0),
    )
