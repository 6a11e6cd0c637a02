"""Quiet hours: is it quiet for this member now, and until when? Pure, but for reading zone data.

One definition carries everything: *an instant is quiet if its local wall time lies in a window.*
Instants are converted to wall time, never wall time to instants, so nothing is ever ambiguous:

- A window is a stretch of the wall clock's week. It starts on each of its days at `start`, and ends
  at `end` of the same day or, if `end` is not later than `start`, of the next. So 22:00-07:00 on
  Friday ends on Saturday morning, 00:00-00:00 is the whole day, and 09:00-09:00 is 24 hours.
- Spring, 02:00 to 03:00 is skipped: a window that starts at 02:30 is entered at 03:00, one that
  ends at 02:30 is left at 03:00; one from 02:10 to 02:50 does not happen. A skipped day likewise.
- Autumn, 02:00 to 03:00 comes twice: a window from 02:30 on is entered twice. The clock going back
  at 03:00 leaves it for half an hour, and that is an end like any other. A window until 02:30 is
  left at the first 02:30, entered again when the clock goes back, left at the second.

Windows that touch or overlap are one period. Time zone data is that of the package `tzdata`, not
the machine's, so that the same version of Pushbridge decides alike everywhere.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from math import floor
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# More than a fortnight, since a week's only free hour may be the one that spring skips. A longer
# period is taken for a week that is never free: see `quiet_until`.
LOOK_AHEAD = timedelta(days=15)

# Four a day: more says nothing that fewer do not, and bounds the cost of a decision.
MAXIMUM_WINDOWS = 28

_TZDATA = files("tzdata")
# "Factory" stands for "nobody has set a time zone yet".
_NOT_A_PLACE = {"Factory"}

_MINUTE = 60
_DAY = 24 * 60 * _MINUTE
_WEEK = 7 * _DAY
_LOOK_AHEAD = int(LOOK_AHEAD.total_seconds())
# 1970-01-01 was a Thursday; wall clocks count their week from Monday.
_EPOCH_IN_WEEK = 3 * _DAY
# A zone's clocks are remembered by spans of about a year, and found by probing it this often: the
# shortest change there and back since 1970 lasted 167 hours (Recife, October 2000).
_SPAN = 366 * _DAY
_PROBE = 3 * _DAY


@dataclass(frozen=True, slots=True)
class Window:
    """Quiet from `start` to `end` by the wall clock, on each of `days`.

    Attributes:
        days: ISO weekdays (1 Monday to 7 Sunday) on which the window *starts*.
        start: the first quiet minute.
        end: the first minute after it; if not later than `start`, of the next day. Equal to
            `start`: 24 hours.
    """

    days: frozenset[int]
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Schedule:
    """A member's quiet hours: `time_zone` by its IANA name, and the windows of their week."""

    time_zone: str
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. `pointer` says where in the schedule (RFC 6901), `detail` what."""

    pointer: str
    detail: str


def quiet_until(schedule: Schedule, *, at: datetime) -> datetime | None:
    """The instant (UTC) at which the quiet period around `at` ends; None if `at` is not quiet.

    It is the first instant after `at` at which the wall clock shows a time in no window. A week
    that is never free has no such instant: the answer is then LOOK_AHEAD after `at`, as the time
    to ask again. Ask again at any end that was given: the schedule may have changed since.

    Raises:
        ValueError: `at` is naive.
        ZoneInfoNotFoundError: there is no such time zone; `errors` would have said so.
    """
    week = _quiet_week(schedule.windows)
    now = _instant(at)
    instant, horizon = now, (now + _LOOK_AHEAD) // _MINUTE * _MINUTE
    while instant < horizon:
        clock = _clock(schedule.time_zone, instant)
        left = week.left((instant + clock.offset + _EPOCH_IN_WEEK) % _WEEK)
        if not left:
            break
        instant = min(instant + left, clock.until)
    return None if instant == now else datetime.fromtimestamp(min(instant, horizon), UTC)


def quiet_from(schedule: Schedule, *, at: datetime) -> datetime | None:
    """The first quiet instant (UTC) from `at` on, which is `at`, to the second, if that is quiet.

    None if nothing of the next LOOK_AHEAD is quiet.

    Raises:
        ValueError: `at` is naive.
        ZoneInfoNotFoundError: there is no such time zone; `errors` would have said so.
    """
    week = _quiet_week(schedule.windows)
    instant = now = _instant(at)
    while instant < now + _LOOK_AHEAD:
        clock = _clock(schedule.time_zone, instant)
        ahead = week.ahead((instant + clock.offset + _EPOCH_IN_WEEK) % _WEEK)
        if not ahead:
            return datetime.fromtimestamp(instant, UTC)
        instant = min(instant + ahead, clock.until)
    return None


def errors(schedule: Schedule) -> tuple[Fault, ...]:
    """What is wrong with a schedule that somebody wants to keep, in the order of its fields.

    Times are wall-clock times of whole minutes, without a zone of their own.
    """
    return tuple(_errors(schedule))


@lru_cache(maxsize=1)
def time_zones() -> frozenset[str]:
    """The IANA names that a schedule may use, aliases included. Case matters."""
    names = (_TZDATA / "zones").read_text(encoding="ascii").split()
    return frozenset(names) - _NOT_A_PLACE


def _errors(schedule: Schedule) -> Iterator[Fault]:
    if schedule.time_zone not in time_zones():
        yield Fault("/time_zone", "is not the name of an IANA time zone, such as Europe/Berlin")
    if len(schedule.windows) > MAXIMUM_WINDOWS:
        yield Fault("/windows", f"has more than {MAXIMUM_WINDOWS} windows")
    for index, window in enumerate(schedule.windows):
        place = f"/windows/{index}"
        if not window.days:
            yield Fault(f"{place}/days", "names no day")
        elif not all(type(day) is int and 1 <= day <= 7 for day in window.days):
            yield Fault(f"{place}/days", "may name the days 1 (Monday) to 7 (Sunday) only")
        for name, moment in (("start", window.start), ("end", window.end)):
            if moment.tzinfo is not None:
                yield Fault(f"{place}/{name}", "is a wall-clock time and has no offset")
            elif moment.second or moment.microsecond:
                yield Fault(f"{place}/{name}", "must be a whole minute")


def _instant(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return floor(at.timestamp())


class _QuietWeek(NamedTuple):
    """The quiet stretches of the wall clock's week, in seconds since Monday 00:00.

    They are disjoint and sorted, and none goes beyond the week: one may follow at Monday's start.
    """

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def left(self, moment: int) -> int:
        """Seconds until the wall clock leaves the stretch that it is in; 0 if it is in none."""
        index = bisect_right(self.starts, moment) - 1
        return max(self.ends[index] - moment, 0) if index >= 0 else 0

    def ahead(self, moment: int) -> int:
        """Seconds until the wall clock enters a stretch, or the week ends; 0 if it is in one."""
        if self.left(moment):
            return 0
        index = bisect_right(self.starts, moment)
        return (self.starts[index] if index < len(self.starts) else _WEEK) - moment


@lru_cache(maxsize=4096)
def _quiet_week(windows: tuple[Window, ...]) -> _QuietWeek:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(_stretches(windows)):
        if merged and start <= merged[-1][1]:
            start, end = merged[-1][0], max(end, merged.pop()[1])
        merged.append((start, end))
    return _QuietWeek(tuple(start for start, _ in merged), tuple(end for _, end in merged))


def _stretches(windows: tuple[Window, ...]) -> Iterator[tuple[int, int]]:
    """What each window covers of the week, cut in two where the week ends."""
    for window in windows:
        opens, closes = _seconds(window.start), _seconds(window.end)
        length = closes - opens if closes > opens else closes - opens + _DAY
        for day in window.days:
            start = (day - 1) * _DAY + opens
            yield start, min(start + length, _WEEK)
            if start + length > _WEEK:
                yield 0, start + length - _WEEK


def _seconds(moment: time) -> int:
    return (moment.hour * 60 + moment.minute) * _MINUTE


class _Clock(NamedTuple):
    """How wall time relates to instants, both in seconds since 1970, up to the instant `until`."""

    offset: int
    until: int


def _clock(time_zone: str, instant: int) -> _Clock:
    """The wall clock of a zone at an instant. `until` is never later than its next change."""
    begins, clocks = _clocks(time_zone, instant // _SPAN)
    return clocks[bisect_right(begins, instant) - 1]


@lru_cache(maxsize=4096)
def _clocks(time_zone: str, span: int) -> tuple[tuple[int, ...], tuple[_Clock, ...]]:
    """When each clock of the span begins, and the clocks.

    `zoneinfo` does not tell when a zone's offset changes, so the changes are found by probing and
    bisecting. A test looks for any that are too close together to be found.
    """
    zone = zone_info(time_zone)
    start, end = span * _SPAN, (span + 1) * _SPAN
    begins, offsets = [start], [_offset(zone, start)]
    for probe in range(start + _PROBE, end + _PROBE, _PROBE):
        while _offset(zone, probe) != offsets[-1]:
            change = _first_change(zone, max(probe - _PROBE, begins[-1]), probe)
            begins.append(change)
            offsets.append(_offset(zone, change))
    clocks = map(_Clock, offsets, [*begins[1:], end])
    return tuple(begins), tuple(clocks)


def _first_change(zone: ZoneInfo, before: int, after: int) -> int:
    """The first second in (before, after] that has not the offset of `before`."""
    offset = _offset(zone, before)
    seconds = range(before, after + 1)
    return before + bisect_right(seconds, False, key=lambda second: _offset(zone, second) != offset)


def _offset(zone: ZoneInfo, instant: int) -> int:
    offset = datetime.fromtimestamp(instant, zone).utcoffset()
    assert offset is not None  # a ZoneInfo always knows it
    return int(offset.total_seconds())


@lru_cache(maxsize=1024)
def zone_info(time_zone: str) -> ZoneInfo:
    """The zone as the package has it; `ZoneInfo(name)` would prefer the machine's data.

    Raises:
        ZoneInfoNotFoundError: `time_zones()` does not have it.
    """
    if time_zone not in time_zones():
        raise ZoneInfoNotFoundError(f"no time zone {time_zone!r} in tzdata")
    with _TZDATA.joinpath("zoneinfo", *time_zone.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=time_zone)
