"""Deliveries that are due, and what workers do with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from channels_app import deliveries
from channels_app.deliveries import Taken
from channels_app.gateways.pushes import Answer, Verdict
from channels_app.leases import Leased
from channels_app.levels import Lane
from channels_app.models import Delivery, Installation, Organization
from tests.factories import DeliveryFactory, permit

NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def due(organization: Organization | None = None, **fields: Any) -> Delivery:
    """A delivery of an update, which asks for no permission."""
    event: dict[str, Any] = {
        "notification__event__type": "bot.tool_linked",
        "notification__event__received_at": NOW,
        "notification__level": "loud",
    }
    if organization:
        event["notification__event__connection__organization"] = organization
    return DeliveryFactory.create(**{**event, **fields})


def call(**fields: Any) -> Delivery:
    """A delivery of an escalation to somebody who may respond."""
    made = DeliveryFactory.create(notification__event__received_at=NOW, **fields)
    event = made.notification.event
    assert event.source
    permit(bot=event.source.bot, to=made.notification.membership.user)
    return made


def lease(lane: Lane = Lane.DEFAULT, *, after: timedelta = timedelta(), limit: int = 100) -> Taken:
    return deliveries.lease(lane=lane, now=NOW + after, limit=limit)


def ids(taken: Taken) -> set[int]:
    return {leased.delivery_id for leased in taken.leased}


def leased_one(**fields: Any) -> tuple[Delivery, Leased]:
    """The only delivery there is, in the hands of a worker."""
    delivery = due(**fields)
    (leased,) = lease().leased
    return delivery, leased


def phone_of(delivery: Delivery) -> Installation:
    """The installation as it is now."""
    assert delivery.installation_id
    return Installation.objects.get(pk=delivery.installation_id)


def answer(delivery_id: int, verdict: Verdict, **fields: Any) -> Answer:
    known: dict[str, Any] = {"status": 200, "reason": "", "sent_at": NOW.timestamp()}
    known["answered_at"] = NOW.timestamp() + 0.04
    return Answer(delivery_id=delivery_id, verdict=verdict, **{**known, **fields})


def settle(leased: Leased, verdict: Verdict, **fields: Any) -> Delivery:
    """The row of a delivery, after the push service has answered."""
    given = answer(leased.delivery_id, verdict, **fields)
    deliveries.settle([(leased, given)], now=NOW)
    return Delivery.objects.get(pk=leased.delivery_id)
