"""Ladders: climbed while a customer waits, rung by rung, by whoever sweeps the fast lane.

A rung is rung once: the row of the conversation is locked, the event of the rung has an id that
follows from it, and both change in one transaction. A worker that dies between two rungs leaves a
row that says when the next one is due.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial

import structlog
from django.db import Error, connection, transaction
from django.db.models import F, Q

from channels_app import doorbell
from channels_app.event_types import CALLS, CATALOGUE, Channel
from channels_app.levels import Lane
from channels_app.models import Bot, ChannelPolicy
from channels_app.outages import is_outage
from claims import ladder, models, waves
from claims.ladder import DEFAULT, Audience, Ladder, Rung, Wave
from claims.models import Conversation
from claims.waves import Call, People

log = structlog.get_logger(__name__)

# What is due; and those whose last rung, of the last moments, was routed and rang nowhere: no
# customer waits for an empty wave. In a storm some of these are not seen, and climb in their time.
FIND = """
    SELECT id FROM (
        SELECT id FROM claims_conversation
        WHERE next_wave_at <= %(now)s ORDER BY next_wave_at LIMIT %(limit)s
    ) due
    UNION
    SELECT id FROM (
        SELECT conversation.id
        FROM chatbot_organization organization
        CROSS JOIN LATERAL (
            SELECT id, source_id, subject, (facts ->> 'epoch')::int AS epoch FROM chatbot_event
            WHERE organization_id = organization.id
                AND received_at BETWEEN %(now)s - interval '30 seconds' AND %(now)s
                AND type = ANY(%(calls)s) AND state IN ('routed', 'quarantined')
            ORDER BY received_at DESC LIMIT %(limit)s
        ) event
        JOIN claims_conversation conversation
            ON conversation.organization_id = organization.id
            AND conversation.external_id = event.subject
            AND conversation.bot_id = event.source_id AND conversation.epoch = event.epoch
        WHERE next_wave_at > %(now)s AND NOT EXISTS (
            SELECT FROM chatbot_notification WHERE event_id = event.id AND outcome = 'pushed'
        )
        LIMIT %(limit)s
    ) unreached
"""

# For each conversation the platform's last call, and what became of this round's last rung.
READ = """
    SELECT conversation.id, asked.type, asked.payload -> 'data',
        COALESCE(rung.state IN ('routed', 'quarantined') AND NOT EXISTS (
            SELECT FROM chatbot_notification WHERE event_id = rung.id AND outcome = 'pushed'
        ), false)
    FROM claims_conversation conversation
    LEFT JOIN LATERAL (
        SELECT type, payload FROM chatbot_event
        WHERE source_id = conversation.bot_id AND subject = conversation.external_id
            AND type = ANY(%(asked)s) AND facts ? 'conversation'
        ORDER BY occurred_at DESC, id DESC LIMIT 1
    ) asked ON true
    LEFT JOIN LATERAL (
        SELECT id, state FROM chatbot_event
        WHERE source_id = conversation.bot_id AND subject = conversation.external_id
            AND type = ANY(%(calls)s) AND (facts ->> 'epoch')::int = conversation.epoch
        ORDER BY id DESC LIMIT 1
    ) rung ON true
    WHERE conversation.id = ANY(%(ids)s)
"""

WRITE = """
    UPDATE claims_conversation conversation
    SET wave = climbed.wave, next_wave_at = climbed.next_wave_at
    FROM unnest(%(id)s::bigint[], %(wave)s::int[], %(next_wave_at)s::timestamptz[])
        AS climbed (id, wave, next_wave_at)
    WHERE conversation.id = climbed.id
