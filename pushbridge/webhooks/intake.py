"""What becomes of a verified message: its event and what it changes, all of it or nothing.

One statement stores both; each app contributes the part that concerns its own tables.
`docs/decisions/one-statement-door.md` says why, and what it must be careful about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels_app import doorbell, events, sources
from channels_app.event_types import Subject
from channels_app.events import Change, Store, Stored
from channels_app.models import Source
from claims import conversations
from pushbridge.webhooks.connections import LiveConnection
from pushbridge.webhooks.messages import Message
from workflows import runs


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender is told: the event, and whether this request made it."""

    event_id: int
    created: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event's data names its source and its subject.

    `know` makes a source that is new, and renames one that the platform calls otherwise now.
    """

    kind: Source.Kind
    source: str
    subject: str | None
    know: Callable[..., int]


_PLACES: Mapping[Subject, Place] = {
    Subject.BOT: Place(Source.Kind.BOT, "bot", None, sources.bot),
    Subject.CONVERSATION: Place(Source.Kind.BOT, "bot", "conversation", sources.bot),
    Subject.RUN: Place(Source.Kind.WORKFLOW, "workflow", "run", runs.workflow),
}

# Composed once; a statement for each way of changing something.
_CHANGES: Mapping[str, Change] = {**conversations.CHANGES, **runs.CHANGES}
_STORES: Mapping[Change, Store] = {change: Store(change) for change in set(_CHANGES.values())}
_UNCHANGED = Store()
_UNKNOWN_TYPE = Store(of_source=False)


def take(
    message: Message, *, connection: LiveConnection, webhook_id: str, now: datetime
) -> Receipt:
    """Store a message once, whatever the number of times that it comes, and wake who routes it.

    Raises:
        sources.Vanished: what the event belongs to is no longer there.
    """
    event = events.parameters(
        organization_id=connection.organization_id,
        connection_id=connection.id,
        webhook_id=webhook_id,
        type=message.type,
        row=message.row,
        payload=message.payload,
        occurred_at=message.occurred_at,
        now=now,
    )
    if message.row is None:
        stored = _UNKNOWN_TYPE(event)
    else:
        stored = _store(message, _PLACES[message.row.subject], event)
    if stored is None:
        raise sources.Vanished
    if stored.created and message.row is not None and message.row.channel is not None:
        doorbell.ring(message.row.lane)
    return Receipt(stored.event_id, stored.created)


def _store(message: Message, place: Place, event: dict[str, Any]) -> Stored | None:
    """Store a message of the catalogue; None if its source is deleted while that is being done."""
    source = message.data[place.source]
    named = {
        "organization_id": event["organization_id"],
        "external_id": source["id"],
        "name": source["name"],
    }
    change = _CHANGES.get(message.type)
    parameters = {
        **event,
        **sources.parameters(kind=place.kind, **named),
        "subject": message.data[place.subject]["id"] if place.subject else "",
        **(change.parameters(message.type, message.data, message.occurred_at) if change else {}),
    }
    store = _STORES[change] if change else _UNCHANGED
    stored = store(parameters)
    if stored is None or stored.renamed:
        # In a transaction of its own: a source that has no event yet harms nobody.
        place.know(**named)
    return stored or store(parameters)
