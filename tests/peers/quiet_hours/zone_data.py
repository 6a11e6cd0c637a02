"""The time zone data of the two sides: the package `tzdata` here, ICU's in Node.

They are of different releases, so they may differ in when clocks change. That is neither side's
mistake, and it is found out before anything is compared, from `zoneinfo` and `Intl` alone, so that
an error of our own cannot pass for a difference of the data.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

TZDATA = files("tzdata")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STEP = 2 * 24 * 60

# (from this minute since 1970, minutes that the wall clock is ahead of UTC)
Clocks = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone's clocks as `zoneinfo` has them, and where Node's data have others."""

    name: str
    minutes: Sequence[int]
    offsets: Sequence[int]
    differing: Sequence[tuple[int, int]]

    def differs(self, first: int, last: int) -> bool:
        return any(start <= last and first < end for start, end in self.differing)

    def wall(self, minute: int) -> int:
        return minute + self.offsets[bisect_right(self.minutes, minute) - 1]

    def changes(self, after: int, until: int) -> list[tuple[int, int]]:
        """When, in (after, until], the clock is changed, and by how many minutes."""
        inside = range(bisect_right(self.minutes, after), bisect_right(self.minutes, until))
        return [(self.minutes[i], self.offsets[i] - self.offsets[i - 1]) for i in inside]


def names() -> list[str]:
    """Every name that the package lists."""
    return sorted((TZDATA / "zones").read_text(encoding="ascii").split())


def zone(name: str, nodes: Clocks, *, first: int, last: int) -> Zone:
    """A zone between two minutes since 1970, compared with Node's clocks of it."""
    clocks = clocks_of(name, first=first, last=last)
    return Zone(
        name,
        [minute for minute, _ in clocks],
        [offset for _, offset in clocks],
        differing(clocks, nodes, last=last),
    )


def clocks_of(name: str, *, first: int, last: int) -> Clocks:
    """What `zoneinfo` says, in whole minutes, which all zones keep since 1972."""
    with TZDATA.joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        info = ZoneInfo.from_file(data, key=name)

    def offset(minute: int) -> int:
        ahead = datetime.fromtimestamp(minute * 60, info).utcoffset()
        assert ahead is not None and not ahead % MINUTE, (name, minute)
        return ahead // MINUTE

    found = [(first, offset(first))]
    for probe in range(first, last, STEP):
        until = min(probe + STEP, last)
        while offset(until) != found[-1][1]:
            low, high = max(probe, found[-1][0]), until
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == found[-1][1] else (low, middle)
            found.append((high, offset(high)))
    return found


def differing(ours: Clocks, nodes: Clocks, *, last: int) -> list[tuple[int, int]]:
    """The spans [start, end) in which two lists of clocks show different times."""
    spans: list[tuple[int, int]] = []
    starts = sorted({minute for minute, _ in (*ours, *nodes)})
    for start, end in zip(starts, [*starts[1:], last], strict=True):
        if _at(ours, start) == _at(nodes, start):
            continue
        if spans and spans[-1][1] == start:
            start = spans.pop()[0]
        spans.append((start, end))
    return spans


def _at(clocks: Clocks, minute: int) -> int:
    return clocks[bisect_right(clocks, minute, key=lambda clock: clock[0]) - 1][1]
