"""Storm control: how many banners a device has been shown of late, and when it has room again.

A device is not rung more often than its organization's limit allows in any minute. What comes
beyond it is collected, and told in one banner that counts (`holds`), as soon as there is room.
Escalations are never collected, but they count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from channels_app.routing import Candidate, Decision, Outcome

MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Crowd:
    """What is on people's devices, kept up to date while a batch of events is judged."""

    shown: dict[UUID, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    """By installation, when it was sent the banners of the last minute; the oldest first."""
    collecting: dict[int, datetime] = field(default_factory=dict)
    """By membership, when what is being collected for it will be told."""

    def room_at(self, candidate: Candidate, *, limit: int | None, now: datetime) -> datetime | None:
        """When all devices of a candidate have room for a banner; None: they have it now.

        Who already has something collected has no room: it would overtake that. `limit` is a
        number of banners a minute.
        """
        if limit is None:
            return None
        collected = self.collecting.get(candidate.membership_id)
        if collected is not None and collected > now:
            return collected
        full = (self.shown.get(device.installation_id, ()) for device in candidate.devices)
        ends = (banners[-limit] + MINUTE for banners in full if len(banners) >= limit)
        return max((end for end in ends if end > now), default=None)

    def note(self, candidate: Candidate, decision: Decision, *, now: datetime) -> None:
        """Keep what has just been decided, for the next event of the batch."""
        if decision.outcome is Outcome.PUSHED:
            for device in decision.devices:
                self.shown[device.installation_id].append(now)
        elif decision.outcome is Outcome.COLLAPSED and decision.until is not None:
            self.collecting[candidate.membership_id] = decision.until


# Two workers that judge for the same people at once would each find the last room free. They take
# turns, one organization after the other; the number says what kind of turn it is.
TURN = "SELECT pg_advisory_xact_lock(1, id::int) FROM unnest(%(organizations)s::bigint[]) id"

SHOWN = """
    SELECT installation::text, recent.created_at
    FROM unnest(%(installations)s::uuid[]) installation
    CROSS JOIN LATERAL (
        SELECT created_at FROM chatbot_delivery
        WHERE installation_id = installation AND created_at > %(since)s
        ORDER BY created_at DESC LIMIT %(limit)s
    ) recent
    ORDER BY recent.created_at
"""
COLLECTING = """
    SELECT membership_id, max(held_until) FROM chatbot_notification
    WHERE membership_id = ANY(%(members)s) AND outcome = 'collapsed'
        AND held_until IS NOT NULL AND released_at IS NULL
    GROUP BY membership_id
"""


def load(
    candidates: Iterable[Candidate], *, limits: Mapping[int, int | None], now: datetime
) -> Crowd:
    """The crowd on these candidates' devices: three queries. Call it in a transaction.

    `limits` are the limits of the organizations that they belong to, in banners a minute.
    """
    crowd = Crowd()
    bounded = {pk: limit for pk, limit in limits.items() if limit is not None}
    if not bounded:
        return crowd
    members = {candidate.membership_id: candidate for candidate in candidates}
    installations = {
        str(device.installation_id) for one in members.values() for device in one.devices
    }
    with connection.cursor() as cursor:
        cursor.execute(TURN, {"organizations": sorted(bounded)})
        cursor.execute(
            SHOWN,
            {
                "installations": list(installations),
                "since": now - MINUTE,
                "limit": max(bounded.values()),
            },
        )
        for installation, created_at in cursor.fetchall():
            crowd.shown[UUID(installation)].append(created_at)
        cursor.execute(COLLECTING, {"members": list(members)})
        crowd.collecting.update(cursor.fetchall())
    return crowd
