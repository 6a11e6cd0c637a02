"""The one pipe: whatever is to reach a phone is an event, and comes in here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection as database

from channels_app.event_types import CATALOGUE
from channels_app.levels import Lane
from channels_app.models import Event


class AlreadyReceived(Exception):
    """This connection gave us this `webhook-id` before; `event_id` is the event it became."""

    def __init__(self, event_id: int) -> None:
        super().__init__(f"received before, as event {event_id}")
        self.event_id = event_id


# One statement instead of the ORM's get_or_create: half the time, and safe when two come at once.
INSERT = """
    INSERT INTO chatbot_event (
        organization_id, connection_id, webhook_id, type, source_id, subject, occurred_at,
        received_at, payload, facts, lane, state, route_at, route_attempts, route_error
    ) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s, %s, %s, 0, '')
    ON CONFLICT (organization_id, connection_id, webhook_id) DO NOTHING
    RETURNING id
"""


def publish(
    *,
    organization_id: int,
    connection_id: UUID | None,
    webhook_id: str,
    type: str,
    payload: Mapping[str, Any],
    occurred_at: datetime,
    now: datetime,
    source_id: int | None = None,
    subject: str = "",
    facts: Mapping[str, Any] | None = None,
) -> int:
    """Store an event and answer its id; from here on it cannot be lost.

    Call it in the transaction of the state change that belongs to the event, after that change.

    Raises:
        AlreadyReceived: the connection sent this `webhook_id` before. Roll the transaction back.
    """
    row = CATALOGUE.get(type)
    lane = row.lane if row else Lane.DEFAULT
    with database.cursor() as cursor:
        cursor.execute(
            INSERT,
            (
                organization_id,
                connection_id,
                webhook_id,
                type,
                source_id,
                subject,
                occurred_at,
                now,
                json.dumps(payload, ensure_ascii=False),
                json.dumps(facts or {}),
                lane.value,
                initial_state(type).value,
                now,
            ),
        )
        inserted = cursor.fetchone()
    if inserted is None:
        same: dict[str, Any] = {
            "organization": organization_id,
            "connection": connection_id,
            "webhook_id": webhook_id,
        }
        raise AlreadyReceived(Event.objects.values_list("pk", flat=True).get(**same))
    return int(inserted[0])


def initial_state(type: str) -> Event.State:
    """Whether an event of this type waits to be routed, is only recorded, or is unknown to us."""
    row = CATALOGUE.get(type)
    if row is None:
        return Event.State.IGNORED
    return Event.State.RECORDED if row.channel is None else Event.State.RECEIVED


def requeue(*, event_ids: Sequence[int], now: datetime) -> int:
    """Give quarantined events another three tries; answer how many that were."""
    return Event.objects.filter(pk__in=event_ids, state=Event.State.QUARANTINED).update(
        state=Event.State.RECEIVED, route_at=now, route_attempts=0, route_error=""
    )
