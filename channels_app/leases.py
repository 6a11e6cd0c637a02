"""A delivery in the hands of one worker, with all that the push needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from channels_app.gateways.pushes import Target
from channels_app.levels import Level, Privacy
from channels_app.links import About

# Longer than a push may wait for its turn and its answer (`gateways.transport`): a lease that ends
# means that its sender is dead.
LEASE = timedelta(seconds=30)

# A customer should not wait that long. The sessions of a process that dies end with it, and each of
# them names the process: what is leased by one that has no session left is free after this time. A
# living process that lost its connection has made another by then.
ORPHAN_AGE = timedelta(seconds=5)
# After a restart of the server all sessions are new, and some may not be there yet.
SERVER_GRACE = timedelta(seconds=10)


@dataclass(slots=True)
class Leased:
    """One delivery that this worker has to itself for the length of the lease.

    Not frozen for one reason: thousands of these are made a second, and freezing doubles the cost.
    """

    delivery_id: int
    attempt: int
    """The number of this attempt, from 1: who settles it says which attempt it was."""
    expires_at: datetime
    notification_id: int
    membership_id: int
    installation_id: UUID
    target: Target
    level: Level
    title: str
    body: str
    locale: str
    about: About
    organization: str
    """The organization's slug."""
    facts: Mapping[str, Any]
    """What the state knew when the event came (`Event.facts`)."""
    privacy: Privacy = Privacy.FULL
    """How much of the text may travel."""
