"""Fan-out: from an event to a notification for each person and a delivery for each device.

Routing an event twice changes nothing: every insert stands under a unique constraint, in one
transaction with the event's own change of state.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction

from channels_app import audience, banners, routing
from channels_app.audience import Audience
from channels_app.banners import Banner
from channels_app.event_types import CATALOGUE
from channels_app.levels import Lane, Level, time_to_live
from channels_app.models import Event
from channels_app.routing import Candidate, Decision, Occasion, Outcome, Thresholds

log = structlog.get_logger(__name__)

# A worker that took an event and died leaves it to another after this long.
ROUTE_LEASE = timedelta(seconds=15)
ROUTE_ATTEMPTS = 3
NOTHING = Banner(title="", body="")

# One organization's storm takes turns with every other organization's events. An event that failed
# once is taken alone, so that a poisonous one cannot take its neighbours into quarantine.
TAKE = """
    WITH fresh AS (
        SELECT due.id FROM chatbot_organization organization
        CROSS JOIN LATERAL (
            SELECT id FROM chatbot_event
            WHERE lane = %(lane)s AND organization_id = organization.id
                AND state = 'received' AND route_at <= %(now)s
            ORDER BY route_at LIMIT %(limit)s
            FOR UPDATE SKIP LOCKED
        ) due
    )
    UPDATE chatbot_event SET route_attempts = route_attempts + 1, route_at = %(until)s
    FROM fresh WHERE chatbot_event.id = fresh.id
    RETURNING chatbot_event.id, route_attempts
"""


def route(*, lane: Lane, now: datetime, limit: int) -> int:
    """Route events of a lane that nobody has routed yet; answer how many were taken.

    `limit` is per organization and bounds one transaction.
    """
    taken = _take(lane=lane, now=now, limit=limit)
    first_time = [pk for pk, attempts in taken if attempts == 1]
    if first_time and not _try(first_time, now=now):
        for pk in first_time:
            _try([pk], now=now)
    for pk, attempts in taken:
        if attempts > ROUTE_ATTEMPTS:
            _quarantine(pk)
        elif attempts > 1:
            _try([pk], now=now)
    return len(taken)


def _take(*, lane: Lane, now: datetime, limit: int) -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            TAKE,
            {"lane": lane.value, "now": now, "until": now + ROUTE_LEASE, "limit": limit},
        )
        return [(pk, attempts) for pk, attempts in cursor.fetchall()]


def _try(event_ids: Sequence[int], *, now: datetime) -> bool:
    """Fan a batch out; a failure is kept with its event and answered False.

    Anything may fail here, an operator's template included, and none of it may stop the lane: hence
    the one broad `except`, which records what it caught. A database that is gone is no event's
    fault, and is raised.
    """
    try:
        with transaction.atomic():
            fan_out(event_ids=event_ids, now=now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("route.failed", events=list(event_ids))
        Event.objects.filter(pk__in=event_ids, state=Event.State.RECEIVED).update(
            route_error=f"{type(error).__name__}: {error}"[:2000]
        )
        return False
    return True


def _quarantine(event_id: int) -> None:
    if Event.objects.filter(pk=event_id, state=Event.State.RECEIVED).update(
        state=Event.State.QUARANTINED
    ):
        log.error("route.quarantined", event=event_id)


def fan_out(*, event_ids: Sequence[int], now: datetime) -> None:
    """Give every candidate of these events an outcome, and each of their devices a delivery.

    Call it in a transaction. The number of queries is the same for one candidate and for many.
    """
    events = list(
        Event.objects.select_for_update(of=("self",))
        .select_related("organization")
        .filter(pk__in=event_ids, state=Event.State.RECEIVED)
    )
    people = audience.gather(events)
    rows = Rows()
    for event in events:
        _decide(event, people, rows)
    if rows.members:
        rows.insert(now=now)
    Event.objects.filter(pk__in=[event.pk for event in events]).update(
        state=Event.State.ROUTED, routed_at=now
    )


def _decide(event: Event, people: Audience, rows: Rows) -> None:
    row = CATALOGUE[event.type]
    data = event.payload["data"]
    occasion = Occasion(
        row=row,
        data=data,
        facts=event.facts,
        thresholds=people.thresholds.get(event.source_id or 0, Thresholds()),
    )
    rendered: dict[str, Banner] = {}
    for candidate in people.candidates(source_id=event.source_id or 0, type=event.type):
        decision = routing.decide(occasion, candidate)
        if decision.outcome is not Outcome.PUSHED:
            rows.add(event, candidate, decision, NOTHING)
            continue
        if candidate.locale not in rendered:
            rendered[candidate.locale] = banners.render(
                type=event.type, data=data, facts=event.facts, locale=candidate.locale
            )
        rows.add(event, candidate, decision, rendered[candidate.locale])


# The rows of a whole batch in one statement, as arrays: four times the speed of bulk_create, and
# the deliveries find the ids of their notifications on the way.
INSERT = """
    WITH made AS (
        INSERT INTO chatbot_notification (
            event_id, membership_id, outcome, decided_by, level, title, body, created_at
        )
        SELECT told.*, %(now)s FROM unnest(
            %(event)s::bigint[], %(member)s::bigint[], %(outcome)s::text[], %(decided_by)s::text[],
            %(level)s::text[], %(title)s::text[], %(body)s::text[]
        ) told
        ON CONFLICT (event_id, membership_id) DO NOTHING
        RETURNING id, event_id, membership_id
    )
    INSERT INTO chatbot_delivery (
        notification_id, installation_id, organization_id, lane, state, due_at, expires_at,
        attempts, downgraded, reason, created_at
    )
    SELECT made.id, device.installation_id, device.organization_id, device.lane, 'pending', %(now)s,
        device.expires_at, 0, device.downgraded, '', %(now)s
    FROM unnest(
        %(d_event)s::bigint[], %(d_member)s::bigint[], %(d_installation)s::uuid[],
        %(d_organization)s::bigint[], %(d_lane)s::text[], %(d_expires)s::timestamptz[],
        %(d_downgraded)s::boolean[]
    ) device (
        event_id, membership_id, installation_id, organization_id, lane, expires_at, downgraded
    )
    JOIN made USING (event_id, membership_id)
    ON CONFLICT (notification_id, installation_id) DO NOTHING
