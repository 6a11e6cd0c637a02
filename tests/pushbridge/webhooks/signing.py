"""The platform's side of the door, played with the reference library of Standard Webhooks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.test import Client
from standardwebhooks import Webhook

from channels_app.models import Connection


def signed(*, secret: str, webhook_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers that the reference library makes. The body must be UTF-8."""
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, at.astimezone(UTC), body.decode()),
    }


def human_requested(**data: Any) -> dict[str, Any]:
    """A customer of Bot X asks for a human, now; `data` overrides members of its data."""
    return {
        "type": "conversation.human_requested",
        "timestamp": datetime.now(UTC).isoformat(),
        "data": {
            "bot": {"id": "bot_x", "name": "Bot X"},
            "conversation": {"id": "conv_1", "customer": {"id": "cus_77", "name": "Dana Reyes"}},
            "message": "I want to talk to a human about my refund.",
            **data,
        },
    }


def url(connection_id: UUID | str) -> str:
    return f"/webhooks/v1/{connection_id}"


def send(
    connection: Connection,
    event: object,
    *,
    webhook_id: str = "msg_1",
    at: datetime | None = None,
    secret: str | None = None,
    content_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> HttpResponseBase:
    """Post an event (or raw bytes) as the platform would; `headers` come last and override."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    ours = signed(
        secret=secret or connection.secret,
        webhook_id=webhook_id,
        at=at or datetime.now(UTC),
        body=body if _is_utf8(body) else b"",
    )
    return Client(raise_request_exception=False).post(
        url(connection.pk), body, content_type=content_type, headers={**ours, **(headers or {})}
    )


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
