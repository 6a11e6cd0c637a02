"""How many events a worker routes next. Pure: moments are seconds of a monotonic clock.

As many as it can send for; the rest is for others. What is routed beyond that is written, leased
and read again later at twice the cost; and a batch of one event costs nearly as much as one of ten.
"""

from __future__ import annotations

import math

# One transaction's worth of events.
ROUTE_LIMIT = 100
# In a storm a worker waits until half of its connections' room is free again, as long as answers
# come in. After a silence something hangs on them; where answers only trickle, it is half a second
# at most that what could be sent elsewhere has to wait.
SILENCE_SECONDS = 0.1
# Of an event of which nothing is known yet. Too many cost one small batch; too few, a large one of
# which most is written, leased and read again.
DELIVERIES_PER_EVENT = 100.0
WAIT_SECONDS = 0.5


class Pace:
    """What the last batches were like, and so how large the next should be."""

    def __init__(self) -> None:
        self.more = False
        """Whether the last batch was full: there is more than one worker takes."""
        self.slack = False
        """Whether the last batch was nearly empty: fewer workers would do."""
        self._deliveries_per_event = DELIVERIES_PER_EVENT
        self._routed_at = -math.inf
        self._answered_at = -math.inf

    def begin(self) -> None:
        """A drain begins: what the last one found says nothing of what there is now."""
        self.more = self.slack = False
        self._deliveries_per_event = DELIVERIES_PER_EVENT

    def answered(self, at: float) -> None:
        """Something that is under way has been answered."""
        self._answered_at = at

    def is_to_wait(self, *, room: int, capacity: int, at: float) -> bool:
        """Whether a batch now would be a small one, and there will soon be room for a large one."""
        return (
            self.more
            and room < capacity // 2
            and at - self._routed_at < WAIT_SECONDS
            and at - max(self._routed_at, self._answered_at) < SILENCE_SECONDS
        )

    def events(self, *, room: int, capacity: int) -> int:
        """The limit of the next batch; 0 if there is no room for any event."""
        if room < min(self._deliveries_per_event, capacity // 2):
            return 0
        return max(1, min(ROUTE_LIMIT, int(room / self._deliveries_per_event)))

    def learn(self, *, events: int, deliveries: int, limit: int, at: float) -> None:
        """A batch has been routed; the next will be much the same."""
        self._routed_at = at
        self.more = events >= limit
        self.slack = events < max(1, limit // 2)
        if events:
            self._deliveries_per_event = max(1.0, deliveries / events)
