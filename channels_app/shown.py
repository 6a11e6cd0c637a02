"""Where banners stand that are no longer true, and how each is replaced.

"Claimed by Alice" goes to the very devices on which the call for a human is shown, or may be. One
that is being sent right now is waited for: what replaces it must not arrive before it. One that has
not left yet is cancelled; and who was never told is not told this either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from channels_app.event_types import EVENT_TYPES, EventType, Subject
from channels_app.prepared import Prepared

# How long a replacement waits before it looks again whether the banner has arrived.
WAIT = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True)
class Retraction:
    """An event that takes other events' banners back: those about the same thing."""

    event_id: int
    row: EventType
    source_id: int
    subject: str
    step: str = ""
    epoch: int = 0
    """The round of a conversation. An earlier one that was answered has its banners replaced."""
    tapped: str = ""
    """The installation whose banner is left alone: its button was what answered the call."""


def retraction(
    *,
    event_id: int,
    row: EventType,
    source_id: int | None,
    subject: str,
    step: str,
    facts: Mapping[str, Any],
) -> Retraction | None:
    """What an event takes back; None: it takes nothing back, or changed nothing when it came."""
    if not row.retracts or source_id is None:
        return None
    if row.subject is Subject.CONVERSATION and "epoch" not in facts:
        return None
    return Retraction(
        event_id=event_id,
        row=row,
        source_id=source_id,
        subject=subject,
        step=step,
        epoch=facts.get("epoch", 0),
        tapped=facts.get("tapped") or "",
    )


# The deliveries of the banners that a batch of events takes back. A conversation may have been with
# another bot when they were sent; a run has one workflow.
_ANSWERS = ", ".join(
    f"'{row.name}'"
    for row in EVENT_TYPES.values()
    if row.retracts and row.subject is Subject.CONVERSATION
)
_TAKEN_BACK = f"""
    FROM unnest(
        %(event)s::bigint[], %(source)s::bigint[], %(subject)s::text[], %(step)s::text[],
        %(epoch)s::int[], %(type)s::text[]
    ) AS taking (event_id, source_id, subject, step, epoch, type)
    JOIN chatbot_source its ON its.id = taking.source_id
    JOIN chatbot_source source ON source.id = its.id
        OR source.organization_id = its.organization_id AND source.kind = 'bot' AND its.kind = 'bot'
    JOIN chatbot_event event ON event.source_id = source.id
        AND event.subject = taking.subject AND event.type = taking.type
        AND COALESCE(event.payload #>> '{{data,step,index}}', '') = taking.step
        AND (
            COALESCE((event.facts ->> 'epoch')::int, 0) = taking.epoch
            OR (event.facts ->> 'epoch')::int < taking.epoch AND NOT EXISTS (
                SELECT FROM chatbot_event answer
                WHERE answer.source_id = event.source_id AND answer.subject = event.subject
                    AND answer.type IN ({_ANSWERS})
                    AND answer.facts ->> 'epoch' = event.facts ->> 'epoch'
            )
        )
    JOIN chatbot_notification notification ON notification.event_id = event.id
    JOIN chatbot_delivery delivery ON delivery.notification_id = notification.id
"""
# It was accepted; or it was sent, and nobody knows. One that waits for another try may be shown as
# well, if one before was never answered.
_MAY_BE_SHOWN = """
    delivery.state IN ('accepted', 'unknown') OR delivery.attempts > 0 AND EXISTS (
        SELECT FROM chatbot_attempt
        WHERE delivery_id = delivery.id AND verdict IN ('accepted', 'unknown', 'lost')
    )
"""

FIND = Prepared(f"""
    SELECT DISTINCT taking.event_id, notification.membership_id, delivery.installation_id::text
    {_TAKEN_BACK}
    WHERE delivery.installation_id IS NOT NULL
        AND (delivery.state = 'sending' OR {_MAY_BE_SHOWN})
""")


def find(retractions: Sequence[Retraction]) -> dict[int, dict[int, frozenset[UUID]]]:
    """By event and membership, the installations where something is to be replaced.

    Whoever only has the banner that was tapped is in it with no installation.
    """
    found: dict[int, dict[int, set[UUID]]] = {one.event_id: defaultdict(set) for one in retractions}
    tapped = {one.event_id: one.tapped for one in retractions}
    for event_id, membership_id, installation in FIND.all(_columns(retractions)):
        devices = found[event_id][membership_id]
        if installation != tapped[event_id]:
            devices.add(UUID(installation))
    return {
        event_id: {member: frozenset(devices) for member, devices in by_member.items()}
        for event_id, by_member in found.items()
    }


