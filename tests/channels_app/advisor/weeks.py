"""A week of events, and what became of their banners."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from channels_app.levels import Level
from channels_app.models import Delivery, Event, Membership, Notification, Receipt
from tests.factories import (
    DeliveryFactory,
    EventFactory,
    InstallationFactory,
    NotificationFactory,
)

NOW = datetime(2026, 11, 23, 12, 34, 56, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)
STUCK = "workflow.step_stuck"


def happened(source: Any, type: str = STUCK, *, at: datetime = YESTERDAY, **data: Any) -> Event:
    return EventFactory.create(
        connection=None,
        organization=source.organization,
        source=source,
        type=type,
        received_at=at,
        payload={"data": data},
    )


def banner(
    event: Event, member: Membership, *said: Receipt.Kind, devices: int = 1, **more: Any
) -> Notification:
    """One that reached so many devices; `said` is what the app on the first of them told of it."""
    row = NotificationFactory.create(
        **{"event": event, "membership": member, "level": Level.LOUD, **more}
    )
    for number in range(devices):
        delivery = DeliveryFactory.create(notification=row, accepted=True)
        for kind in said if number == 0 else ():
            Receipt.objects.create(
                delivery=delivery, kind=kind, occurred_at=YESTERDAY, received_at=YESTERDAY
            )
    return row


def many(source: Any, member: Membership, count: int, *said: Receipt.Kind, **more: Any) -> None:
    """The same, but quickly."""
    at = more.get("at", YESTERDAY)
    type = more.get("type", STUCK)
    events = [happened(source, type, at=at) for _ in range(count)]
    phone = InstallationFactory.create(user=member.user)
    rows = Notification.objects.bulk_create(
        NotificationFactory.build(
            event=event, membership=member, created_at=at, level=more.get("level", Level.LOUD)
        )
        for event in events
    )
    deliveries = Delivery.objects.bulk_create(
        DeliveryFactory.build(
            notification=row,
            installation=phone,
            organization=source.organization,
            created_at=at,
            accepted=True,
        )
        for row in rows
    )
    Receipt.objects.bulk_create(
        Receipt(delivery=delivery, kind=kind, occurred_at=at, received_at=at)
        for delivery in deliveries
        for kind in said
    )


def happened_after(event: Event, type: str, *, minutes: float, **data: Any) -> Event:
    """To the same conversation or run."""
    at = event.occurred_at + timedelta(minutes=minutes)
    later = happened(event.source, type, at=at, **data)
    Event.objects.filter(pk=later.pk).update(subject=event.subject)
    return later
