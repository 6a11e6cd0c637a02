"""`manage.py send_event FILE`: sign one event and post it, as the chatbot platform would."""

from __future__ import annotations

import json
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from standardwebhooks import Webhook

from channels_app.models import Connection

ANSWER_SECONDS = 15


class Command(BaseCommand):
    help = (
        "Sign an event as Standard Webhooks says and post it. FILE holds an event, or an object"
        " whose `event` is one (docs/examples), or is - for standard input."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument(
            "--connection", help="id or name of a connection (else the one that was made first)"
        )
        parser.add_argument("--url", help="where to post to (else this system's own door)")
        parser.add_argument("--id", help="the webhook-id (else a new one): the same is taken once")
        parser.add_argument(
            "--fresh-timestamp", action="store_true", help="let the event have happened just now"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        event = read_event(options["file"])
        if options["fresh_timestamp"]:
            event["timestamp"] = now.isoformat()
        connection = find_connection(options["connection"])
        url = options["url"] or settings.PUBLIC_URL.rstrip("/") + reverse(
            "webhooks:receive", args=[connection.pk]
        )
        webhook_id = options["id"] or f"msg_{secrets.token_hex(12)}"
        response = post(url, event, secret=connection.secret, webhook_id=webhook_id, now=now)
        answer = f"{response.status_code} {response.reason}  {response.text.strip()}"
        if not response.ok:
            raise CommandError(f"{url} answered {answer}")
        self.stdout.write(f"{webhook_id}: {answer}")


def read_event(name: str) -> dict[str, Any]:
    """The event of a file.

    Raises:
        CommandError: there is no such file, or no JSON object in it.
    """
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        found = json.loads(text)
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from error
    except ValueError as error:
        raise CommandError(f"{name} is not JSON: {error}") from error
    event = found.get("event", found) if isinstance(found, dict) else found
    if not isinstance(event, dict):
        raise CommandError(f"{name} holds no event, which would be a JSON object")
    return event


def find_connection(name: str | None) -> Connection:
    """The active connection of this id or name; without one, the first that was made.

    Raises:
        CommandError: there is none, or several have this name.
    """
    known = Connection.objects.filter(active=True).order_by("created_at")
    if name is not None:
        wanted = Q(name=name)
        if (connection_id := _uuid(name)) is not None:
            wanted |= Q(pk=connection_id)
        known = known.filter(wanted)
    found = list(known[:2])
    if not found:
        raise CommandError(
            f"No active connection {name!r}."
            if name
            else "There is no active connection yet. `manage.py up` makes one for the demo."
        )
    if name is not None and len(found) > 1:
        raise CommandError(f"Several organizations have a connection {name!r}: give its id.")
    return found[0]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def post(
    url: str, event: dict[str, Any], *, secret: str, webhook_id: str, now: datetime
) -> requests.Response:
    """Sign and post.

    Raises:
        CommandError: nobody answers there.
    """
    body = json.dumps(event, ensure_ascii=False)
    headers = {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, now.astimezone(UTC), body),
    }
    try:
        return requests.post(
            url, body.encode(), headers=headers, timeout=ANSWER_SECONDS, allow_redirects=False
        )
    except requests.RequestException as error:
        raise CommandError(f"{url} does not answer: {error}") from error