"""


class Rows:
    """Notifications and deliveries to be inserted together."""

    def __init__(self) -> None:
        self.members: list[tuple[Any, ...]] = []
        self.devices: list[tuple[Any, ...]] = []

    def add(self, event: Event, candidate: Candidate, decision: Decision, banner: Banner) -> None:
        self.members.append(
            (
                event.pk,
                candidate.membership_id,
                decision.outcome.value,
                decision.decided_by,
                decision.level.value,
                banner.title,
                banner.body,
            )
        )
        if decision.outcome is not Outcome.PUSHED:
            return
        expires_at = event.received_at + time_to_live(
            decision.level, claim_window=event.organization.claim_window
        )
        for device in candidate.devices:
            self.devices.append(
                (
                    event.pk,
                    candidate.membership_id,
                    str(device.installation_id),
                    event.organization_id,
                    event.lane,
                    expires_at,
                    decision.level is Level.CRITICAL and not device.critical_sounds,
                )
            )

    def insert(self, *, now: datetime) -> None:
        members = [list(column) for column in zip(*self.members, strict=True)]
        devices = [list(column) for column in zip(*self.devices, strict=True)]
        with connection.cursor() as cursor:
            cursor.execute(
                INSERT,
                {
                    "now": now,
                    **dict(zip(MEMBER_COLUMNS, members, strict=True)),
                    **dict(
                        zip(DEVICE_COLUMNS, devices or [[] for _ in DEVICE_COLUMNS], strict=True)
                    ),
                },
            )


MEMBER_COLUMNS = ("event", "member", "outcome", "decided_by", "level", "title", "body")
DEVICE_COLUMNS = (
    "d_event",
    "d_member",
    "d_installation",
    "d_organization",
    "d_lane",
    "d_expires",
    "d_downgraded",
)
