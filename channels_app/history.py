"""What happened to one thing of a source: the events of a conversation or a run."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from channels_app.models import Bot, Event

# A screen shows this many at most, the newest of them.
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class History:
    """The events, oldest first; and whether there were `earlier` ones than these."""

    events: list[Event]
    earlier: bool


def read(*, source_id: int, subject: str) -> History:
    """By the platform's clock; `subject` is the platform's id of the conversation or run."""
    return _newest(Event.objects.filter(source=source_id, subject=subject))


def read_of_conversation(*, organization_id: int, subject: str) -> History:
    """The same of a conversation, which may have passed from one bot to another."""
    bots = Bot.objects.filter(organization=organization_id).values("pk")
    return _newest(Event.objects.filter(source__in=bots, subject=subject))


def _newest(events: QuerySet[Event]) -> History:
    found = list(events.order_by("-occurred_at", "-pk").defer("facts")[: MOST_SHOWN + 1])
    return History(events=found[:MOST_SHOWN][::-1], earlier=len(found) > MOST_SHOWN)
