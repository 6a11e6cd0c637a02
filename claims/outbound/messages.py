"""Messages to the platform: written down with the change that they tell of, and replayed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.db import connection
from django.db.models import F, QuerySet

from claims.models import Endpoint, Message

ENDPOINT_DISABLED = "endpoint_disabled"
"""The reason of messages that nobody is there to take; a replay sends them after all."""
TEST = "endpoint.test"
"""Tried once, whether the endpoint is switched on or not: an operator is looking at it."""

# `sequence` is the same at every endpoint. Whoever changes a conversation holds its row until the
# commit, so of two changes of one conversation the later has the higher number.
_FIND = """
    SELECT organization.slug, nextval(pg_get_serial_sequence('claims_message', 'id')),
        array_agg(endpoint.id), array_agg(endpoint.disabled_at IS NOT NULL)
    FROM claims_endpoint endpoint
    JOIN chatbot_connection connection ON connection.id = endpoint.connection_id
    JOIN chatbot_organization organization ON organization.id = connection.organization_id
    WHERE connection.organization_id = %(organization_id)s
        AND connection.active AND endpoint.enabled
    GROUP BY organization.slug
"""


def enqueue(*, organization_id: int, type: str, data: Mapping[str, Any], now: datetime) -> None:
    """Tell the platform of a change, at every endpoint of the organization that is switched on.

    Call it in the transaction of the change, after the change. From its commit on the message
    cannot be lost: it is tried for days (`schedule`), under one id. Two statements at most; one,
    where there is no endpoint.

    Args:
        type: `conversation.claimed` and the like, as docs/outbound.md has them.
        data: the fields of the type; `data["conversation"]["id"]` is what the message is about.
            The organization's slug and the `sequence` are added here.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FIND, {"organization_id": organization_id})
        found = cursor.fetchone()
    if found is None:
        return
    slug, sequence, endpoint_ids, disabled = found
    body = _body(type, {"organization": slug, **data, "sequence": sequence}, now)
    webhook_id = f"msg_{uuid4().hex}"
    Message.objects.bulk_create(
        Message(
            endpoint_id=endpoint_id,
            webhook_id=webhook_id,
            type=type,
            subject=data.get("conversation", {}).get("id", ""),
            body=body,
            created_at=now,
            due_at=now,
            round_at=now,
            # Nobody is at the other end: kept for a replay, not tried.
            state=Message.State.FAILED if gone else Message.State.PENDING,
            reason=ENDPOINT_DISABLED if gone else "",
            settled_at=now if gone else None,
        )
        for endpoint_id, gone in zip(endpoint_ids, disabled, strict=True)
    )


def enqueue_test(*, endpoint: Endpoint, now: datetime) -> Message:
    """Send `endpoint.test` to one endpoint: whether it is there, and verifies what we sign."""
    organization = endpoint.connection.organization
    message = Message(
        endpoint=endpoint,
        webhook_id=f"msg_{uuid4().hex}",
        type=TEST,
        body=_body(TEST, {"organization": organization.slug}, now),
        created_at=now,
        due_at=now,
        round_at=now,
    )
    message.save(force_insert=True)
    return message


def replay(*, message_ids: Sequence[int], now: datetime) -> int:
    """Send messages again that are over, delivered or not; answer how many that will be.

    Under the same id, and for as long as a new one. Not to an endpoint that we disabled: enable it
    first.
    """
    over = Message.objects.filter(
        pk__in=message_ids, state__in=(Message.State.FAILED, Message.State.DELIVERED)
    )
    return _again(over, now=now)


def replay_failed(*, endpoint_id: int, since: datetime, now: datetime) -> int:
    """Send again what was made since a time and never taken; answer how many that will be."""
    failed = Message.objects.filter(
        endpoint=endpoint_id, state=Message.State.FAILED, created_at__gte=since
    ).exclude(type=TEST)
    return _again(failed, now=now)


def _again(messages: QuerySet[Message], *, now: datetime) -> int:
    return messages.filter(endpoint__disabled_at=None).update(
        state=Message.State.PENDING,
        due_at=now,
        round_at=now,
        round_attempts=F("attempts"),
        settled_at=None,
        reason="",
    )


def _body(type: str, data: Mapping[str, Any], now: datetime) -> str:
    timestamp = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"type": type, "timestamp": timestamp, "data": data}, ensure_ascii=False)
