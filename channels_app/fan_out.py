"""Fan-out: from an event to a notification for each person and a delivery for each device.

Routing an event twice changes nothing: every insert stands under a unique constraint, in one
transaction with the event's own change of state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from channels_app import arrays, cases, shown, verdicts
from channels_app.audience import Audience
from channels_app.cases import Case
from channels_app.leases import LEASE, Leased
from channels_app.levels import Level
from channels_app.prepared import Prepared
from channels_app.routing import OVERTAKEN, Device, Outcome
from channels_app.verdicts import Verdict

# Why a banner that was not sent yet is not sent any more, by what took it back.
ANSWERED = {
    "conversation.claimed": Outcome.ALREADY_CLAIMED,
    "conversation.handed_back": Outcome.RESOLVED,
    "conversation.resolved": Outcome.RESOLVED,
}


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
    locked = cases.lock(event_ids, now=now)
    if not locked:
        return Fanned(0, [])
    found, people = verdicts.judge(locked, now=now)
    found.sort(key=lambda verdict: bool(verdict.case.row.retracts))
    lots = _Lots(found)
    made = INSERT.all(
        {
            "now": now,
            "lease_until": now + LEASE,
            "holder": settings.LEASE_HOLDER,
            "lane": locked[0].lane.value,
            # What replaces a banner is leased like any other: it may have to wait for that.
            "room": min(room, lots.ringing),
            "events": [case.event_id for case in locked],
            **lots.columns(),
        }
    )
    _cancel(locked, now=now)
    return Fanned(
        deliveries=len(lots.devices),
        leased=[
            _leased(
                *lots.devices[event_id, membership_id, installation],
                people,
                delivery_id=delivery_id,
                notification_id=notification_id,
            )
            for delivery_id, notification_id, event_id, membership_id, installation in made
        ],
    )


def _cancel(locked: Sequence[Case], *, now: datetime) -> None:
    """What is taken back and has not left yet does not leave any more."""
    effective = [
        (case.retraction, case)
        for case in locked
        if case.row.retracts and case.facts.get("state") not in OVERTAKEN
    ]
    reasons = {case.event_id: ANSWERED.get(case.row.name, Outcome.MOOT) for _, case in effective}
    shown.cancel([one for one, _ in effective if one], reasons=reasons, now=now)


# A whole batch in one statement, as arrays: four times the speed of bulk_create, and deliveries
# find the ids of their notifications on the way. What is the same for many of an event's people
# (their lot) travels once. What has expired while nobody routed it is left to `deliveries.lease`,
# which says so.
INSERT = Prepared("""
    WITH lot AS (
        SELECT * FROM unnest(
            %(outcome)s::text[], %(decided_by)s::text[], %(level)s::text[], %(title)s::text[],
            %(body)s::text[], %(listed)s::boolean[], %(organization)s::bigint[],
            %(expires_at)s::timestamptz[]
        ) WITH ORDINALITY lot (
            outcome, decided_by, level, title, body, listed, organization_id, expires_at, lot
        )
    ), made AS (
        INSERT INTO chatbot_notification (
            event_id, membership_id, outcome, decided_by, level, title, body, created_at, listed,
            held_until
        )
        SELECT event_id, membership_id, outcome, decided_by, level, title, body,
            %(now)s::timestamptz, listed, to_timestamp(held_until)
        FROM unnest(%(event)s::bigint[], %(member)s::bigint[], %(lot)s::int[], %(held)s::float8[])
            told (event_id, membership_id, lot, held_until)
        JOIN lot USING (lot)
        ON CONFLICT (event_id, membership_id) DO NOTHING
        RETURNING id, event_id, membership_id
    ), device AS (
        SELECT made.id AS notification_id, installation_id, organization_id, expires_at, downgraded,
            number <= %(room)s::bigint AND expires_at > %(now)s::timestamptz AS leased
        FROM unnest(
            %(d_event)s::bigint[], %(d_member)s::bigint[], %(d_installation)s::uuid[],
            %(d_lot)s::int[], %(d_downgraded)s::boolean[]
        ) WITH ORDINALITY device (
            event_id, membership_id, installation_id, lot, downgraded, number
        )
        JOIN lot USING (lot)
        JOIN made USING (event_id, membership_id)
    ), queued AS (
        INSERT INTO chatbot_delivery (
            notification_id, installation_id, organization_id, lane, state, attempts, due_at,
            holder, expires_at, downgraded, reason, created_at
        )
        SELECT notification_id, installation_id, organization_id, %(lane)s::text,
            CASE WHEN leased THEN 'sending' ELSE 'pending' END, leased::int,
            CASE WHEN leased THEN %(lease_until)s::timestamptz ELSE %(now)s::timestamptz END,
            CASE WHEN leased THEN %(holder)s::text ELSE '' END,
            expires_at, downgraded, '', %(now)s::timestamptz
        FROM device
        ON CONFLICT (notification_id, installation_id) DO NOTHING
        RETURNING id, notification_id, installation_id, state
    ), routed AS (
        UPDATE chatbot_event SET state = 'routed', routed_at = %(now)s::timestamptz
        WHERE id = ANY(%(events)s::bigint[])
    )
    SELECT queued.id, made.id, event_id, membership_id, installation_id::text
    FROM queued JOIN made ON made.id = notification_id
    WHERE state = 'sending'
