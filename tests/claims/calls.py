"""Customers who call for a human, and the time that passes while nobody answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from channels_app import notifications
from channels_app.levels import Lane
from channels_app.models import Bot, Event, Notification
from claims import conversations, ladders
from claims.models import Conversation
from tests.changes import change
from tests.factories import EventFactory

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
# As often as workers sweep.
SWEEP = timedelta(seconds=3)


def call(
    bot: Bot,
    subject: str = "conv_1",
    at: datetime = NINE,
    *,
    type: str = "conversation.human_requested",
    **data: Any,
) -> Conversation:
    """A customer calls, and the workers tell those whom it concerns."""
    customer = {"id": "cust_1", "name": "Jane Doe"}
    whole = {
        "bot": {"id": bot.external_id, "name": bot.name},
        "conversation": {"id": subject, "customer": customer},
        "message": "I want to talk to a human.",
        **data,
    }
    facts = change(conversations.CHANGES, type, bot, whole, at)
    EventFactory.create(
        connection__organization=bot.organization,
        type=type,
        source=bot,
        subject=subject,
        received_at=at,
        payload={"type": type, "timestamp": at.isoformat(), "data": whole},
        facts=facts,
    )
    route(at)
    return Conversation.objects.get(organization=bot.organization, external_id=subject)


def route(now: datetime) -> None:
    """What a worker does first: tell those whom the new events concern."""
    notifications.route(lane=Lane.ESCALATION, now=now, limit=500, room=0)


def sweep(now: datetime) -> int:
    """What a worker does every few seconds; answers how many conversations climbed."""
    climbed = ladders.climb(now=now, limit=200)
    route(now)
    return climbed


def pass_time(since: datetime, minutes: float) -> None:
    """Let workers sweep for so long."""
    until = since + minutes * MINUTE
    now = since
    while (now := now + SWEEP) <= until:
        sweep(now)


def rung(subject: str = "conv_1") -> list[Event]:
    """The events of the ladder, the first first."""
    own = Event.objects.filter(subject=subject, connection=None)
    return list(own.order_by("pk"))


def told(event: Event) -> set[int]:
    """The memberships to whom it was pushed."""
    pushed = Notification.objects.filter(event=event, outcome="pushed")
    return set(pushed.values_list("membership", flat=True))
