"""The webhooks the benchmark sends: real escalations, signed, as the bytes of whole requests.

Each has a conversation of its own. The gateway's log shows which conversation a push is about by
its collapse id, and that is how a push finds its webhook again.
"""

import base64
import datetime
import hashlib
import hmac
import json
from dataclasses import dataclass

MESSAGE = "I want to talk to a human about my refund."


@dataclass(frozen=True, slots=True)
class Door:
    """Where a system takes webhooks, and the secret (`whsec_...`) it verifies them with."""

    port: int
    path: str
    secret: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """One signed request, and the conversation it is about."""

    conversation_id: str
    request: bytes


def escalations(
    door: Door, *, bot_id: str, prefix: str, count: int, now: datetime.datetime
) -> list[Webhook]:
    """`count` events `conversation.human_requested` of one bot, in conversations of their own.

    Signed as of `now`: Standard Webhooks lets a receiver refuse what is older than five minutes.
    """
    names = [f"{prefix}{number}" for number in range(count)]
    return [_escalation(door, bot_id, name, now) for name in names]


def _escalation(door: Door, bot_id: str, conversation_id: str, now: datetime.datetime) -> Webhook:
    event = {
        "type": "conversation.human_requested",
        "timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "data": {
            "bot": {"id": bot_id, "name": "Bot X"},
            "conversation": {
                "id": conversation_id,
                "customer": {"id": "cus_77", "name": "Dana Reyes"},
            },
            "message": MESSAGE,
        },
    }
    body = json.dumps(event).encode()
    webhook_id = f"msg_{conversation_id}"
    timestamp = str(int(now.timestamp()))
    head = (
        f"POST {door.path} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{door.port}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"webhook-id: {webhook_id}\r\n"
        f"webhook-timestamp: {timestamp}\r\n"
        f"webhook-signature: {_signature(door.secret, webhook_id, timestamp, body)}\r\n\r\n"
    )
    return Webhook(conversation_id, head.encode() + body)


def _signature(secret: str, webhook_id: str, timestamp: str, body: bytes) -> str:
    """Standard Webhooks 1.0, "Signature scheme": HMAC-SHA256 of id, time and body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join([webhook_id.encode(), timestamp.encode(), body])
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()
