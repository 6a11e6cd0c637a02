"""Routing: events that nobody has routed yet are taken, fanned out, and tried again if need be."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import Error, transaction
from django.db.models import F

from channels_app.fan_out import fan_out
from channels_app.leases import Leased
from channels_app.levels import Lane
from channels_app.models import Event
from channels_app.outages import is_outage
from channels_app.prepared import Prepared
from channels_app.shown import retracts, unrouted

log = structlog.get_logger(__name__)

# A worker that took an event and died leaves it to another after this long. Short, since one that
# is merely slow holds the event's row locked until all is inserted: nobody is told twice.
ROUTE_LEASE = timedelta(seconds=5)
ROUTE_ATTEMPTS = 3

# One organization's storm takes turns with every other organization's events, and all of them share
# the limit. Of those that failed before, or whose worker died, one is taken at a time, the least
# tried first: a poisonous one is charged for itself, and takes no neighbour into quarantine.
TAKE = Prepared("""
    WITH fresh AS (
        SELECT id FROM (
            SELECT waiting.id, row_number() OVER (
                PARTITION BY organization.id ORDER BY waiting.route_at
            ) AS turn
            FROM chatbot_organization organization
            CROSS JOIN LATERAL (
                SELECT id, route_at FROM chatbot_event
                WHERE lane = %(lane)s::text AND organization_id = organization.id
                    AND state = 'received' AND route_attempts = 0
                    AND route_at <= %(now)s::timestamptz
                ORDER BY route_at LIMIT %(limit)s::int
                FOR UPDATE SKIP LOCKED
            ) waiting
        ) turns
        ORDER BY turn LIMIT %(limit)s::int
    ), again AS (
        SELECT id FROM chatbot_event
        WHERE lane = %(lane)s::text AND state = 'received' AND route_attempts > 0
            AND route_at <= %(now)s::timestamptz
        ORDER BY route_attempts, route_at LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    UPDATE chatbot_event SET route_attempts = route_attempts + 1, route_at = %(until)s::timestamptz
    FROM (SELECT id FROM fresh UNION ALL SELECT id FROM again) taken
    WHERE chatbot_event.id = taken.id
    RETURNING chatbot_event.id, route_attempts, type
""")


@dataclass(slots=True)
class Routed:
    """What a call of `route` did."""

    events: int
    """How many events were taken."""
    deliveries: int = 0
    """How many deliveries they came to."""
    leased: list[Leased] = field(default_factory=list)
    """The deliveries that the caller has to send now."""


def route(*, lane: Lane, now: datetime, limit: int, room: int) -> Routed:
    """Route events of a lane that nobody has routed yet.

    `limit` is a number of events, and bounds one transaction; `room` is how many of the new
    deliveries the caller can send itself, now: it gets that many leased. The others wait for
    whoever leases them.
    """
    rows = _take(lane=lane, now=now, limit=limit)
    taken = [(pk, attempts) for pk, attempts, _ in rows]
    routed = Routed(events=len(taken))
    fresh = [pk for pk, attempts in taken if attempts == 1]
    if retractions := [pk for pk, attempts, type in rows if attempts == 1 and retracts(type)]:
        fresh = sorted({*fresh, *unrouted(retractions)})
    again = [pk for pk, attempts in taken if 1 < attempts <= ROUTE_ATTEMPTS]
    try:
        if fresh and not _try(fresh, routed, now=now, room=room) and len(fresh) > 1:
            again += fresh
        for pk in again:
            _try([pk], routed, now=now, room=room)
    except Error:
        # What was leased before the database went away must not be lost with it.
        if not routed.leased:
            raise
        log.warning("route.interrupted", sent_nevertheless=len(routed.leased))
    for pk, attempts in taken:
        if attempts > ROUTE_ATTEMPTS:
            _quarantine(pk)
    return routed


def _take(*, lane: Lane, now: datetime, limit: int) -> list[tuple[int, int, str]]:
    """Id, how often it was tried with this time, and type."""
    return TAKE.all({"lane": lane.value, "now": now, "until": now + ROUTE_LEASE, "limit": limit})


def _try(event_ids: Sequence[int], routed: Routed, *, now: datetime, room: int) -> bool:
    """Fan a batch out; a failure is kept with its events and answered False.

    Anything may fail here, an operator's template included, and none of it may stop the lane: hence
    the one broad `except`, which records what it caught. A database that is gone is no event's
    fault, and is raised.
    """
    try:
        with transaction.atomic():
            fanned = fan_out(event_ids=event_ids, now=now, room=room - len(routed.leased))
    except Exception as error:
        if isinstance(error, Error) and is_outage(error):
            _forgive(event_ids)
            raise
        log.exception("route.failed", event_ids=list(event_ids))
        Event.objects.filter(pk__in=event_ids, state=Event.State.RECEIVED).update(
            route_error=f"{type(error).__name__}: {error}"[:2000]
        )
        return False
    routed.deliveries += fanned.deliveries
    routed.leased += fanned.leased
    return True


def _forgive(event_ids: Sequence[int]) -> None:
    """Take the attempt back: the database failed, not the events. As far as it still can."""
    with suppress(Error):
        Event.objects.filter(pk__in=event_ids, state=Event.State.RECEIVED).update(
            route_attempts=F("route_attempts") - 1
        )


def _quarantine(event_id: int) -> None:
    if Event.objects.filter(pk=event_id, state=Event.State.RECEIVED).update(
        state=Event.State.QUARANTINED
    ):
        log.error("route.quarantined", event_id=event_id)
