"""The first page: how the last 24 hours went, what waits, and what is broken.

Every figure is taken from the reader's own organizations, by a fixed number of queries, each of
which goes through an index to the window it is about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from django.conf import settings
from django.db.models import Aggregate, Count, DurationField, F, Min, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.module_loading import import_string

from channels_app.admin import cells, scope
from channels_app.levels import Lane
from channels_app.models import (
    Attempt,
    Connection,
    Delivery,
    Event,
    Installation,
    Membership,
    Organization,
    Subscription,
)

WINDOW = timedelta(hours=24)
CREDENTIALS_WINDOW = timedelta(hours=1)
# A push lives for a day at most (`levels.TIME_TO_LIVE`): no younger attempt has an older event.
LONGEST_LIFE = timedelta(hours=25)
# What waits longer than this is worth a look: the sweep takes up what is due every few seconds.
LATE = timedelta(seconds=30)


class Median(Aggregate):
    """PostgreSQL's ordered-set aggregate."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"


@dataclass(frozen=True, slots=True)
class Figures:
    """What the dashboard shows. Durations are None where nothing was measured."""

    received: int = 0
    quarantined: int = 0
    accepted: int = 0
    failed: int = 0
    unanswered: int = 0
    median: timedelta | None = None
    waiting: dict[str, timedelta | None] = field(default_factory=dict)
    dead_devices: int = 0
    living_devices: int = 0
    broken_credentials: int = 0


def figures(organizations: QuerySet[Organization], *, now: datetime) -> Figures:
    return Figures(
        **_events(organizations, now - WINDOW),
        **_deliveries(organizations, now - WINDOW),
        waiting=_waiting(organizations, now),
        **_devices(organizations),
        broken_credentials=_broken_credentials(organizations, now),
    )


def _events(organizations: QuerySet[Organization], since: datetime) -> dict[str, Any]:
    rows = Event.objects.filter(organization__in=organizations)
    return {
        "received": rows.filter(received_at__gte=since).count(),
        "quarantined": rows.filter(state=Event.State.QUARANTINED).count(),
    }


def _deliveries(organizations: QuerySet[Organization], since: datetime) -> dict[str, Any]:
    accepted = Q(state=Delivery.State.ACCEPTED)
    rows = Delivery.objects.filter(
        notification__event__organization__in=organizations,
        notification__event__received_at__gte=since,
    )
    return rows.aggregate(
        accepted=Count("pk", filter=accepted),
        failed=Count("pk", filter=Q(state=Delivery.State.FAILED)),
        unanswered=Count("pk", filter=Q(state=Delivery.State.UNKNOWN)),
        median=Median(
            F("settled_at") - F("notification__event__received_at"),
            filter=accepted,
            output_field=DurationField(),
        ),
    )


def _waiting(organizations: QuerySet[Organization], now: datetime) -> dict[str, timedelta | None]:
    """For each lane the age of the oldest event to be routed or delivery that is due."""
    unrouted = Event.objects.filter(organization__in=organizations, state=Event.State.RECEIVED)
    unsent = Delivery.objects.filter(
        organization__in=organizations, state=Delivery.State.PENDING, due_at__lte=now
    )
    oldest: dict[str, datetime] = {}
    for lane, at in [
        *unrouted.values_list("lane").annotate(Min("received_at")),
        *unsent.values_list("lane").annotate(Min("due_at")),
    ]:
        oldest[lane] = min(at, oldest.get(lane, at))
    return {lane.value: now - oldest[lane] if lane in oldest else None for lane in Lane}


def _devices(organizations: QuerySet[Organization]) -> dict[str, Any]:
    rows = Installation.objects.filter(user__in=scope.people_of(organizations))
    dead = Q(dead_since__isnull=False)
    return rows.aggregate(
        dead_devices=Count("pk", filter=dead), living_devices=Count("pk", filter=~dead)
    )


