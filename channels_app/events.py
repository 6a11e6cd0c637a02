"""The one pipe: whatever is to reach a phone is an event, and comes in here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.db import connection as database
from psycopg2.errors import ForeignKeyViolation, UniqueViolation

from channels_app import sources
from channels_app.event_types import EVENT_TYPES, EventType
from channels_app.levels import Lane
from channels_app.models import Event
from channels_app.prepared import Prepared

# json.dumps would make an encoder for each event.
_to_json = json.JSONEncoder(ensure_ascii=False).encode


class AlreadyReceived(Exception):
    """This connection gave us this `webhook-id` before; `event_id` is the event it became."""

    def __init__(self, event_id: int) -> None:
        super().__init__(f"received before, as event {event_id}")
        self.event_id = event_id


@dataclass(frozen=True, slots=True)
class Change:
    """What an event does to the state of its subject, as a part of the statement that stores it.

    Attributes:
        sql: the body of a CTE that changes the state. It may read `source`, whose `id` is that of
            the event's source, and which has no row where nothing may be changed; and parameters:
            the event's (`parameters` below) and its own. It answers one column in at most one row:
            `facts` (jsonb), what the state knew that the event's banner needs.
        parameters: its own, from the type of the event, its data, and when it happened.
        parts: CTEs that stand before it, each with a comma after it, where more than one table
            changes: PostgreSQL wants each such part at the top of the statement.
    """

    sql: str
    parameters: Callable[[str, Mapping[str, Any], datetime], dict[str, Any]]
    parts: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """An event; whether this call made it; whether its source was called otherwise until now."""

    event_id: int
    created: bool
    renamed: bool


_INSERT = """
    INSERT INTO chatbot_event (
        organization_id, connection_id, webhook_id, type, source_id, subject, occurred_at,
        received_at, payload, facts, lane, state, route_at, route_attempts, route_error
    )
    SELECT
        %(organization_id)s::bigint, %(connection_id)s::uuid, %(webhook_id)s::text,
        %(type)s::text, {source_id}, %(subject)s::text, %(occurred_at)s::timestamptz,
        %(now)s::timestamptz, %(payload)s::jsonb, {facts}, %(lane)s::text, %(state)s::text,
        %(now)s::timestamptz, 0, ''
"""

# One statement instead of the ORM's get_or_create: half the time, and safe when two come at once.
_PUBLISH = (
    _INSERT.format(source_id="%(source_id)s::bigint", facts="%(facts)s::jsonb")
    + "ON CONFLICT (organization_id, connection_id, webhook_id) DO NOTHING RETURNING id"
)

# A message that was received before finds no source: so it changes nothing and inserts nothing. Of
# two that come at the same moment neither sees the other; the constraint then fails the later
# statement, and undoes what it changed. That is why this INSERT has no ON CONFLICT: to do nothing
# here would leave a change without its event.
_STORE = """
    WITH before AS (
        SELECT id FROM chatbot_event
        WHERE organization_id = %(organization_id)s AND connection_id = %(connection_id)s
            AND webhook_id = %(webhook_id)s
    ), source AS (
        SELECT * FROM ({source}) AS named WHERE NOT EXISTS (SELECT FROM before)
    ), {parts} change AS (
        {change}
    ), event AS (
        {insert} FROM source LEFT JOIN change ON true
        RETURNING id
    )
    SELECT event.id, true, source.renamed FROM event, source
    UNION ALL
    SELECT before.id, false, false FROM before
"""
_NO_SOURCE = "SELECT NULL::bigint AS id, false AS renamed"
_NO_FACTS = "'{}'::jsonb"


class Store:
    """The statement that stores what a connection sent: the event with what it changes, or neither.

    There is one for each `Change`, one for events that change nothing, and one for those of a type
    that we do not know, which have no source.
    """

    def __init__(self, change: Change | None = None, *, of_source: bool = True) -> None:
        self._prepared = Prepared(
            _STORE.format(
                source=sources.NAMED if of_source else _NO_SOURCE,
                parts=change.parts if change else "",
                change=change.sql if change else f"SELECT {_NO_FACTS} AS facts",
                insert=_INSERT.format(
                    source_id="source.id", facts=f"COALESCE(change.facts, {_NO_FACTS})"
                ),
            )
        )

    def __call__(self, parameters: Mapping[str, Any]) -> Stored | None:
        """Store the event, or find what its `webhook_id` became before; None: an unknown source.

        Args:
            parameters: those of the event, of `sources` and of the `Change`.

        Raises:
            sources.Vanished: the connection, its organization or the source was deleted meanwhile.
        """
        try:
            row = self._prepared.first(parameters)
        except IntegrityError as error:
            if isinstance(error.__cause__, ForeignKeyViolation):
                raise sources.Vanished from error
            if not isinstance(error.__cause__, UniqueViolation) or database.in_atomic_block:
                raise
            # Another with this `webhook_id` was first, and is committed by now.
            row = self._prepared.first(parameters)
        return Stored(*row) if row is not None else None


def parameters(
    *,
    organization_id: int,
    connection_id: UUID | None,
    webhook_id: str,
    type: str,
    row: EventType | None,
    payload: Mapping[str, Any],
    occurred_at: datetime,
    now: datetime,
    subject: str = "",
) -> dict[str, Any]:
    """What an event is, as the statements of this module name it; `row` None: of no known type."""
    return {
        "organization_id": organization_id,
        "connection_id": connection_id,
        "webhook_id": webhook_id,
        "type": type,
        "subject": subject,
        "occurred_at": occurred_at,
        "now": now,
        "payload": _to_json(payload),
        "lane": (row.lane if row else Lane.DEFAULT).value,
        "state": initial_state(row).value,
    }


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
    (What the platform reports comes in by a `Store`.)

    Raises:
        AlreadyReceived: the connection sent this `webhook_id` before. Roll the transaction back.
    """
    event = parameters(
        organization_id=organization_id,
        connection_id=connection_id,
        webhook_id=webhook_id,
        type=type,
        row=EVENT_TYPES.get(type),
        payload=payload,
        occurred_at=occurred_at,
        now=now,
        subject=subject,
    )
    with database.cursor() as cursor:
        cursor.execute(
            _PUBLISH, {**event, "source_id": source_id, "facts": json.dumps(facts or {})}
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


def initial_state(row: EventType | None) -> Event.State:
    """Whether an event of this type waits to be routed, is only recorded, or is unknown to us."""
    if row is None:
        return Event.State.IGNORED
    return Event.State.RECORDED if row.channel is None else Event.State.RECEIVED


def requeue(*, event_ids: Sequence[int], now: datetime) -> int:
    """Give quarantined events another three tries; answer how many that were."""
    return Event.objects.filter(pk__in=event_ids, state=Event.State.QUARANTINED).update(
        state=Event.State.RECEIVED, route_at=now, route_attempts=0, route_error=""
    )
