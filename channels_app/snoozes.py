"""Snoozes: quiet from now until a moment, of everything, of a source, or of one thing of it.

A snooze is a member's: it counts in one organization, as its quiet hours and subscriptions do.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from channels_app import holds, memberships
from channels_app.models import Membership, Snooze, Source

SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=7)
# Each is read for every event that may be told: nobody needs more at a time.
MOST = 200


class TooMany(Exception):
    """The member has as many snoozes as one may have."""


def active(*, membership: Membership, now: datetime) -> QuerySet[Snooze]:
    """What a member has snoozed at this moment."""
    own = Snooze.objects.filter(membership=membership.pk, until__gt=now)
    return own.select_related("source")


def snooze(
    *,
    membership: Membership,
    until: datetime,
    now: datetime,
    source: Source | None = None,
    subject: str = "",
) -> tuple[Snooze, bool]:
    """Keep quiet until a moment; answers also whether it was not snoozed before.

    Snoozing again moves the end. What is over is forgotten on the way.

    Args:
        until: after `now`, and not beyond LONGEST from it.
        source: None for everything.
        subject: the platform's id of one conversation or run of the source; empty for all of it.

    Raises:
        TooMany
    """
    with transaction.atomic():
        # One at a time, so that nobody gets past the limit by asking twice at once.
        memberships.lock(membership)
        _forget_what_is_over(membership, now=now)
        own = Snooze.objects.filter(membership=membership.pk)
        if own.count() >= MOST and not own.filter(source=source, subject=subject).exists():
            raise TooMany
        found, created = Snooze.objects.update_or_create(
            membership=membership, source=source, subject=subject, defaults={"until": until}
        )
        holds.reconsider(membership_ids=[membership.pk], now=now)
    return found, created


def end(*, membership: Membership, snooze_id: int, now: datetime) -> bool:
    """End a snooze before its time, and judge what it kept; False: there is none like that."""
    with transaction.atomic():
        own = Snooze.objects.filter(membership=membership.pk, until__gt=now)
        ended, _ = own.filter(pk=snooze_id).delete()
        _forget_what_is_over(membership, now=now)
        if ended:
            holds.reconsider(membership_ids=[membership.pk], now=now)
    return bool(ended)


def _forget_what_is_over(membership: Membership, *, now: datetime) -> None:
    Snooze.objects.filter(membership=membership.pk, until__lte=now).delete()
