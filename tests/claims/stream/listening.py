"""An app that listens to the stream of the real web server."""

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event as Flag
from threading import Thread
from typing import Any

from django.db import connections, transaction
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application

from channels_app import events
from channels_app.models import Bot, User
from claims.models import Conversation
from tests.factories import ConversationFactory
from tests.pushbridge.api.app import registered

PATIENCE = 30.0


def token_for(user: User, *, until: datetime | None = None, scope: str = "read") -> str:
    """A token of ours."""
    row = AccessToken.objects.create(
        user=user,
        token=uuid.uuid4().hex,
        application=Application.objects.first() or registered(),
        expires=until or timezone.now() + timedelta(hours=1),
        scope=scope,
    )
    return str(row.token)


def conversation(bot: Bot, name: str = "conv_1", **about: Any) -> Conversation:
    return ConversationFactory.create(
        organization=bot.organization, bot=bot, external_id=name, **about
    )


def happened(one: Conversation, type: str = "conversation.message", **data: Any) -> int:
    """Publish an event of a conversation; answer its id."""
    now = timezone.now()
    parties = {
        "bot": {"id": one.bot.external_id, "name": one.bot.name},
        "conversation": {"id": one.external_id},
    }
    return events.publish(
        organization_id=one.organization_id,
        connection_id=None,
        webhook_id=uuid.uuid4().hex,
        type=type,
        payload={"type": type, "timestamp": now.isoformat(), "data": {**parties, **data}},
        occurred_at=now,
        now=now,
        source_id=one.bot_id,
        subject=one.external_id,
        facts={"conversation": one.pk, "epoch": one.epoch},
    )


@contextmanager
def uncommitted(one: Conversation) -> Iterator[int]:
    """An event whose transaction commits when the block ends."""
    ids: list[int] = []
    stored, go_on = Flag(), Flag()

    def store() -> None:
        with transaction.atomic():
            ids.append(happened(one, message="late"))
            stored.set()
            go_on.wait(PATIENCE)
        connections.close_all()

    thread = Thread(target=store)
    thread.start()
    try:
        assert stored.wait(PATIENCE)
        yield ids[0]
    finally:
        go_on.set()
        thread.join(PATIENCE)


class Ear:
    """One open stream. `bookmark` is what it would come back with."""

    def __init__(
        self, port: int, org: str, token: str = "", *, after: str | None = None, **headers: str
    ) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if after is not None:
            headers["Last-Event-ID"] = after
        self._connection.request(
            "GET", f"/api/v1/{org}/stream/", headers={"Accept": "text/event-stream", **headers}
        )
        self.answer = self._connection.getresponse()
        self.status = self.answer.status
        self.bookmark = after or ""

    def blocks(self) -> Iterator[dict[str, str]]:
        """The fields of each block, until the stream ends."""
        fields: dict[str, str] = {}
        while line := self.answer.readline().decode():
            if line == "\n":
                self.bookmark = fields.get("id", self.bookmark)
                yield fields
                fields = {}
            else:
                name, _, value = line.rstrip("\n").partition(": ")
                fields[name] = value

    def next(self) -> dict[str, Any]:
        """The `data` of the next event."""
        for block in self.blocks():
            if "data" in block:
                found: dict[str, Any] = json.loads(block["data"])
                return found
        raise EOFError("the stream ended")

    def is_open(self) -> None:
        """Wait until the server says where the stream begins."""
        next(self.blocks())

    def ids(self, number: int) -> list[int]:
        """Of the next events."""
        return [self.next()["event_id"] for _ in range(number)]

    def until(self, event_id: int) -> list[int]:
        """The ids of the next events, up to this one."""
        heard = self.ids(1)
        while heard[-1] != event_id:
            heard += self.ids(1)
        return heard

    def close(self) -> None:
        self.answer.close()
        self._connection.close()
