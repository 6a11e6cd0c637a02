"""Fan-out: from an event to a notification for each person and a delivery for each device.

Routing an event twice changes nothing: every insert stands under a unique constraint, in one
transaction with the event's own change of state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from channels_app import audience, banners, routing
from channels_app.audience import Audience
from channels_app.banners import Banner
from channels_app.event_types import CATALOGUE
from channels_app.leases import LEASE, Leased
from channels_app.levels import Level, time_to_live
from channels_app.links import About
from channels_app.models import Event
from channels_app.routing import Candidate, Decision, Occasion, Outcome, Thresholds


@dataclass(frozen=True, slots=True)
class Fanned:
    """What a fan-out came to."""

    deliveries: int
    leased: list[Leased]
    """Those that were born leased, for the caller to send."""


def fan_out(*, event_ids: Sequence[int], now: datetime, room: int) -> Fanned:
    """Give every candidate of these events an outcome, and each of their devices a delivery.

    Up to `room` deliveries are born leased: the caller sends them when its transaction is
    committed. Call it in one, and with events of one lane. The number of queries is the same for
    one candidate and for many.
    """
    events = list(
        Event.objects.select_for_update(of=("self",))
        .select_related("organization", "source")
        .filter(pk__in=event_ids, state=Event.State.RECEIVED)
        .order_by("pk")  # the order in which everyone locks
    )
    people = audience.gather(events)
    verdicts = [verdict for event in events for verdict in _judge(Case(event), people)]
    fanned = _insert(verdicts, people, now=now, room=room) if verdicts else Fanned(0, [])
    Event.objects.filter(pk__in=[event.pk for event in events]).update(
        state=Event.State.ROUTED, routed_at=now
    )
    return fanned


class Case:
    """An event, with what is the same for everyone who is told of it, worked out once."""

    def __init__(self, event: Event) -> None:
        data = event.payload["data"]
        step = data.get("step")
        self.event = event
        self.data = data
        self.row = CATALOGUE[event.type]
        self.organization = event.organization.slug
        self.about = About(
            row=self.row,
            organization_id=event.organization_id,
            event_id=event.pk,
            source=event.source.external_id if event.source else "",
            subject=event.subject,
            step=str(step["index"]) if step else "",
        )
        self._banners: dict[str, Banner] = {}

    def banner(self, locale: str) -> Banner:
        """The banner in a language."""
        if locale not in self._banners:
            self._banners[locale] = banners.render(
                type=self.event.type, data=self.data, facts=self.event.facts, locale=locale
            )
        return self._banners[locale]

    def expires_at(self, level: Level) -> datetime:
        """When a push of this level is worth nothing any more."""
        return self.event.received_at + time_to_live(
            level, claim_window=self.event.organization.claim_window
        )


@dataclass(slots=True)
class Verdict:
    """What was decided of one event for one person."""

    case: Case
    candidate: Candidate
    decision: Decision
    banner: Banner | None
    """None unless it is pushed."""
    expires_at: datetime | None


def _judge(case: Case, people: Audience) -> Iterable[Verdict]:
    source_id = case.event.source_id or 0
    occasion = Occasion(
        row=case.row,
        data=case.data,
        facts=case.event.facts,
        thresholds=people.thresholds.get(source_id, Thresholds()),
    )
    lives: dict[Level, datetime] = {
        level: case.expires_at(level) for level in Level if level is not Level.OFF
    }
    for candidate in people.candidates(source_id=source_id, type=case.event.type):
        decision = routing.decide(occasion, candidate)
        if decision.outcome is Outcome.PUSHED:
            banner = case.banner(candidate.locale)
            yield Verdict(case, candidate, decision, banner, lives[decision.level])
        else:
            yield Verdict(case, candidate, decision, None, None)


# A whole batch in one statement, as arrays: four times the speed of bulk_create, and deliveries
# find the ids of their notifications on the way. A banner travels once, however many are told.
INSERT = """
    WITH made AS (
        INSERT INTO chatbot_notification (
            event_id, membership_id, outcome, decided_by, level, title, body, created_at
        )
        SELECT event_id, membership_id, outcome, decided_by, level,
            COALESCE((%(titles)s::text[])[banner], ''), COALESCE((%(bodies)s::text[])[banner], ''),
            %(now)s
        FROM unnest(
            %(event)s::bigint[], %(member)s::bigint[], %(outcome)s::text[], %(decided_by)s::text[],
            %(level)s::text[], %(banner)s::int[]
        ) told (event_id, membership_id, outcome, decided_by, level, banner)
        ON CONFLICT (event_id, membership_id) DO NOTHING
        RETURNING id, event_id, membership_id
    ), queued AS (
        INSERT INTO chatbot_delivery (
            notification_id, installation_id, organization_id, lane, state, attempts, due_at,
            holder, expires_at, downgraded, reason, created_at
        )
        SELECT made.id, installation_id, organization_id, %(lane)s,
            CASE WHEN leased THEN 'sending' ELSE 'pending' END, leased::int,
            CASE WHEN leased THEN %(lease_until)s ELSE %(now)s END,
            CASE WHEN leased THEN %(holder)s ELSE '' END,
            to_timestamp(expires_at), downgraded, '', %(now)s
        FROM unnest(
            %(d_event)s::bigint[], %(d_member)s::bigint[], %(d_installation)s::uuid[],
            %(d_organization)s::bigint[], %(d_expires)s::float8[], %(d_downgraded)s::boolean[],
            %(d_leased)s::boolean[]
        ) device (
            event_id, membership_id, installation_id, organization_id, expires_at, downgraded,
            leased
        )
        JOIN made USING (event_id, membership_id)
        ON CONFLICT (notification_id, installation_id) DO NOTHING
        RETURNING id, notification_id, installation_id, state
    )
    SELECT queued.id, made.id, event_id, membership_id, installation_id::text
    FROM queued JOIN made ON made.id = notification_id
    WHERE state = 'sending'