"""

ASKED = sorted(CALLS & CATALOGUE.keys())


def climb(*, now: datetime, limit: int) -> int:
    """Ring what is due, of up to `limit` conversations; answer of how many it was."""
    with connection.cursor() as cursor:
        cursor.execute(FIND, {"now": now, "limit": limit, "calls": sorted(CALLS)})
        found = [pk for (pk,) in cursor.fetchall()][:limit]
    if not found:
        return 0
    climbed = _try(found, now=now)
    if climbed is None:
        # One that fails keeps no other customer waiting.
        climbed = sum(_try([pk], now=now) or 0 for pk in found)
    return climbed


def _try(conversation_ids: Sequence[int], *, now: datetime) -> int | None:
    """Climb; None: it failed, and nothing is rung. The failure is written to the log."""
    try:
        return climb_these(conversation_ids, now=now)
    except Exception as error:
        if isinstance(error, Error) and is_outage(error):
            raise
        log.exception("climb.failed", conversations=list(conversation_ids))
        return None


def climb_these(
    conversation_ids: Collection[int], *, now: datetime, reason: str = "released"
) -> int:
    """Ring the next rung of those of these conversations for which it is time; answer of how many.

    Within the transaction of a release, the first wave goes out with it. What another worker is
    climbing at this moment is left to it. The number of queries depends on how many rungs are rung
    and on nothing else.

    Args:
        reason: why a round begins whose first wave is not the platform's call: `released` or
            `lapsed`.
    """
    with transaction.atomic():
        waiting = list(
            Conversation.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
            .select_related("bot")
            .filter(pk__in=conversation_ids, next_wave_at__isnull=False)
            .order_by("pk")
        )
        calls = [call for call in _calls(waiting) if _is_time(call, now)]
        if calls:
            _ring(calls, now=now, reason=reason)
            transaction.on_commit(partial(doorbell.ring, Lane.ESCALATION))
    return len(calls)


def _calls(waiting: Sequence[Conversation]) -> list[Call]:
    by_id = {conversation.pk: conversation for conversation in waiting}
    with connection.cursor() as cursor:
        cursor.execute(READ, {"ids": list(by_id), "asked": ASKED, "calls": sorted(CALLS)})
        rows = cursor.fetchall()
    return [
        Call(
            conversation=by_id[pk],
            type=type or waves.ASKED,
            data=json.loads(data) if data else None,
            unreached=unreached,
        )
        for pk, type, data, unreached in rows
    ]


def _is_time(call: Call, now: datetime) -> bool:
    due_at = call.conversation.next_wave_at
    return call.unreached or (due_at is not None and due_at <= now)


def _ring(calls: Sequence[Call], *, now: datetime, reason: str) -> None:
    """Ring for these conversations, whose rows are locked."""
    ladders = of_bots(
        {call.conversation.bot_id: call.conversation.organization_id for call in calls}
    )
    roles = {wave.role_id for one in ladders.values() for wave in one.waves if wave.role_id}
    to = waves.people(calls, roles=roles)
    silent = _silent({call.conversation.organization_id for call in calls})
    for call in calls:
        conversation = call.conversation
        if conversation.organization_id in silent:
            conversation.next_wave_at = None
            continue
        _step(call, ladder.rungs(ladders[conversation.bot_id]), to=to, now=now, reason=reason)
    _write_down([call.conversation for call in calls])


def _write_down(climbed: Sequence[Conversation]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            WRITE,
            {
                "id": [conversation.pk for conversation in climbed],
                "wave": [conversation.wave for conversation in climbed],
                "next_wave_at": [conversation.next_wave_at for conversation in climbed],
            },
        )


def _step(call: Call, steps: Sequence[Rung], *, to: People, now: datetime, reason: str) -> None:
    """Ring one conversation's next rung, and on from every rung that names nobody."""
    conversation = call.conversation
    unreached = call.unreached
    while (at := ladder.following(steps, conversation.wave, unreached=unreached)) is not None:
        begins = conversation.wave == 0
        # Of a ladder that was changed meanwhile no number comes twice.
        conversation.wave = max(at, conversation.wave) + 1
        reached = waves.tell(
            call,
            steps[at],
            number=conversation.wave,
            to=to,
            reason=reason if begins else "wave",
            now=now,
        )
        if reached or steps[at].alarm:
            break
        unreached = True
    rest = ladder.gap(steps, conversation.wave)
    conversation.next_wave_at = None if rest is None else now + rest


def _silent(organization_ids: Collection[int]) -> set[int]:
    """Organizations whose operators turned the channel off: nobody is told."""
    off = ChannelPolicy.objects.filter(
        organization__in=organization_ids, channel=Channel.ESCALATION, enabled=False
    )
    return set(off.values_list("organization_id", flat=True))


def of_bots(organizations: Mapping[int, int]) -> dict[int, Ladder]:
    """The ladder of each bot: its own, else its organization's, else the one that is built in.

    Args:
        organizations: those of the bots, by bot.
    """
    rows = models.Ladder.objects.filter(
        Q(bot__in=organizations.keys()) | Q(bot=None, organization__in=set(organizations.values()))
    ).prefetch_related("waves")
    own = {row.bot_id: _pure(row) for row in rows if row.bot_id is not None}
    usual = {row.organization_id: _pure(row) for row in rows if row.bot_id is None}
    return {
        bot_id: own.get(bot_id) or usual.get(organization_id, DEFAULT)
        for bot_id, organization_id in organizations.items()
    }


def row_of(bot: Bot) -> models.Ladder | None:
    """What operators set for a bot, or for all; None: nothing."""
    rows = models.Ladder.objects.filter(Q(bot=bot) | Q(bot=None, organization=bot.organization_id))
    return rows.order_by(F("bot").asc(nulls_last=True)).first()


def pure(row: models.Ladder, waves: Sequence[Wave]) -> Ladder:
    """A row of the table with these waves, as a ladder."""
    return Ladder(
        waves=tuple(sorted(waves, key=lambda wave: wave.after)) or DEFAULT.waves,
        repeats=row.repeats,
        repeat_every=row.repeat_every,
        alarm=row.alarm,
        claim_lease=row.claim_lease,
    )


def _pure(row: models.Ladder) -> Ladder:
    """The same; its `waves` are loaded."""
    return pure(
        row, [Wave(one.after, Audience(one.audience), one.role_id) for one in row.waves.all()]
    )
