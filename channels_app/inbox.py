"""A member's inbox: all that they were told, or would have been, and what of it they have read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q, QuerySet

from channels_app import links
from channels_app.event_types import EVENT_TYPES, Channel
from channels_app.links import About
from channels_app.models import Notification
from channels_app.routing import WAITING, Outcome

# Beyond this nobody counts: a badge says that there are more.
MOST_COUNTED = 1000


class NotInInbox(LookupError):
    """There is no such notification in this inbox."""


@dataclass(frozen=True, slots=True)
class Unread:
    """How many are unread, up to `MOST_COUNTED`, and whether there are `more`."""

    unread: int
    more: bool


def listed(membership_id: int) -> QuerySet[Notification]:
    """What stands in the inbox."""
    return Notification.objects.filter(membership=membership_id, listed=True)


def shown(membership_id: int) -> QuerySet[Notification]:
    """That, and what reached a device without standing in the inbox: digests and test pushes."""
    return Notification.objects.filter(Q(listed=True) | Q(outcome=Outcome.PUSHED)).filter(
        membership=membership_id
    )


def of_channel(channel: Channel) -> Q:
    """Of notifications: those of a channel."""
    types = [row.name for row in EVENT_TYPES.values() if row.channel is channel]
    return Q(event__type__in=types)


def with_origin(notifications: QuerySet[Notification]) -> QuerySet[Notification]:
    """With what `about` and a list need, and without the messages that they came of."""
    return notifications.select_related("event__source").defer("event__payload", "event__facts")


def about(notification: Notification) -> About:
    """What a notification is about."""
    event = notification.event
    return About(
        row=EVENT_TYPES[event.type],
        organization_id=event.organization_id,
        event_id=event.pk,
        source=event.source.external_id if event.source else "",
        subject=event.subject,
    )


def link(notification: Notification, *, organization: str) -> str:
    """What a tap on it opens; `organization` is its slug."""
    return links.link(about(notification), base=settings.LINK_BASE, organization=organization)


def waits_until(notification: Notification) -> datetime | None:
    """When it is judged again, while it waits."""
    return notification.held_until if notification.outcome in WAITING else None


def unread(membership_id: int) -> Unread:
    """What the badge says. It costs the same however many were read, or ever came."""
    # Of the index's own column, so that no row has to be looked at.
    counted = listed(membership_id).filter(read_at=None).values("membership")
    count = counted[: MOST_COUNTED + 1].count()
    return Unread(unread=min(count, MOST_COUNTED), more=count > MOST_COUNTED)


def read(*, membership_id: int, notification_id: int, now: datetime) -> None:
    """Mark one as read. The first time is the one that is kept.

    Raises:
        NotInInbox
    """
    one = shown(membership_id).filter(pk=notification_id)
    if not one.filter(read_at=None).update(read_at=now) and not one.exists():
        raise NotInInbox(notification_id)


def unread_again(*, membership_id: int, notification_id: int) -> None:
    """Take back that one was read.

    Raises:
        NotInInbox
    """
    one = shown(membership_id).filter(pk=notification_id)
    if not one.filter(read_at__isnull=False).update(read_at=None) and not one.exists():
        raise NotInInbox(notification_id)


def read_up_to(*, membership_id: int, newest_id: int, now: datetime) -> None:
    """Mark one and all that stand below it in the list as read; what came later is not touched.

    Raises:
        NotInInbox: nothing was changed.
    """
    newest = listed(membership_id).filter(pk=newest_id).values_list("created_at", flat=True).first()
    if newest is None:
        raise NotInInbox(newest_id)
    below = Q(created_at__lt=newest) | Q(created_at=newest, pk__lte=newest_id)
    listed(membership_id).filter(below, read_at=None).update(read_at=now)
