"""Subscriptions: which bots and workflows a member wants to hear of, and how loudly."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import NullIf

from channels_app.access import responder
from channels_app.levels import Level
from channels_app.models import Membership, Snooze, Source, Subscription


def sources(*, membership: Membership, now: datetime) -> QuerySet[Any]:
    """The bots and workflows of the organization, each with what it is to this member.

    Each row has `subscribed`; `level`, the member's for all of it, or None; `can_respond`, whether
    they may answer its customers; and `snoozed_until`, if they snoozed all of it.
    """
    own = Subscription.objects.filter(membership=membership.pk, source=OuterRef("pk"))
    snooze = Snooze.objects.filter(
        membership=membership.pk, source=OuterRef("pk"), subject="", until__gt=now
    )
    return Source.objects.filter(organization=membership.organization_id).annotate(
        subscribed=Exists(own),
        level=NullIf(Subquery(own.values("level")), Value("")),
        can_respond=responder(membership.user_id),
        snoozed_until=Subquery(snooze.values("until")),
    )


def subscribe(*, membership: Membership, source: Source, level: Level | None) -> bool:
    """Let a member hear of a source, at this level or (None) as its events are.

    Answers whether they did not before. `level` is not critical: that is a type's to be.
    """
    _, created = Subscription.objects.update_or_create(
        membership=membership, source=source, defaults={"level": level or ""}
    )
    return created


def unsubscribe(*, membership: Membership, source: Source) -> None:
    """Let a member hear nothing of a source. What they set for its types stays, for a return."""
    Subscription.objects.filter(membership=membership.pk, source=source.pk).delete()
