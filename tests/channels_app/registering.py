"""Phones that register themselves, and what waits for them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from push_notifications.models import APNSDevice

from channels_app import installations
from channels_app.gateways.pushes import Answer, Verdict
from channels_app.installations import Registered
from channels_app.leases import Leased
from channels_app.models import Delivery, Installation, Membership, User
from channels_app.push_tokens import Address
from tests.factories import AUTH, P256DH, DeliveryFactory, permit

NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
TOKEN, OTHER_TOKEN = "ab" * 32, "cd" * 32
PHONE, OTHER_PHONE = uuid.UUID(int=1), uuid.UUID(int=2)
SECRET, OTHER_SECRET = "s" * 32, "t" * 32


def iphone(token: str = TOKEN) -> Address:
    return Address(Installation.Platform.APNS, "ios-sandbox", token)


def browser(url: str = "https://localhost/push/1") -> Address:
    return Address(Installation.Platform.WEBPUSH, "web-sandbox", url, P256DH, AUTH)


def register(user: User, address: Address | None = None, **given: Any) -> Registered:
    """The person's app on the phone registers itself."""
    chosen: dict[str, Any] = {"installation_id": PHONE, "secret": SECRET, "now": NOW}
    return installations.register(user=user, address=address or iphone(), **chosen | given)


def enter(user: User, address: Address | None = None) -> Installation:
    """Somebody who knows no more than the token registers it, as the demo does."""
    return installations.register(user=user, address=address or iphone(), now=NOW).installation


def wait_for(phone: uuid.UUID, member: Membership) -> Delivery:
    """A push to this phone that is due, of an escalation that the member may answer."""
    row = DeliveryFactory.create(
        notification__membership=member,
        installation=Installation.objects.get(pk=phone),
        due_at=NOW,
        state="pending",
    )
    bot = row.notification.event.source
    assert bot is not None
    permit(bot=bot.bot, to=member.user)
    return row


def dead(leased: Leased, *, sent_at: datetime) -> Answer:
    """The push service says that there is no such token."""
    sent = sent_at.timestamp()
    return Answer(
        leased.delivery_id, Verdict.DEAD, 410, "Gone", sent_at=sent, answered_at=sent + 0.1
    )


def kill(installation_id: uuid.UUID, *, at: datetime = NOW) -> None:
    Installation.objects.filter(pk=installation_id).update(dead_since=at)
    APNSDevice.objects.filter(installation=installation_id).update(active=False)
