"""When to try again. Pure."""

from __future__ import annotations

from datetime import timedelta

from channels_app.levels import Level

# A customer is waiting: a critical push is tried again at least this often while it lives.
LONGEST = {
    Level.CRITICAL: timedelta(seconds=30),
    Level.LOUD: timedelta(minutes=10),
    Level.QUIET: timedelta(minutes=10),
}
# Broken credentials need a person; whoever mends them should not wait long for the effect.
CREDENTIALS = timedelta(minutes=1)
# A push service that asks for more than this is not obeyed to the letter.
PATIENCE = timedelta(hours=1)


def delay(*, attempt: int, level: Level, retry_after: float | None = None) -> timedelta:
    """How long to wait after attempt number `attempt` (from 1).

    The wait is 1 s and doubles with each attempt, up to the level's longest. The push service may
    ask for a longer one (`retry_after`, in seconds), but not for a shorter: one that always says
    "at once" would be asked for ever.
    """
    own = min(timedelta(seconds=2 ** min(attempt - 1, 20)), LONGEST[level])
    if retry_after is None:
        return own
    return max(own, min(timedelta(seconds=retry_after), PATIENCE))
