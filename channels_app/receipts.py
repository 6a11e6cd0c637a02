"""Receipts: what an app says became of a banner on its device, often days after it happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import connection

from channels_app.models import Delivery, Receipt


class Result(StrEnum):
    """What became of one receipt."""

    ACCEPTED = "accepted"
    KNOWN = "known"
    """It was told before."""
    UNKNOWN = "unknown"
    """No such notification of this member went to this installation."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an app says of the banner of one notification. `at` is by the device's clock."""

    notification_id: int
    kind: Receipt.Kind
    at: datetime
    action: str = ""
    """The id of the button, of the kind `action`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one receipt."""

    result: Result
    at: datetime | None = None
    """When it happened, as far as that can be. None of what is unknown."""
    clamped: bool = False
    """Whether the device's clock said something impossible."""


def record(
    *,
    membership_id: int,
    user_id: int,
    installation_id: UUID,
    told: Sequence[Told],
    now: datetime,
) -> list[Answer]:
    """Keep what an app says of its banners, and answer for each of them, in their order.

    Told twice it is kept once. What was opened for the first time is read. Two statements, however
    many receipts.
    """
    deliveries = {
        notification_id: (delivery_id, created_at)
        for delivery_id, notification_id, created_at in Delivery.objects.filter(
            notification__in={one.notification_id for one in told},
            notification__membership=membership_id,
            installation=installation_id,
            installation__user=user_id,
        ).values_list("pk", "notification", "created_at")
    }
    rows = [_row(one, *deliveries.get(one.notification_id, (None, now)), now=now) for one in told]
    made = _insert([row for row in rows if row is not None], now=now)
    answers = []
    for one, row in zip(told, rows, strict=True):
        if row is None:
            answers.append(Answer(Result.UNKNOWN))
            continue
        # Of those that are the same in one batch, the first was accepted.
        result = Result.ACCEPTED if row.key in made else Result.KNOWN
        made.discard(row.key)
        answers.append(Answer(result, row.at, clamped=row.at != one.at))
    return answers


def possible(at: datetime, *, since: datetime, now: datetime) -> datetime:
    """The moment nearest to `at` at which it can have happened: not before it was sent, and not yet
    to come. A device's clock may be set to anything.
    """
    return min(max(at, since), now)


# By delivery, kind and action.
_Key = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class _Row:
    key: _Key
    at: datetime


def _row(one: Told, delivery_id: int | None, since: datetime, *, now: datetime) -> _Row | None:
    if delivery_id is None:
        return None
    return _Row((delivery_id, one.kind.value, one.action), possible(one.at, since=since, now=now))


# What is opened is read; but not again by a receipt that is told again, since its reader may have
# marked it as unread meanwhile.
INSERT = """
    WITH made AS (
        INSERT INTO chatbot_receipt (delivery_id, kind, action, occurred_at, received_at)
        SELECT delivery_id, kind, action, occurred_at, %(now)s
        FROM unnest(
            %(delivery)s::bigint[], %(kind)s::text[], %(action)s::text[], %(at)s::timestamptz[]
        ) told (delivery_id, kind, action, occurred_at)
        ON CONFLICT (delivery_id, kind, action) DO NOTHING
        RETURNING delivery_id, kind, action, occurred_at
    ), opened AS (
        UPDATE chatbot_notification notification SET read_at = made.occurred_at
        FROM made JOIN chatbot_delivery delivery ON delivery.id = made.delivery_id
        WHERE made.kind = 'opened' AND notification.id = delivery.notification_id
            AND notification.read_at IS NULL
    )
    SELECT delivery_id, kind, action FROM made
"""


def _insert(rows: Sequence[_Row], *, now: datetime) -> set[_Key]:
    """The keys of those that were not there yet."""
    if not rows:
        return set()
    # In one order, whatever that of the batch is: two batches wait for each other in no circle.
    ordered = sorted(rows, key=lambda row: row.key)
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT,
            {
                "delivery": [row.key[0] for row in ordered],
                "kind": [row.key[1] for row in ordered],
                "action": [row.key[2] for row in ordered],
                "at": [row.at for row in ordered],
                "now": now,
            },
        )
        return {(delivery_id, kind, action) for delivery_id, kind, action in cursor.fetchall()}