CANCEL = Prepared(f"""
    UPDATE chatbot_delivery SET state = 'cancelled', reason = old.reason,
        settled_at = %(now)s::timestamptz
    FROM (
        SELECT delivery.id, told.reason
        {_TAKEN_BACK}
        JOIN unnest(%(reason_of)s::bigint[], %(reason)s::text[]) told (event_id, reason)
            ON told.event_id = taking.event_id
        WHERE delivery.state = 'pending'
        FOR UPDATE OF delivery SKIP LOCKED
    ) old
    WHERE chatbot_delivery.id = old.id
""")


def cancel(retractions: Sequence[Retraction], *, reasons: Mapping[int, str], now: datetime) -> None:
    """Cancel what has not left yet. `reasons` are by event.

    What a worker leases at this very moment is left to it: it looks how things stand.
    """
    if retractions:
        CANCEL.run(
            {
                **_columns(retractions),
                "reason_of": [one.event_id for one in retractions],
                "reason": [reasons[one.event_id] for one in retractions],
                "now": now,
            }
        )


LOOK = Prepared(f"""
    SELECT mine.id, bool_or(delivery.state = 'sending'), bool_or({_MAY_BE_SHOWN})
    {_TAKEN_BACK}
    JOIN chatbot_notification told ON told.event_id = taking.event_id
        AND told.membership_id = notification.membership_id
    JOIN chatbot_delivery mine ON mine.notification_id = told.id
        AND mine.installation_id = delivery.installation_id
    WHERE mine.id = ANY(%(deliveries)s::bigint[])
    GROUP BY mine.id
""")


@dataclass(frozen=True, slots=True)
class Look:
    """What is to become of replacements that are about to be sent."""

    early: frozenset[int]
    """Deliveries whose banner is being sent at this moment: they wait."""
    needless: frozenset[int]
    """Deliveries whose banner never reached the device: they are not sent."""


def look(retractions: Iterable[tuple[Retraction, int]]) -> Look:
    """Look whether the banners are there that these deliveries are to replace."""
    pairs = list(retractions)
    deliveries = frozenset(delivery_id for _, delivery_id in pairs)
    if not deliveries:
        return Look(frozenset(), frozenset())
    distinct = list({one.event_id: one for one, _ in pairs}.values())
    rows = LOOK.all({**_columns(distinct), "deliveries": list(deliveries)})
    early = frozenset(pk for pk, sending, _ in rows if sending)
    there = frozenset(pk for pk, _, shown in rows if shown)
    return Look(early=early, needless=deliveries - early - there)


POSTPONE = Prepared("""
    UPDATE chatbot_delivery SET state = 'pending', holder = '', attempts = attempts - 1,
        due_at = %(until)s::timestamptz
    WHERE id = ANY(%(ids)s::bigint[]) AND state = 'sending'
""")


def postpone(delivery_ids: Iterable[int], *, now: datetime) -> None:
    """Give leased deliveries back, untried, until their banner has arrived."""
    ids = list(delivery_ids)
    if ids:
        POSTPONE.run({"ids": ids, "until": now + WAIT})


# An event that is being routed by another worker may put up a banner in the next moment.
UNROUTED = Prepared("""
    SELECT other.id FROM chatbot_event mine
    JOIN chatbot_event other ON other.lane = mine.lane AND other.subject = mine.subject
        AND other.organization_id = mine.organization_id
    WHERE mine.id = ANY(%(ids)s::bigint[]) AND other.state = 'received' AND other.id <> mine.id
""")


def unrouted(event_ids: Sequence[int]) -> list[int]:
    """Events about the same things as these retractions that nobody has routed yet, or is about to.

    Who locks them together with the retractions finds the banners that they have come to.
    """
    return [pk for (pk,) in UNROUTED.all({"ids": list(event_ids)})]


def retracts(type: str) -> bool:
    """Whether events of a type take banners back."""
    row = EVENT_TYPES.get(type)
    return row is not None and bool(row.retracts)


def _columns(retractions: Sequence[Retraction]) -> dict[str, Any]:
    """The parameters of what is taken back: a row for each event and type that it takes back."""
    rows = [
        (one.event_id, one.source_id, one.subject, one.step, one.epoch, type)
        for one in retractions
        for type in sorted(one.row.retracts)
    ]
    names = ("event", "source", "subject", "step", "epoch", "type")
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return dict(zip(names, map(list, columns), strict=True))
