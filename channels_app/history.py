"""What happened to one thing of a source: the events of a conversation or a run."""

from __future__ import annotations

from dataclasses import dataclass

from channels_app.models import Event

# A screen shows this many at most, the newest of them.
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class History:
    """The events, oldest first; and whether there were `earlier` ones than these."""

    events: list[Event]
    earlier: bool


def read(*, source_id: int, subject: str) -> History:
    """By the platform's clock; `subject` is the platform's id of the conversation or run."""
    newest = Event.objects.filter(source=source_id, subject=subject).order_by("-occurred_at", "-pk")
    found = list(newest.defer("facts")[: MOST_SHOWN + 1])
    return History(events=found[:MOST_SHOWN][::-1], earlier=len(found) > MOST_SHOWN)