def _broken_credentials(organizations: QuerySet[Organization], now: datetime) -> int:
    return Attempt.objects.filter(
        delivery__notification__event__organization__in=organizations,
        delivery__notification__event__received_at__gte=now - LONGEST_LIFE,
        verdict=Attempt.Verdict.CREDENTIALS,
        sent_at__gte=now - CREDENTIALS_WINDOW,
    ).count()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do before the first banner can reach a phone."""

    title: str
    done: bool
    address: str


def first_steps(organizations: QuerySet[Organization]) -> list[Step]:
    members = Membership.objects.filter(organization__in=organizations)
    subscribed = Subscription.objects.filter(membership__organization__in=organizations)
    return [
        Step(
            "Make an organization",
            organizations.exists(),
            cells.listing("chatbot_organization"),
        ),
        Step(
            "Give it a connection, and its URL and secret to the platform",
            Connection.objects.filter(organization__in=organizations).exists(),
            cells.listing("chatbot_connection"),
        ),
        Step("Make its agents members", members.exists(), cells.listing("chatbot_membership")),
        Step(
            "Let each agent sign in to the app: that registers their device",
            Installation.objects.filter(user__in=members.values("user")).exists(),
            cells.listing("chatbot_installation"),
        ),
        Step(
            "Subscribe them to bots and workflows (known once an event names them)",
            subscribed.exists(),
            cells.listing("chatbot_membership"),
        ),
    ]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's `DASHBOARD_CALLBACK`."""
    if not request.user.has_perm("chatbot.view_event"):
        return context
    organizations = scope.of_request(request)
    shown = figures(organizations, now=timezone.now())
    steps = [] if shown.received else first_steps(organizations)
    return {
        **context,
        "figures": shown,
        "tiles": [*_tiles(shown), *_tiles_of_others(organizations)],
        "lanes": [
            (lane, cells.took(age), bool(age and age > LATE)) for lane, age in shown.waiting.items()
        ],
        "first_steps": [] if steps and all(step.done for step in steps) else steps,
    }


@dataclass(frozen=True, slots=True)
class Tile:
    title: str
    value: str
    note: str
    address: str
    alarming: bool = False


def _tiles_of_others(organizations: QuerySet[Organization]) -> list[Tile]:
    """What the apps above have to say; `settings.DASHBOARD_TILES` names their functions."""
    return [tile for name in settings.DASHBOARD_TILES for tile in _maker(name)(organizations)]


@cache
def _maker(name: str) -> Callable[[QuerySet[Organization]], list[Tile]]:
    return cast(Callable[[QuerySet[Organization]], list[Tile]], import_string(name))


def _tiles(shown: Figures) -> list[Tile]:
    day = {"period": "24h"}
    return [
        Tile("Events received", f"{shown.received:,}", "", cells.listing("chatbot_event", **day)),
        Tile(
            "Pushes accepted",
            f"{shown.accepted:,}",
            "by Apple, Google and the browser vendors",
            cells.listing("chatbot_delivery", state="accepted", **day),
        ),
        Tile(
            "Webhook to acceptance",
            cells.took(shown.median),
            "the median",
            cells.listing("chatbot_delivery", state="accepted", **day),
        ),
        Tile(
            "Pushes failed",
            f"{shown.failed:,}",
            f"and {shown.unanswered:,} never answered",
            cells.listing("chatbot_delivery", state="failed", **day),
            shown.failed > 0,
        ),
        Tile(
            "Quarantined events",
            f"{shown.quarantined:,}",
            "at any time; nobody was told of them",
            cells.listing("chatbot_event", state="quarantined"),
            shown.quarantined > 0,
        ),
        Tile(
            "Broken credentials",
            f"{shown.broken_credentials:,}",
            "refused attempts in the last hour",
            cells.listing("chatbot_attempt", verdict="credentials", period="1h"),
            shown.broken_credentials > 0,
        ),
        Tile(
            "Dead devices",
            f"{shown.dead_devices:,}",
            f"and {shown.living_devices:,} alive",
            cells.listing("chatbot_installation", alive="no"),
        ),
    ]
