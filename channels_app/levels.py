"""How loud a push is, how long it lives, and in which lane it travels. Pure."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class Level(StrEnum):
    """Loudness, from nothing at all to an alert that breaks through silence."""

    OFF = "off"
    QUIET = "quiet"
    LOUD = "loud"
    CRITICAL = "critical"


class Privacy(StrEnum):
    """How much of a banner travels through push services and stands on a lock screen."""

    FULL = "full"
    REDACTED = "redacted"
    """The title only."""
    IDS = "ids"
    """No text of it at all: the app fetches it."""

    @staticmethod
    def narrowest(*words: str) -> Privacy:
        """The narrowest of what organization, member and device say; an empty word says nothing."""
        order = list(Privacy)
        return max((Privacy(word) for word in words if word), key=order.index, default=order[0])


class Lane(StrEnum):
    """A queue with workers of its own. The value is the name of the Celery queue.

    Escalations never wait behind anything else, whatever storm the other channels are in.
    """

    ESCALATION = "escalation"
    DEFAULT = "default"


# How long a push is worth delivering, counted from when we learned of the event. A critical one
# lives as long as the claim window of its organization instead.
TIME_TO_LIVE = {
    Level.LOUD: timedelta(hours=12),
    Level.QUIET: timedelta(hours=24),
}


def time_to_live(level: Level, *, claim_window: timedelta) -> timedelta:
    """How long after the event was received a push of this level may still be delivered."""
    return claim_window if level is Level.CRITICAL else TIME_TO_LIVE[level]
