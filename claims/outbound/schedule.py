"""When a message is tried again, and until when. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

# Standard Webhooks 1.0, "Deliverability and reliability": at once, and then after each of these.
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER = 0.1
"""Each wait is longer by up to this part of it, so that what failed together comes back apart."""
LASTING = timedelta(days=3)
"""A little less than all waits together: no message is given up before, however often it was tried
meanwhile; and an endpoint that took nothing for so long is disabled."""
PATIENCE = timedelta(hours=24)
"""A receiver that asks for a longer wait (Retry-After) is asked again after this."""


def next_try(
    *,
    failures: int,
    round_at: datetime,
    now: datetime,
    chance: float,
    retry_after: float | None = None,
) -> datetime | None:
    """When to try again after `failures` tries (from 1) that failed; None: it is given up.

    A message has at least as many tries as the standard advises, and at least `LASTING`: neither a
    receiver that comes and goes nor a pause of our own sender uses them up.

    Args:
        round_at: when the first of these tries was due.
        chance: from 0 to 1, for the jitter.
        retry_after: seconds that the receiver asked us to wait. It can make a wait longer, not
            shorter.
    """
    if failures > len(WAITS) and now - round_at >= LASTING:
        return None
    wait = WAITS[min(failures, len(WAITS)) - 1] * (1 + JITTER * chance)
    if retry_after is not None:
        wait = max(wait, min(timedelta(seconds=retry_after), PATIENCE))
    return now + wait
