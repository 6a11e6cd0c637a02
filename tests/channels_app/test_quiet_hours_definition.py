"""Quiet hours held against their definition, and against what is known of the zones."""

from __future__ import annotations

import struct
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from channels_app.quiet_hours import (
    LOOK_AHEAD,
    Schedule,
    Window,
    quiet_from,
    quiet_until,
    time_zones,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def offset_changes(name: str) -> list[int]:
    """When a zone's offset changed since 1970, in seconds: its file's own list (RFC 9636).

    What follows the last of them by a yearly rule is not in it.
    """
    data = files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    ut, std, leap, times, types, chars = struct.unpack(">6L", data[20:44])
    second = 44 + times * 5 + types * 6 + chars + leap * 8 + std + ut
    _, _, _, times, types, _ = struct.unpack(">6L", data[second + 20 : second + 44])
    at = second + 44
    indexes = data[at + 8 * times : at + 9 * times]
    records = data[at + 9 * times : at + 9 * times + 6 * types]
    offsets = [offset for offset, _, _ in struct.iter_unpack(">lBB", records)]
    moments = struct.unpack(f">{times}q", data[at : at + 8 * times])
    previous = [offsets[0], *(offsets[index] for index in indexes)]
    changes = zip(moments, previous, previous[1:], strict=False)
    return [moment for moment, before, after in changes if moment > 0 and before != after]


def test_no_zone_changes_its_clock_so_often_that_probing_would_miss_it() -> None:
    twice_the_probes_distance = 6 * 24 * 3600

    for name in sorted(time_zones()):
        for one, next_one in pairwise(offset_changes(name)):
            assert next_one - one > twice_the_probes_distance, (name, one)


PLACES = [
    "Africa/Casablanca",
    "America/Recife",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Apia",
    "Pacific/Chatham",
]
minutes_of_day = st.builds(time, st.integers(0, 23), st.integers(0, 59))
windows = st.builds(
    Window, st.frozensets(st.integers(1, 7), min_size=1), minutes_of_day, minutes_of_day
)
schedules = st.builds(Schedule, st.sampled_from(PLACES), st.lists(windows, max_size=4).map(tuple))
# Whole minutes of 1980 to 2060.
instants = st.integers(5_258_880, 47_335_680).map(lambda minute: EPOCH + minute * MINUTE)


@cache
def package_zone(name: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data)


@cache
def days_of_change(name: str) -> list[datetime]:
    """The days of UTC, from 1980 to 2040, in which a zone changes its clock."""
    zone = package_zone(name)
    days = [EPOCH + timedelta(days=day) for day in range(3_652, 25_567)]
    offsets = [day.astimezone(zone).utcoffset() for day in days]
    return [
        day
        for day, (one, next_one) in zip(days, pairwise(offsets), strict=False)
        if one != next_one
    ]


@st.composite
def near_a_change(draw: st.DrawFn) -> tuple[Schedule, datetime]:
    """A schedule, and an instant within two days of a change of its zone's clock."""
    quiet = draw(schedules)
    day = draw(st.sampled_from(days_of_change(quiet.time_zone)))
    return quiet, day + draw(st.integers(-2 * 1440, 3 * 1440)) * MINUTE


def by_definition(quiet: Schedule, at: datetime) -> datetime | None:
    """Minute by minute: quiet is an instant whose wall time lies in a window."""
    zone = package_zone(quiet.time_zone)
    moment = at
    while moment < at + LOOK_AHEAD and is_quiet(quiet, moment.astimezone(zone)):
        moment += MINUTE
    return moment if moment > at else None


def is_quiet(quiet: Schedule, local: datetime) -> bool:
    wall = local.replace(tzinfo=None)
    today = wall.date()
    return any(
        day.isoweekday() in each.days and opens(each, day) <= wall < closes(each, day)
        for each in quiet.windows
        for day in (today, today - timedelta(days=1))
    )


def opens(each: Window, day: date) -> datetime:
    return datetime.combine(day, each.start)


def closes(each: Window, day: date) -> datetime:
    end = datetime.combine(day, each.end)
    return end if each.end > each.start else end + timedelta(days=1)


@settings(max_examples=100)
@given(st.one_of(st.tuples(schedules, instants), near_a_change()))
def test_a_period_ends_with_the_first_minute_whose_wall_time_is_in_no_window(
    asked: tuple[Schedule, datetime],
) -> None:
    quiet, at = asked

    assert quiet_until(quiet, at=at) == by_definition(quiet, at)


@given(near_a_change(), st.floats(0, 0.999))  # nearer to 1, a microsecond is the end itself
def test_whoever_asks_later_in_a_period_hears_of_the_same_end(
    asked: tuple[Schedule, datetime], share: float
) -> None:
    quiet, at = asked
    end = quiet_until(quiet, at=at)
    if end and end - at < LOOK_AHEAD:
        assert quiet_until(quiet, at=at + share * (end - at)) == end
        assert quiet_until(quiet, at=end) is None


@given(near_a_change(), st.randoms(use_true_random=False))
def test_the_order_of_the_windows_does_not_matter(
    asked: tuple[Schedule, datetime], random: Random
) -> None:
    quiet, at = asked
    shuffled = tuple(random.sample(quiet.windows, len(quiet.windows)))

    assert quiet_until(Schedule(quiet.time_zone, shuffled), at=at) == quiet_until(quiet, at=at)


def begin_by_definition(quiet: Schedule, at: datetime) -> datetime | None:
    """Minute by minute, as `by_definition`."""
    zone = package_zone(quiet.time_zone)
    moment = at
    while moment < at + LOOK_AHEAD and not is_quiet(quiet, moment.astimezone(zone)):
        moment += MINUTE
    return moment if moment < at + LOOK_AHEAD else None


@settings(max_examples=100)
@given(st.one_of(st.tuples(schedules, instants), near_a_change()))
def test_a_period_begins_with_the_first_minute_whose_wall_time_is_in_a_window(
    asked: tuple[Schedule, datetime],
) -> None:
    quiet, at = asked

    assert quiet_from(quiet, at=at) == begin_by_definition(quiet, at)
