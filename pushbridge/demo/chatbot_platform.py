"""The demo's chatbot platform: signs events as Standard Webhooks says and posts them."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
from standardwebhooks import Webhook

SECONDS = 10.0


class DoorClosed(Exception):
    """Pushbridge does not take webhooks: no connection, or an answer that is no JSON."""


@dataclass(frozen=True, slots=True)
class Message:
    """A webhook that is ready to be posted, once or several times."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The door's answer. `event_id` is empty if it refused; `sent_at` is in epoch seconds."""

    status: int
    event_id: str
    sent_at: float


def sign(event: Mapping[str, Any], *, secret: str, now: datetime) -> Message:
    """The webhook of an event, with an id of its own."""
    webhook_id = f"msg_{secrets.token_hex(12)}"
    body = json.dumps(event, ensure_ascii=False)
    return Message(
        body=body.encode(),
        headers={
            "content-type": "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign(webhook_id, now.astimezone(UTC), body),
        },
    )


class ChatbotPlatform:
    """Keeps its connection open from one webhook to the next, as a platform does."""

    def __init__(self, door: str) -> None:
        self._door = door.rstrip("/")
        self._session = requests.Session()
        # It is on this machine: no proxy of the environment lies on the way.
        self._session.trust_env = False

    def post(self, message: Message, *, connection: str) -> Receipt:
        """Post a webhook to a connection (its id).

        Raises:
            DoorClosed: there was no answer, or none of Pushbridge's.
        """
        sent_at = time.time()
        try:
            answer = self._session.post(
                f"{self._door}/webhooks/v1/{connection}",
                data=message.body,
                headers=dict(message.headers),
                timeout=SECONDS,
                allow_redirects=False,
            )
            event_id = answer.json()["id"] if answer.ok else ""
        except (requests.RequestException, KeyError, TypeError) as error:
            raise DoorClosed(f"{self._door}: {error}") from error
        return Receipt(answer.status_code, str(event_id), sent_at)
