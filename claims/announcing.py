"""What happens to a conversation here is an event like any other, and the platform is told it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.db import transaction

from channels_app import doorbell, events
from channels_app.levels import Lane
from channels_app.models import Membership
from claims import outbound
from claims.models import Conversation


@dataclass(frozen=True, slots=True)
class Agent:
    """Who did it, as the platform knows them."""

    id: str
    name: str

    @classmethod
    def of(cls, member: Membership) -> Agent:
        """A member; one of whom operators entered no id of the platform has one of ours."""
        user = member.user
        return cls(
            id=member.external_id or f"pushbridge:{user.pk}",
            name=user.get_full_name() or user.username,
        )


def holder(conversation: Conversation) -> Agent | None:
    """Who holds it; None: nobody, or an agent of the platform whom it does not name."""
    if conversation.holder is not None:
        return Agent.of(conversation.holder)
    if conversation.holder_external_id or conversation.holder_name:
        return Agent(conversation.holder_external_id, conversation.holder_name)
    return None


def announce(
    conversation: Conversation,
    *,
    type: str,
    agent: Agent | None,
    now: datetime,
    once: str | None = None,
    facts: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
) -> int:
    """Publish what has just happened to a conversation, tell the platform, and ring the bell.

    Call it in the transaction of the change, after the change; the conversation's bot is loaded.
    Answers the event's id.

    Args:
        agent: who did it; None: nobody did (a lease that ended).
        once: what tells it from others of its type in this conversation; None: its round, since a
            change happens once in each.
        data: further fields of the event's data.

    Raises:
        events.AlreadyReceived: this was announced before. Roll the transaction back.
    """
    told = {**_parties(conversation), **_named(agent), **(data or {})}
    timestamp = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
    event_id = events.publish(
        organization_id=conversation.organization_id,
        connection_id=None,
        webhook_id=webhook_id(type, conversation.pk, once or str(conversation.epoch)),
        type=type,
        payload={"type": type, "timestamp": timestamp, "data": told},
        occurred_at=now,
        now=now,
        source_id=conversation.bot_id,
        subject=conversation.external_id,
        facts={"conversation": conversation.pk, "epoch": conversation.epoch, **(facts or {})},
    )
    outbound.enqueue(
        organization_id=conversation.organization_id,
        type=type,
        data={**told, "epoch": conversation.epoch},
        now=now,
    )
    transaction.on_commit(partial(doorbell.ring, Lane.ESCALATION))
    return event_id


def webhook_id(type: str, conversation_id: int, once: str) -> str:
    """The id of an event of our own: the same change is one event."""
    return f"{type}:{conversation_id}:{once}"


def _parties(conversation: Conversation) -> dict[str, Any]:
    """Bot and customer, in the platform's own shape."""
    bot = conversation.bot
    named: dict[str, Any] = {"id": conversation.external_id}
    if conversation.customer_id:
        named["customer"] = {"id": conversation.customer_id, "name": conversation.customer_name}
    return {"bot": {"id": bot.external_id, "name": bot.name}, "conversation": named}


def _named(agent: Agent | None) -> dict[str, Any]:
    # The shape of an agent demands an id.
    if agent is None or not agent.id:
        return {}
    return {"agent": {"id": agent.id, "name": agent.name}}