""")
LOT_COLUMNS = (
    "outcome",
    "decided_by",
    "level",
    "title",
    "body",
    "listed",
    "organization",
    "expires_at",
)


class _Lots:
    """A batch of verdicts as the columns of INSERT."""

    def __init__(self, found: Iterable[Verdict]) -> None:
        self.devices: dict[tuple[int, int, str], tuple[Verdict, Device]] = {}
        """By event, membership and installation, in the order in which they are leased."""
        self.ringing = 0
        """How many of these devices are to show something new."""
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._lots: list[tuple[Any, ...]] = []
        self._members: list[tuple[Any, ...]] = []
        self._devices: list[tuple[Any, ...]] = []
        for verdict in found:
            self._add(verdict)

    def columns(self) -> dict[str, Any]:
        """The parameters."""
        lots = zip(*self._lots, strict=True) if self._lots else ((),) * len(LOT_COLUMNS)
        return {
            **dict(zip(LOT_COLUMNS, map(list, lots), strict=True)),
            **_arrays(("event", "member", "lot", "held"), self._members),
            **_arrays(
                ("d_event", "d_member", "d_installation", "d_lot", "d_downgraded"), self._devices
            ),
        }

    def _add(self, verdict: Verdict) -> None:
        decision = verdict.decision
        event_id, membership_id = verdict.case.event_id, verdict.candidate.membership_id
        lot = self._lot(verdict)
        held_until = decision.until.timestamp() if decision.until else "NULL"
        self._members.append((event_id, membership_id, lot, held_until))
        critical = decision.level is Level.CRITICAL
        if not verdict.case.row.retracts:
            self.ringing += len(decision.devices)
        for device in decision.devices:
            installation = str(device.installation_id)
            downgraded = critical and not device.critical_sounds
            self._devices.append((event_id, membership_id, installation, lot, downgraded))
            self.devices[event_id, membership_id, installation] = (verdict, device)

    def _lot(self, verdict: Verdict) -> int:
        """The number of a verdict's lot, from 1, as SQL counts."""
        decision, event_id = verdict.decision, verdict.case.event_id
        locale = verdict.candidate.locale if verdict.has_banner else ""
        key = (event_id, decision.outcome, decision.decided_by, decision.level, locale)
        number = self._numbers.get(key)
        if number is None:
            self._lots.append(_lot(verdict))
            number = self._numbers[key] = len(self._lots)
        return number


def _lot(verdict: Verdict) -> tuple[Any, ...]:
    """In the order of LOT_COLUMNS."""
    case, decision = verdict.case, verdict.decision
    banner = case.banner(verdict.candidate.locale) if verdict.has_banner else None
    return (
        decision.outcome.value,
        str(decision.decided_by),
        decision.level.value,
        banner.title if banner else "",
        banner.body if banner else "",
        verdict.listed,
        case.organization_id,
        verdict.expires_at,
    )


def _arrays(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, str]:
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return {name: arrays.plain(column) for name, column in zip(names, columns, strict=True)}


def _leased(
    verdict: Verdict,
    device: Device,
    people: Audience,
    *,
    delivery_id: int,
    notification_id: int,
) -> Leased:
    case, candidate = verdict.case, verdict.candidate
    banner = case.banner(candidate.locale)
    return Leased(
        delivery_id=delivery_id,
        attempt=1,
        expires_at=verdict.expires_at,
        notification_id=notification_id,
        membership_id=candidate.membership_id,
        installation_id=device.installation_id,
        target=people.targets[device.installation_id],
        level=verdict.decision.level,
        title=banner.title,
        body=banner.body,
        locale=candidate.locale,
        about=case.about,
        organization=case.organization,
        facts=case.facts,
        privacy=device.privacy,
    )
