"""How far the log has been read, where its ids do not become visible in their order. Pure.

Ids come from a sequence, and a transaction that took a smaller one may commit after one that took a
greater. So what is above the greatest id that was seen is news, and so is every id below it that
was missing so far. A missing id that nobody can commit any more was never used, and is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# Between taking an id and having a transaction id lie microseconds; a server that is stopped in
# between for longer than this, and then goes on, could surprise us.
SETTLE_SECONDS = 5.0
# Never so many transactions are under way; a sequence that was set anew leaves such a hole.
MOST_MISSING = 2_000


@dataclass(slots=True)
class Missing:
    """An id that was not there.

    Attributes:
        since: when it was missed first (monotonic).
        ends_before: a transaction id. Once all below it have ended, the id will not come any more.
            None: too early to say.
    """

    since: float
    ends_before: int | None = None


class Tail:
    """What has been seen of a log, and what may still come below its end."""

    def __init__(self, *, high: int, missing: Iterable[int], now: float) -> None:
        self.high = high
        # In ascending order, since `high` only grows.
        self._missing = {number: Missing(now) for number in sorted(missing)}

    @property
    def missing(self) -> list[int]:
        return list(self._missing)

    @property
    def bookmark(self) -> int:
        """All that will ever be at or below it is visible: whoever goes on from here loses nothing,
        and may get some of it again.
        """
        return next(iter(self._missing), self.high + 1) - 1

    def see(self, ids: Iterable[int], *, now: float) -> None:
        """These were found, above `high` or among the missing."""
        for number in sorted(ids):
            if number <= self.high:
                self._missing.pop(number, None)
                continue
            first = max(self.high + 1, number - MOST_MISSING)
            self._missing.update((lost, Missing(now)) for lost in range(first, number))
            self.high = number
        for number in self.missing[:-MOST_MISSING]:
            del self._missing[number]

    def settle(self, *, oldest: int, following: int, now: float) -> None:
        """Forget what will not come any more.

        Args:
            oldest, following: `xmin` and `xmax` of a snapshot that was taken before the last `see`
                was read: the oldest transaction that had not ended, and the next that could begin.
        """
        for number, lost in list(self._missing.items()):
            if lost.ends_before is None:
                if now - lost.since >= SETTLE_SECONDS:
                    lost.ends_before = following
            elif oldest >= lost.ends_before:
                del self._missing[number]