"""
MEMBER_COLUMNS = ("event", "member", "outcome", "decided_by", "level", "banner")
DEVICE_COLUMNS = (
    "d_event",
    "d_member",
    "d_installation",
    "d_organization",
    "d_expires",
    "d_downgraded",
    "d_leased",
)


def _insert(verdicts: Sequence[Verdict], people: Audience, *, now: datetime, room: int) -> Fanned:
    texts = _Texts()
    members = [_member_row(verdict, texts) for verdict in verdicts]
    devices = []
    leased: dict[tuple[int, int, str], tuple[Verdict, UUID]] = {}
    for verdict in verdicts:
        if verdict.expires_at is None:
            continue
        for device in verdict.candidate.devices:
            key = (
                verdict.case.about.event_id,
                verdict.candidate.membership_id,
                str(device.installation_id),
            )
            # What has expired while nobody routed it is left to `deliveries.lease`, which says so.
            at_once = len(leased) < room and verdict.expires_at > now
            devices.append(
                (
                    *key,
                    verdict.case.about.organization_id,
                    verdict.expires_at.timestamp(),
                    verdict.decision.level is Level.CRITICAL and not device.critical_sounds,
                    at_once,
                )
            )
            if at_once:
                leased[key] = (verdict, device.installation_id)
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT,
            {
                "now": now,
                "lease_until": now + LEASE,
                "holder": settings.LEASE_HOLDER,
                "lane": verdicts[0].case.event.lane,
                "titles": texts.titles,
                "bodies": texts.bodies,
                **_columns(MEMBER_COLUMNS, members),
                **_columns(DEVICE_COLUMNS, devices),
            },
        )
        made = cursor.fetchall()
    return Fanned(
        deliveries=len(devices),
        leased=[
            _leased(
                *leased[event_id, membership_id, installation],
                people,
                delivery_id=delivery_id,
                notification_id=notification_id,
            )
            for delivery_id, notification_id, event_id, membership_id, installation in made
        ],
    )


class _Texts:
    """The banners of a batch, each once, numbered from 1 as SQL counts."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.bodies: list[str] = []
        self._numbers: dict[int, int] = {}

    def number(self, banner: Banner) -> int:
        found = self._numbers.get(id(banner))
        if found is None:
            self.titles.append(banner.title)
            self.bodies.append(banner.body)
            found = self._numbers[id(banner)] = len(self.titles)
        return found


def _columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return {name: list(column) for name, column in zip(names, columns, strict=True)}


def _member_row(verdict: Verdict, texts: _Texts) -> tuple[Any, ...]:
    return (
        verdict.case.about.event_id,
        verdict.candidate.membership_id,
        verdict.decision.outcome.value,
        verdict.decision.decided_by,
        verdict.decision.level.value,
        texts.number(verdict.banner) if verdict.banner else None,
    )


def _leased(
    verdict: Verdict,
    installation_id: UUID,
    people: Audience,
    *,
    delivery_id: int,
    notification_id: int,
) -> Leased:
    if verdict.banner is None or verdict.expires_at is None:
        raise ValueError("only what is pushed is leased")
    return Leased(
        delivery_id=delivery_id,
        attempt=1,
        expires_at=verdict.expires_at,
        notification_id=notification_id,
        membership_id=verdict.candidate.membership_id,
        installation_id=installation_id,
        target=people.targets[installation_id],
        level=verdict.decision.level,
        title=verdict.banner.title,
        body=verdict.banner.body,
        locale=verdict.candidate.locale,
        about=verdict.case.about,
        organization=verdict.case.organization,
        facts=verdict.case.event.facts,
    )
