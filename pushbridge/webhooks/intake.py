"""What becomes of a verified message: source, changed state and event, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from channels_app import doorbell, events, sources
from channels_app.event_types import Subject
from claims import conversations
from pushbridge.webhooks.connections import LiveConnection
from pushbridge.webhooks.messages import Message
from workflows import runs

ESCALATIONS = {
    "conversation.human_requested",
    "conversation.unanswered",
    "conversation.tone_escalated",
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender is told: the event, and whether this request made it."""

    event_id: int
    created: bool


@dataclass(frozen=True, slots=True)
class Place:
    """What an event belongs to, and what the state knew of it when the event came."""

    source_id: int | None = None
    subject: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def take(
    message: Message, *, connection: LiveConnection, webhook_id: str, now: datetime
) -> Receipt:
    """Store a message once, whatever the number of times that it comes, and wake who routes it."""
    # An event of an unknown type is one statement, and needs no transaction around it.
    whole = transaction.atomic() if message.row is not None else nullcontext()
    try:
        with whole:
            place = _locate(message, organization_id=connection.organization_id)
            event_id = events.publish(
                organization_id=connection.organization_id,
                connection_id=connection.id,
                webhook_id=webhook_id,
                type=message.type,
                payload=message.payload,
                occurred_at=message.occurred_at,
                now=now,
                source_id=place.source_id,
                subject=place.subject,
                facts=place.facts,
            )
    except events.AlreadyReceived as before:
        return Receipt(before.event_id, created=False)
    if message.row is not None and message.row.channel is not None:
        doorbell.ring(message.row.lane)
    return Receipt(event_id, created=True)


def _locate(message: Message, *, organization_id: int) -> Place:
    if message.row is None:
        return Place()
    return _PLACES[message.row.subject](message, organization_id)


def _bot_id(message: Message, organization_id: int) -> int:
    bot = message.data["bot"]
    return sources.bot(organization_id=organization_id, external_id=bot["id"], name=bot["name"])


def _bot(message: Message, organization_id: int) -> Place:
    return Place(_bot_id(message, organization_id))


def _conversation(message: Message, organization_id: int) -> Place:
    bot_id = _bot_id(message, organization_id)
    if message.type in ESCALATIONS:
        facts = conversations.escalate(
            organization_id=organization_id,
            bot_id=bot_id,
            data=message.data,
            occurred_at=message.occurred_at,
        )
    else:
        facts = conversations.record(
            organization_id=organization_id,
            bot_id=bot_id,
            type=message.type,
            data=message.data,
            occurred_at=message.occurred_at,
        )
    return Place(bot_id, message.data["conversation"]["id"], facts)


def _run(message: Message, organization_id: int) -> Place:
    workflow = message.data["workflow"]
    workflow_id = runs.workflow(
        organization_id=organization_id, external_id=workflow["id"], name=workflow["name"]
    )
    facts = runs.record(
        workflow_id=workflow_id,
        type=message.type,
        data=message.data,
        occurred_at=message.occurred_at,
    )
    return Place(workflow_id, message.data["run"]["id"], facts)


_PLACES: Mapping[Subject, Callable[[Message, int], Place]] = {
    Subject.BOT: _bot,
    Subject.CONVERSATION: _conversation,
    Subject.RUN: _run,
}
