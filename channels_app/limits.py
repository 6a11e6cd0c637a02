"""Limits that hold however many ask at once, in whatever process: so many requests a period.

One script in Redis reads its clock and decides about all limits of a request together; nothing can
come between. The algorithm is GCRA (ITU-T I.371, "generic cell rate algorithm"): one number for
each key, the moment at which it is as if nobody had ever asked. A full limit may be used up at
once, and comes back evenly: there is no edge of a window at which twice as many get through.

Without Redis each process counts for itself: a limit then lets through at most as many times more
as there are processes, and the API keeps working.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = structlog.get_logger(__name__)

# A request waits no longer for Redis, and after a failure nobody asks it for a while.
ANSWER_SECONDS = 0.25
PAUSE_SECONDS = 5.0
# Keys that a process counts for itself at most; beyond that the one not used for longest goes.
OWN_KEYS = 10_000

PREFIX = "pushbridge:limit:"


@dataclass(frozen=True, slots=True)
class Limit:
    """`count` requests in `seconds`. `name` is what callers know it by."""

    name: str
    count: int
    seconds: int

    def __post_init__(self) -> None:
        if self.count < 1 or self.seconds < 1:
            raise ValueError(f"limit {self.name}: {self.count} in {self.seconds} s lets nothing by")


@dataclass(frozen=True, slots=True)
class Meter:
    """How a limit stands after a request.

    Attributes:
        remaining: requests that would be let through now.
        retry_after: seconds until one would be, where this one was not; else 0.
        reset_after: seconds until the whole limit is there again.
    """

    limit: Limit
    remaining: int
    retry_after: float
    reset_after: float


# KEYS: the limits' keys. ARGV: for each the µs that one request uses up, then those of the period.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local meters, ends, open = {}, {}, true
for i, key in ipairs(KEYS) do
  local cost, period = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local free = math.max(tonumber(redis.call('GET', key) or 0), now)
  local wait = free + cost - period - now
  if wait > 0 then open = false else wait = 0 end
  ends[i] = free
  meters[i] = {period - (free - now), wait, free - now}
end
for i, key in ipairs(KEYS) do
  if open then
    local cost = tonumber(ARGV[2 * i - 1])
    ends[i] = ends[i] + cost
    meters[i] = {meters[i][1] - cost, 0, meters[i][3] + cost}
    redis.call('SET', key, string.format('%.0f', ends[i]), 'PX', math.ceil(meters[i][3] / 1000))
  end
end
return meters
"""


class Limiter:
    """Takes from limits, in Redis, or alone while that is away."""

    def __init__(self, url: str) -> None:
        self._script = redis.Redis.from_url(
            url,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        ).register_script(_TAKE)
        self._away_until = 0.0
        self._own = OwnCount()

    def take(self, wanted: Sequence[tuple[Limit, str]]) -> list[Meter]:
        """Use one request of each limit, for whom it is counted; of none if one of them is used up.

        Never raises.
        """
        if not wanted:
            return []
        keys = [f"{PREFIX}{limit.name}:{whom}" for limit, whom in wanted]
        costs = [(_cost(limit), limit.seconds * 1_000_000) for limit, _ in wanted]
        found = self._take_in_redis(keys, costs)
        if found is None:
            found = self._own.take(keys, costs, time.monotonic_ns() // 1000)
        return [
            Meter(
                limit=limit,
                remaining=min(left // cost, limit.count),
                retry_after=wait / 1_000_000,
                reset_after=reset / 1_000_000,
            )
            for (limit, _), (cost, _), (left, wait, reset) in zip(wanted, costs, found, strict=True)
        ]

    def _take_in_redis(
        self, keys: list[str], costs: list[tuple[int, int]]
    ) -> list[tuple[int, int, int]] | None:
        if time.monotonic() < self._away_until:
            return None
        try:
            found: list[tuple[int, int, int]] = self._script(
                keys, [number for pair in costs for number in pair]
            )
        except redis.RedisError as error:
            self._away_until = time.monotonic() + PAUSE_SECONDS
            log.warning("limits.counted_alone", error=str(error))
            return None
        return found


class OwnCount:
    """The same in this process's memory."""

    def __init__(self) -> None:
        self._ends: dict[str, int] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._ends)

    def take(
        self, keys: list[str], costs: list[tuple[int, int]], now: int
    ) -> list[tuple[int, int, int]]:
        """What the script answers, for each key: µs left, to wait, and until all is back."""
        with self._lock:
            free = [max(self._ends.pop(key, 0), now) for key in keys]
            waits = [
                max(end + cost - period - now, 0)
                for end, (cost, period) in zip(free, costs, strict=True)
            ]
            if not any(waits):
                free = [end + cost for end, (cost, _) in zip(free, costs, strict=True)]
            self._ends |= zip(keys, free, strict=True)
            while len(self._ends) > OWN_KEYS:
                del self._ends[next(iter(self._ends))]
        return [
            (period - (end - now), wait, end - now)
            for end, wait, (_, period) in zip(free, waits, costs, strict=True)
        ]


def _cost(limit: Limit) -> int:
    """µs; rounded down, so that the last request of a full limit is never refused."""
    return max(math.floor(limit.seconds * 1_000_000 / limit.count), 1)


_limiter = Limiter(settings.REDIS_URL)
take = _limiter.take
