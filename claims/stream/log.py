"""Reading the log of events: what is new in it, what somebody missed, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from channels_app.models import Event
from claims import listing
from claims.listing import CALLS, Row
from claims.stream.bookmarks import Tail

# What the list on a screen changes by. A report that came too late to change anything has no facts.
CHANGES = [
    *CALLS,
    "conversation.still_waiting",
    "conversation.claimed",
    "conversation.released",
    "conversation.handed_back",
    "conversation.resolved",
]
WORDS = ["conversation.message", "conversation.reply"]

_KINDS = {"words": WORDS, "changes": CHANGES}

# As many ids are looked through for missing ones when reading begins.
LOOK_BACK = 1_000
# Read at a time. More than that waits for the next time, which then comes at once.
BATCH = 2_000
# What was missed is sought among as many events of all organizations, and as many are told. Beyond
# that, loading the list anew costs less.
MOST_SOUGHT = 20_000
MOST_TOLD = 200

_WANTED = "(type = ANY(%(words)s) OR type = ANY(%(changes)s) AND facts ? 'conversation')"
_FOUND = f"SELECT id, CASE WHEN {_WANTED} THEN organization_id END FROM chatbot_event"
_NEWS = f"""
    ({_FOUND} WHERE id > %(high)s ORDER BY id LIMIT {BATCH})
    UNION ALL
    {_FOUND} WHERE id = ANY(%(missing)s::bigint[])
"""
_MISSED = f"""
    WITH later AS (
        SELECT id, organization_id, type, facts
        FROM chatbot_event WHERE id > %(after)s ORDER BY id LIMIT {MOST_SOUGHT + 1}
    )
    SELECT
        (SELECT count(*) FROM later),
        ARRAY(
            SELECT id FROM later WHERE organization_id = %(organization)s AND {_WANTED}
            ORDER BY id LIMIT {MOST_TOLD + 1}
        ),
        (SELECT max(id) FROM chatbot_event)
"""
_BEGIN = f"""
    SELECT high, ARRAY(
        SELECT id FROM generate_series(greatest(high - {LOOK_BACK}, 1), high) AS all_ids(id)
        WHERE NOT EXISTS (SELECT FROM chatbot_event event WHERE event.id = all_ids.id)
    )
    FROM (SELECT coalesce(max(id), 0) AS high FROM chatbot_event) AS newest
"""
_SNAPSHOT = """
    SELECT pg_snapshot_xmin(taken)::text::bigint, pg_snapshot_xmax(taken)::text::bigint
    FROM pg_current_snapshot() AS taken
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event, and how its conversation stands now."""

    event: Event
    row: Row


@dataclass(frozen=True, slots=True)
class News:
    """Attributes:
    ids: all that were found, of whatever kind.
    wanted: those of a kind that is told, each with its organization.
    more: there may be more at once.
    """

    ids: list[int]
    wanted: list[tuple[int, int]]
    more: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Transaction ids: the `oldest` that has not ended, and the one `following` the newest."""

    oldest: int
    following: int


class TooMuchMissed(Exception):
    """What was missed cannot be told one by one."""


class UnknownBookmark(Exception):
    """It is beyond the end of the log: of another database, or of one that was restored."""


def begin(*, now: float) -> Tail:
    """Where the log stands; what may still come in below its end is missing. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN)
        high, missing = cursor.fetchone()
    return Tail(high=high, missing=missing, now=now)


def news(tail: Tail) -> News:
    """What is visible that was not. One query; the tail is left as it is."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWS, {**_KINDS, "high": tail.high, "missing": tail.missing})
        found = cursor.fetchall()
    return News(
        ids=[row[0] for row in found],
        wanted=[row for row in found if row[1] is not None],
        more=len(found) >= BATCH,
    )


def snapshot() -> Snapshot:
    with connection.cursor() as cursor:
        cursor.execute(_SNAPSHOT)
        return Snapshot(*cursor.fetchone())


def missed(*, after: int, organization_id: int) -> list[int]:
    """What happened in an organization since a bookmark. One query.

    Raises:
        TooMuchMissed, UnknownBookmark.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MISSED, {**_KINDS, "after": after, "organization": organization_id})
        sought, wanted, high = cursor.fetchone()
    if after > (high or 0):
        raise UnknownBookmark
    if sought > MOST_SOUGHT or len(wanted) > MOST_TOLD:
        raise TooMuchMissed
    return list(wanted)


def entries(event_ids: Sequence[int]) -> list[Entry]:
    """These events, by their ids, of conversations that we know. Three queries, or none."""
    if not event_ids:
        return []
    events = list(Event.objects.filter(pk__in=event_ids).order_by("pk"))
    known = listing.named(
        {event.organization_id for event in events}, {event.subject for event in events}
    )
    rows = {
        (row.conversation.organization_id, row.conversation.external_id): row
        for row in listing.with_words(known)
    }
    found = ((event, rows.get((event.organization_id, event.subject))) for event in events)
    return [Entry(event, row) for event, row in found if row is not None]
