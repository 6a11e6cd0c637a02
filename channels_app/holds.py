"""Holds: what was kept for later is judged again when its time comes, and told in one banner.

The rows say when: nothing here depends on a timer. Whoever releases a member's holds has the row of
the membership locked, so two schedulers never tell them twice; and the digest is an event like any
other, stored in the transaction that marks what it tells of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from channels_app import cases, events, verdicts
from channels_app.event_types import Channel
from channels_app.levels import Level
from channels_app.models import Notification
from channels_app.routing import WAITING, Outcome
from channels_app.verdicts import Verdict

# A digest names the first few of what it tells of, and counts the rest.
NAMED = 5
# What one member's digest tells of at most; beyond it follows another. It bounds a transaction.
DIGEST_LIMIT = 1000

# One member at a time, whoever waits longest first.
NEXT = """
    SELECT membership.id, membership.organization_id
    FROM (
        SELECT membership_id, min(held_until) AS since FROM chatbot_notification
        WHERE held_until <= %(now)s AND released_at IS NULL
        GROUP BY membership_id ORDER BY since LIMIT %(look)s
    ) due
    JOIN chatbot_membership membership ON membership.id = due.membership_id
    ORDER BY due.since LIMIT 1
    FOR NO KEY UPDATE OF membership SKIP LOCKED
"""
# Of those that are due, some may be in the hands of other workers.
LOOK = 50


def release(*, now: datetime, limit: int) -> int:
    """Judge again what was held until now, of up to `limit` members; answer of how many it was."""
    for released in range(limit):
        with transaction.atomic():
            if not _release_next(now=now):
                return released
    return limit


def reconsider(*, membership_ids: Collection[int], now: datetime) -> None:
    """Judge at once what these members have waiting: they changed when it may be told."""
    Notification.objects.filter(
        membership__in=membership_ids, held_until__gt=now, released_at=None
    ).update(held_until=now)


def _release_next(*, now: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(NEXT, {"now": now, "look": LOOK})
        row = cursor.fetchone()
    if row is None:
        return False
    membership_id, organization_id = row
    due = list(
        Notification.objects.filter(membership=membership_id, held_until__lte=now, released_at=None)
        .order_by("pk")
        .values_list("event_id", "pk", "outcome")[:DIGEST_LIMIT]
    )
    held = {event_id: pk for event_id, pk, _ in due}
    judged = _judge_again(held, membership_id=membership_id, now=now)
    told = [verdict for verdict in judged.values() if verdict.decision.outcome is Outcome.PUSHED]
    digest_id = None
    if told:
        digest_id = _publish(
            told,
            membership_id=membership_id,
            organization_id=organization_id,
            held=held,
            collapsed=all(outcome == Outcome.COLLAPSED for _, _, outcome in due),
            now=now,
        )
    _write_down(held, judged, digest_id=digest_id, now=now)
    return True


def _judge_again(
    held: Mapping[int, int], *, membership_id: int, now: datetime
) -> dict[int, Verdict]:
    """By event. Who is no candidate any more is not in it. Room on the devices is no question:
    what was collected for want of it is told by a single banner.
    """
    found, _ = verdicts.judge(
        cases.read(list(held)), now=now, members={membership_id}, crowded=False
    )
    return {verdict.case.event_id: verdict for verdict in found}


def _publish(
    told: Sequence[Verdict],
    *,
    membership_id: int,
    organization_id: int,
    held: Mapping[int, int],
    collapsed: bool,
    now: datetime,
) -> int:
    told = sorted(told, key=lambda verdict: verdict.case.occurred_at, reverse=True)
    data = {**_digest(told), "collapsed": collapsed}
    return events.publish(
        organization_id=organization_id,
        connection_id=None,
        # The first thing that it tells of is told of by no other.
        webhook_id=f"digest-{min(held[verdict.case.event_id] for verdict in told)}",
        type="member.digest",
        payload={"type": "member.digest", "timestamp": now.isoformat(), "data": data},
        occurred_at=now,
        now=now,
        facts={"membership": membership_id},
    )


def _digest(told: Sequence[Verdict]) -> dict[str, Any]:
    titles = [verdict.case.banner(verdict.candidate.locale).title for verdict in told[:NAMED]]
    loud = any(verdict.decision.level is not Level.QUIET for verdict in told)
    return {
        "count": len(told),
        "items": [{"title": title} for title in titles],
        "more": max(0, len(told) - NAMED),
        "channels": sorted(_channels(told)),
        "level": (Level.LOUD if loud else Level.QUIET).value,
    }


def _channels(told: Iterable[Verdict]) -> set[Channel]:
    return {verdict.case.row.channel for verdict in told if verdict.case.row.channel is not None}


WRITE = """
    UPDATE chatbot_notification held SET
        outcome = judged.outcome, decided_by = judged.decided_by, level = judged.level,
        held_until = COALESCE(judged.held_until, held.held_until),
        released_at = CASE WHEN judged.held_until IS NULL THEN %(now)s END,
        held_as = CASE WHEN judged.held_until IS NULL THEN held.outcome ELSE '' END,
        digest_id = judged.digest_id
    FROM unnest(
        %(id)s::bigint[], %(outcome)s::text[], %(decided_by)s::text[], %(level)s::text[],
        %(held_until)s::timestamptz[], %(digest_id)s::bigint[]
    ) judged (id, outcome, decided_by, level, held_until, digest_id)
    WHERE held.id = judged.id
"""


def _write_down(
    held: Mapping[int, int],
    judged: Mapping[int, Verdict],
    *,
    digest_id: int | None,
    now: datetime,
) -> None:
    rows = [(pk, *_row(judged.get(event_id), digest_id=digest_id)) for event_id, pk in held.items()]
    names = ("id", "outcome", "decided_by", "level", "held_until", "digest_id")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    with connection.cursor() as cursor:
        cursor.execute(WRITE, {"now": now, **columns})


def _row(verdict: Verdict | None, *, digest_id: int | None) -> tuple[Any, ...]:
    """Outcome, setting, level, until when it is held again, digest."""
    if verdict is None:
        return Outcome.NOT_SUBSCRIBED.value, "", Level.OFF.value, None, None
    decision = verdict.decision
    return (
        decision.outcome.value,
        str(decision.decided_by),
        decision.level.value,
        decision.until if decision.outcome in WAITING else None,
        digest_id if decision.outcome is Outcome.PUSHED else None,
    )
