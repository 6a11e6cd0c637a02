"""Decisions about quiet hours: drawn at random, written as lines for Node, and made by us.

A line is `zone at moved-to windows`: `at` in minutes since 1970; `moved-to` the zone to which the
member goes half-way through the quiet period, or `-`; windows as `days:start:end,...`, the days as
bits (Monday the lowest), the times in minutes of the day. An answer is `until until-after-the-move`
in minutes since 1970, `-` for none.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random

from channels_app.quiet_hours import LOOK_AHEAD, Schedule, Window, quiet_until
from tests.peers.quiet_hours.zone_data import EPOCH, Zone

DAY = 24 * 60
# A period, and one more after a move half-way through it.
REACH = 2 * LOOK_AHEAD // timedelta(minutes=1)
ATTEMPTS = 200


@dataclass(frozen=True, slots=True)
class Decision:
    schedule: Schedule
    at: datetime
    moved_to: str | None = None

    def line(self) -> str:
        windows = ",".join(map(_written, self.schedule.windows)) or "-"
        zone = self.schedule.time_zone
        return f"{zone} {minutes(self.at)} {self.moved_to or '-'} {windows}"

    @classmethod
    def from_line(cls, line: str) -> Decision:
        time_zone, at, moved_to, windows = line.split()
        schedule = Schedule(time_zone, () if windows == "-" else _windows(windows))
        return cls(schedule, instant(int(at)), None if moved_to == "-" else moved_to)

    def answer(self) -> str:
        """What we say, as Node would write it."""
        until = quiet_until(self.schedule, at=self.at)
        if until is None:
            return "- -"
        if self.moved_to is None:
            return f"{minutes(until)} -"
        there = Schedule(self.moved_to, self.schedule.windows)
        half_way = instant((minutes(self.at) + minutes(until)) // 2)
        until_there = quiet_until(there, at=half_way)
        return f"{minutes(until)} {minutes(until_there) if until_there else '-'}"


def minutes(at: datetime) -> int:
    """Minutes since 1970. Raises AssertionError for an instant between two of them."""
    whole, rest = divmod(at - EPOCH, timedelta(minutes=1))
    assert not rest, at
    return whole


def instant(minute: int) -> datetime:
    return EPOCH + timedelta(minutes=minute)


def draw(
    random: Random, zones: Mapping[str, Zone], *, count: int, first: int, last: int
) -> Iterator[Decision]:
    """`count` decisions between two minutes, zone by zone, as many for each.

    None lies where the zone data of the two sides differ. Half of them are near a change of the
    clock. Raises LookupError if a zone leaves no room: such a zone is to be left out.
    """
    names = sorted(zones)
    for index, name in enumerate(names):
        share = (index + 1) * count // len(names) - index * count // len(names)
        for at in sorted(_instant(random, zones[name], first, last) for _ in range(share)):
            there = random.choice(names) if random.random() < 0.125 else None
            if there and zones[there].differs(at, at + REACH):
                there = None
            yield Decision(Schedule(name, _draw_windows(random)), instant(at), there)


def _instant(random: Random, zone: Zone, first: int, last: int) -> int:
    changes = zone.minutes[bisect_right(zone.minutes, first) : bisect_left(zone.minutes, last)]
    for _ in range(ATTEMPTS):
        if changes and random.random() < 0.5:
            at = random.choice(changes) + random.randint(-3 * DAY, DAY)
        else:
            at = random.randrange(first, last)
        if first <= at < last and not zone.differs(at, at + REACH):
            return at
    raise LookupError(zone.name)


def _draw_windows(random: Random) -> tuple[Window, ...]:
    kind = random.random()
    if kind < 0.01:
        return (Window(frozenset(range(1, 8)), time(0), time(0)),)
    if kind < 0.03:
        return _all_but_a_little(random)
    return tuple(_draw_window(random) for _ in range(random.choice((1, 1, 2, 3, 5))))


def _all_but_a_little(random: Random) -> tuple[Window, ...]:
    """A week with one gap of up to two hours, on one day."""
    day, gap = random.randint(1, 7), random.randint(1, 120)
    start = random.randrange(0, 4 * 60)
    others = frozenset(range(1, 8)) - {day}
    return (
        Window(others, time(0), time(0)),
        Window(frozenset({day}), _time(start + gap), time(0)),
        *([Window(frozenset({day}), time(0), _time(start))] if start else []),
    )


def _draw_window(random: Random) -> Window:
    days = frozenset(random.sample(range(1, 8), random.randint(1, 7)))
    start = _draw_time(random)
    return Window(days, start, start if random.random() < 0.04 else _draw_time(random))


def _draw_time(random: Random) -> time:
    """Any minute; often a round one in the small hours, when clocks change."""
    if random.random() < 0.3:
        return _time(random.randrange(0, 5 * 60, 30))
    return _time(random.randrange(DAY))


def _written(window: Window) -> str:
    days = sum(1 << day - 1 for day in window.days)
    return f"{days}:{_minute(window.start)}:{_minute(window.end)}"


def _windows(text: str) -> tuple[Window, ...]:
    found = []
    for window in text.split(","):
        days, start, end = map(int, window.split(":"))
        names = frozenset(day for day in range(1, 8) if days & 1 << day - 1)
        found.append(Window(names, _time(start), _time(end)))
    return tuple(found)


def _time(minute: int) -> time:
    return time(*divmod(minute, 60))


def _minute(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def year_start(year: int) -> int:
    """The first minute of a year in UTC."""
    return minutes(datetime(year, 1, 1, tzinfo=UTC))


def count_kinds(decided: Iterable[tuple[Decision, str]], zones: Mapping[str, Zone]) -> Counter[str]:
    """How many of the decisions, given with their answers, meet what makes quiet hours hard."""
    counts = Counter[str]()
    for decision, answer in decided:
        until, until_there = answer.split()
        counts["decisions"] += 1
        if until == "-":
            continue
        at, end = minutes(decision.at), int(until)
        zone = zones[decision.schedule.time_zone]
        changes = zone.changes(at, end)
        counts["quiet"] += 1
        counts["over midnight"] += zone.wall(at) // DAY != zone.wall(end - 1) // DAY
        counts["the clock goes forward in it"] += any(change > 0 for _, change in changes)
        counts["the clock goes back in it"] += any(change < 0 for _, change in changes)
        counts["ended by the change itself"] += end in zone.minutes[1:]
        counts["as long as the look-ahead"] += end - at == REACH // 2
        counts["zone changed while held"] += decision.moved_to is not None
        counts["and quiet there too"] += until_there != "-"
    return counts
