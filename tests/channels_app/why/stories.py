"""Alice, an agent in Berlin, and what happens to her bot at a given moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import InternalError, connection, transaction

from channels_app import why
from channels_app.fan_out import fan_out
from channels_app.models import Bot, Event, Membership, Source, User
from channels_app.why import Answer
from tests.crowds import agent
from tests.examples import SMALLEST
from tests.factories import BotFactory, EventFactory

# 03:12 and 07:00 in Berlin.
NIGHT = datetime(2026, 11, 24, 2, 12, tzinfo=UTC)
MORNING = datetime(2026, 11, 24, 6, tzinfo=UTC)
LATER = NIGHT + timedelta(minutes=1)

ASKED = "conversation.human_requested"
LINKED = "bot.tool_linked"


def bot_x() -> Bot:
    return BotFactory.create(
        name="Bot X",
        external_id="bot_x",
        organization__name="Acme",
        organization__slug="acme",
    )


def alice(bot: Bot, **choices: Any) -> Membership:
    """Who subscribes to the bot and may respond to it, and has one phone."""
    member = agent(bot=bot, **choices)
    user = member.user
    user.first_name, user.last_name, user.username = "Alice", "", "alice"
    user.time_zone = "Europe/Berlin"
    user.save()
    for phone in user.installations.all():
        phone.name = "Alice's iPhone"
        phone.save()
    return member


def happened(
    source: Source,
    type: str = LINKED,
    *,
    data: Mapping[str, Any] | None = None,
    routed_at: datetime | None = NIGHT,
    **fields: Any,
) -> Event:
    """An event of the source at night, which was routed at once."""
    event = EventFactory.create(
        connection__organization=source.organization,
        source=source,
        type=type,
        payload={"type": type, "data": {**SMALLEST.get(type, {}), **(data or {})}},
        **{"received_at": NIGHT, **fields},
    )
    if routed_at is not None:
        fan_out(event_ids=[event.pk], now=routed_at, room=0)
    return event


def explain(event: Event, member: Membership, *, now: datetime = LATER) -> Answer:
    return why.explain(event_id=event.pk, user=member.user, now=now)


@contextmanager
def read_only() -> Iterator[None]:
    """PostgreSQL refuses whatever would write."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        yield
        with pytest.raises(InternalError, match="read-only"), transaction.atomic():
            User.objects.update(first_name="")
