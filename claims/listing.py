"""Conversations as a list shows them: who, with which bot, since when, and the customer's words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet

from channels_app import access
from channels_app.event_types import CATALOGUE, Channel
from channels_app.models import Bot, Membership, User
from channels_app.plain_text import cut
from claims.models import Conversation

CALLS = [row.name for row in CATALOGUE.values() if row.channel is Channel.ESCALATION]
# A list shows the beginning; the conversation's own screen has all of it.
MESSAGE_BYTES = 1_000

# The newest words of each conversation that are the customer's: those of an agent have an actor.
LAST_WORDS = """
    SELECT wanted.id, said.message, said.occurred_at
    FROM unnest(%(ids)s::bigint[], %(bots)s::bigint[], %(subjects)s::text[])
        AS wanted(id, bot, subject)
    CROSS JOIN LATERAL (
        SELECT left(payload #>> '{data,message}', %(most)s) AS message, occurred_at
        FROM chatbot_event
        WHERE source_id = wanted.bot AND subject = wanted.subject AND type = ANY(%(types)s)
            AND payload #>> '{data,message}' <> '' AND payload #> '{data,actor,id}' IS NULL
        ORDER BY occurred_at DESC, id DESC LIMIT 1
    ) AS said
"""


@dataclass(frozen=True, slots=True)
class Words:
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """A conversation, with its bot and its holder loaded; `words`: the customer's last ones."""

    conversation: Conversation
    words: Words | None


def of(membership: Membership, person: User) -> QuerySet[Conversation]:
    """Those that a member sees: of the bots whose customers they may answer, and what they hold.

    Operators see all.
    """
    own = Conversation.objects.filter(organization=membership.organization_id)
    if not person.is_staff:
        bots = Bot.objects.filter(access.responder(person.pk))
        own = own.filter(Q(bot__in=bots.values("pk")) | Q(holder=membership.pk))
    return own.select_related("bot", "holder__user")


def named(organization_ids: Collection[int], subjects: Collection[str]) -> QuerySet[Conversation]:
    """Those of these organizations with any of these ids of the platform."""
    return Conversation.objects.filter(
        organization__in=organization_ids, external_id__in=subjects
    ).select_related("bot", "holder__user")


def with_words(conversations: Iterable[Conversation]) -> list[Row]:
    """In their order. One query."""
    known = list(conversations)
    words = _last_words(known)
    return [Row(one, words.get(one.pk)) for one in known]


def _last_words(conversations: Sequence[Conversation]) -> dict[int, Words]:
    if not conversations:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            LAST_WORDS,
            {
                "ids": [one.pk for one in conversations],
                "bots": [one.bot_id for one in conversations],
                "subjects": [one.external_id for one in conversations],
                "types": [*CALLS, "conversation.message"],
                "most": MESSAGE_BYTES,
            },
        )
        return {pk: Words(cut(text, MESSAGE_BYTES), at) for pk, text, at in cursor.fetchall()}
