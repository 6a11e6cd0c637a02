from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, time
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from channels_app.quiet_hours import (
    LOOK_AHEAD,
    MAXIMUM_WINDOWS,
    Fault,
    Schedule,
    Window,
    errors,
    quiet_from,
    quiet_until,
    time_zones,
)

EVERY_DAY = "1234567"


def window(text: str) -> Window:
    """From "12345 22:00-07:00", the days in front."""
    days, _, times = text.partition(" ")
    start, _, end = times.partition("-")
    return Window(frozenset(map(int, days)), time.fromisoformat(start), time.fromisoformat(end))


def schedule(time_zone: str, *windows: str) -> Schedule:
    return Schedule(time_zone, tuple(map(window, windows)))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def until(quiet: Schedule, at: str) -> str | None:
    """`quiet_until`, from UTC to UTC, both as text."""
    end = quiet_until(quiet, at=utc(at))
    return f"{end:%Y-%m-%d %H:%M}" if end else None


# 2026-07-24 is a Friday; Berlin is two hours ahead of UTC.
ORDINARY = [
    ("the minute before", "5 22:00-23:00", "2026-07-24 19:59", None),
    ("the first minute", "5 22:00-23:00", "2026-07-24 20:00", "2026-07-24 21:00"),
    ("the last second", "5 22:00-23:00", "2026-07-24 20:59:59.999999", "2026-07-24 21:00"),
    ("the end itself", "5 22:00-23:00", "2026-07-24 21:00", None),
    ("another day", "5 22:00-23:00", "2026-07-25 20:30", None),
    ("the evening of a night", "5 22:00-07:00", "2026-07-24 21:00", "2026-07-25 05:00"),
    ("the morning after it", "5 22:00-07:00", "2026-07-25 04:59", "2026-07-25 05:00"),
    ("the morning before it", "5 22:00-07:00", "2026-07-24 04:59", None),
    ("from Sunday to Monday", "7 22:00-07:00", "2026-07-26 21:00", "2026-07-27 05:00"),
    ("Monday after Sunday", "7 22:00-07:00", "2026-07-27 04:00", "2026-07-27 05:00"),
    ("until midnight", "5 22:00-00:00", "2026-07-24 21:00", "2026-07-24 22:00"),
    ("a whole day", "5 00:00-00:00", "2026-07-24 10:00", "2026-07-24 22:00"),
    ("equal times are 24 hours", "5 09:00-09:00", "2026-07-25 06:00", "2026-07-25 07:00"),
]


@pytest.mark.parametrize(
    ("quiet", "at", "end"), [row[1:] for row in ORDINARY], ids=[row[0] for row in ORDINARY]
)
def test_a_window_is_quiet_from_its_first_minute_until_its_end(
    quiet: str, at: str, end: str | None
) -> None:
    assert until(schedule("Europe/Berlin", quiet), at) == end


MERGED = [
    ("touching", ("5 20:00-22:00", "5 22:00-23:00"), "2026-07-24 21:00"),
    ("overlapping", ("5 21:00-23:00", "5 20:00-22:00"), "2026-07-24 21:00"),
    ("inside another", ("5 20:00-23:00", "5 20:30-21:00"), "2026-07-24 21:00"),
    ("twice the same", ("5 20:00-23:00", "5 20:00-23:00"), "2026-07-24 21:00"),
    ("a weekend", ("5 20:00-00:00", "67 00:00-00:00", "1 00:00-07:00"), "2026-07-27 05:00"),
    ("nights and days", ("5 20:00-08:00", "6 08:00-09:00"), "2026-07-25 07:00"),
]


@pytest.mark.parametrize(
    ("windows", "end"), [row[1:] for row in MERGED], ids=[row[0] for row in MERGED]
)
def test_windows_that_touch_or_overlap_are_one_period(windows: tuple[str, ...], end: str) -> None:
    assert until(schedule("Europe/Berlin", *windows), "2026-07-24 18:30") == end


# Berlin: 2026-03-29, 02:00 (01:00 UTC) becomes 03:00.
SPRING = [
    ("22:00-07:00", "2026-03-28 21:00", "2026-03-29 05:00"),  # a night of eight hours
    ("02:30-06:00", "2026-03-29 00:59", None),
    ("02:30-06:00", "2026-03-29 01:00", "2026-03-29 04:00"),  # entered at 03:00
    ("23:00-02:30", "2026-03-29 00:59", "2026-03-29 01:00"),  # left at 03:00
    ("02:10-02:50", "2026-03-29 00:59", None),
    ("02:10-02:50", "2026-03-29 01:00", None),
]

# Berlin: 2026-10-25, 03:00 (01:00 UTC) becomes 02:00.
AUTUMN = [
    ("22:00-07:00", "2026-10-24 20:00", "2026-10-25 06:00"),  # a night of ten hours
    ("02:30-06:00", "2026-10-25 00:30", "2026-10-25 01:00"),  # the clock goes back: it is 02:00
    ("02:30-06:00", "2026-10-25 01:00", None),
    ("02:30-06:00", "2026-10-25 01:30", "2026-10-25 05:00"),
    ("23:00-02:30", "2026-10-24 22:00", "2026-10-25 00:30"),
    ("23:00-02:30", "2026-10-25 00:30", None),
    ("23:00-02:30", "2026-10-25 01:00", "2026-10-25 01:30"),  # 02:00 once more
    ("02:00-03:00", "2026-10-25 00:00", "2026-10-25 02:00"),  # both hours, in one
]


@pytest.mark.parametrize(("times", "at", "end"), SPRING)
def test_a_skipped_hour_is_never_shown_so_no_window_starts_or_ends_in_it(
    times: str, at: str, end: str | None
) -> None:
    assert until(schedule("Europe/Berlin", f"{EVERY_DAY} {times}"), at) == end


@pytest.mark.parametrize(("times", "at", "end"), AUTUMN)
def test_a_repeated_hour_is_shown_twice_and_counts_both_times(
    times: str, at: str, end: str | None
) -> None:
    assert until(schedule("Europe/Berlin", f"{EVERY_DAY} {times}"), at) == end


ODD = [
    # Half an hour: 02:00 becomes 01:30, and 02:00 becomes 02:30.
    ("Australia/Lord_Howe", "22:00-01:45", "2026-04-04 14:30", "2026-04-04 14:45"),
    ("Australia/Lord_Howe", "22:00-01:45", "2026-04-04 15:00", "2026-04-04 15:15"),
    ("Australia/Lord_Howe", "22:00-02:15", "2026-10-03 15:00", "2026-10-03 15:30"),
    # Two hours at once.
    ("Antarctica/Troll", "00:00-02:30", "2026-03-29 00:30", "2026-03-29 01:00"),
    ("Asia/Kathmandu", "22:00-07:00", "2026-07-24 20:00", "2026-07-25 01:15"),
    ("America/St_Johns", "22:00-07:00", "2026-03-08 02:00", "2026-03-08 09:30"),
    # Ramadan: the clock goes back and, a month later, forward.
    ("Africa/Casablanca", "22:00-07:00", "2024-03-10 00:00", "2024-03-10 07:00"),
    ("Africa/Casablanca", "22:00-07:00", "2024-04-14 00:00", "2024-04-14 06:00"),
    # Friday, 30 December 2011, never came.
    ("Pacific/Apia", "22:00-07:00", "2011-12-30 09:00", "2011-12-30 17:00"),
    # Summer time of a week: too short to be seen by looking once a week.
    ("America/Recife", "22:00-07:00", "2000-10-10 03:00", "2000-10-10 09:00"),
    ("America/Recife", "22:00-07:00", "2000-10-16 03:00", "2000-10-16 10:00"),
    # Far beyond the years that zone data spell out.
    ("Europe/Berlin", "22:00-07:00", "2150-07-24 21:00", "2150-07-25 05:00"),
]


@pytest.mark.parametrize(("time_zone", "times", "at", "end"), ODD)
def test_odd_offsets_and_odd_changes_are_right_to_the_minute(
    time_zone: str, times: str, at: str, end: str
) -> None:
    assert until(schedule(time_zone, f"{EVERY_DAY} {times}"), at) == end


def test_a_night_before_a_skipped_day_ends_with_its_evening() -> None:
    assert until(schedule("Pacific/Apia", "4 22:00-07:00"), "2011-12-30 09:00") == (
        "2011-12-30 10:00"
    )


def test_a_free_hour_that_spring_skips_is_awaited_for_another_week() -> None:
    busy = schedule("Europe/Berlin", "123456 00:00-00:00", "7 03:00-00:00", "7 00:00-02:00")

    assert until(busy, "2026-03-22 02:00") == "2026-04-05 00:00"


def test_a_week_that_is_never_free_is_asked_again_after_the_look_ahead() -> None:
    always = schedule("Europe/Berlin", f"{EVERY_DAY} 00:00-00:00")

    assert quiet_until(always, at=utc("2026-07-24 10:00:30")) == (
        utc("2026-07-24 10:00") + LOOK_AHEAD
    )


def test_no_window_is_never_quiet() -> None:
    assert quiet_until(Schedule("Europe/Berlin", ()), at=utc("2026-07-24 10:00")) is None


STARTS = [
    ("the evening after", ("1234567 22:00-07:00",), "2026-07-24 10:00", "2026-07-24 20:00"),
    ("at once", ("1234567 22:00-07:00",), "2026-07-24 21:00", "2026-07-24 21:00"),
    ("next week", ("4 22:00-23:00",), "2026-07-24 10:00", "2026-07-30 20:00"),
    ("autumn's second time round", ("7 02:30-03:00",), "2026-10-25 01:00", "2026-10-25 01:30"),
    ("what spring skips is next week", ("7 02:10-02:50",), "2026-03-28 12:00", "2026-04-05 00:10"),
    ("what spring cuts begins late", ("7 02:30-04:00",), "2026-03-28 12:00", "2026-03-29 01:00"),
    ("never", (), "2026-07-24 10:00", None),
]


@pytest.mark.parametrize(
    ("windows", "at", "start"), [row[1:] for row in STARTS], ids=[row[0] for row in STARTS]
)
def test_the_next_quiet_period_begins_when_the_wall_clock_enters_a_window(
    windows: tuple[str, ...], at: str, start: str | None
) -> None:
    found = quiet_from(schedule("Europe/Berlin", *windows), at=utc(at))

    assert found == (utc(start) if start else None)


def test_a_member_who_moves_while_something_is_held_is_asked_by_the_new_clock() -> None:
    night = (window(f"{EVERY_DAY} 22:00-07:00"),)
    end = quiet_until(Schedule("Europe/Berlin", night), at=utc("2026-07-24 23:00"))
    assert end == utc("2026-07-25 05:00")

    assert quiet_until(Schedule("America/New_York", night), at=end) == utc("2026-07-25 11:00")
    assert quiet_until(Schedule("Asia/Tokyo", night), at=end) is None


def test_the_zone_of_the_instant_itself_does_not_matter() -> None:
    night = schedule("Europe/Berlin", f"{EVERY_DAY} 22:00-07:00")
    at = utc("2026-07-24 23:00").astimezone(ZoneInfo("Asia/Tokyo"))

    assert quiet_until(night, at=at) == utc("2026-07-25 05:00")


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        quiet_until(Schedule("Europe/Berlin", ()), at=datetime(2026, 7, 24))


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "europe/berlin", "../zones", "Europe", "Factory", "\x00"]
)
def test_a_time_zone_that_does_not_exist_is_named(name: str) -> None:
    night = schedule(name, f"{EVERY_DAY} 22:00-07:00")

    assert [fault.pointer for fault in errors(night)] == ["/time_zone"]
    with pytest.raises(ZoneInfoNotFoundError):
        quiet_until(night, at=utc("2026-07-24 23:00"))


@pytest.mark.parametrize(
    ("bad", "pointer"),
    [
        (Window(frozenset(), time(22), time(7)), "/windows/1/days"),
        (Window(frozenset({0}), time(22), time(7)), "/windows/1/days"),
        (Window(frozenset({1, 8}), time(22), time(7)), "/windows/1/days"),
        (Window(frozenset({True}), time(22), time(7)), "/windows/1/days"),
        (Window(frozenset({1}), time(22, 0, 1), time(7)), "/windows/1/start"),
        (Window(frozenset({1}), time(22), time(7, 0, 0, 1)), "/windows/1/end"),
        (Window(frozenset({1}), time(22, tzinfo=UTC), time(7)), "/windows/1/start"),
    ],
)
def test_a_wrong_window_is_named_by_its_place_and_field(bad: Window, pointer: str) -> None:
    good = window(f"{EVERY_DAY} 22:00-07:00")

    assert [fault.pointer for fault in errors(Schedule("UTC", (good, bad)))] == [pointer]


def test_all_that_is_wrong_is_told_at_once() -> None:
    bad = Window(frozenset({9}), time(22, 0, 1), time(7))

    assert [fault.pointer for fault in errors(Schedule("?", (bad,)))] == [
        "/time_zone",
        "/windows/0/days",
        "/windows/0/start",
    ]


def test_more_windows_than_the_limit_are_refused() -> None:
    night = window("1 22:00-07:00")

    assert errors(Schedule("UTC", (night,) * MAXIMUM_WINDOWS)) == ()
    assert errors(Schedule("UTC", (night,) * (MAXIMUM_WINDOWS + 1))) == (
        Fault("/windows", "has more than 28 windows"),
    )


def test_every_zone_can_be_asked() -> None:
    night = (window(f"{EVERY_DAY} 22:00-22:00"),)
    at = utc("2026-07-24 23:00")

    assert len(time_zones()) > 590
    assert all(quiet_until(Schedule(name, night), at=at) for name in time_zones())


@pytest.fixture
def _machine_with_wrong_data(tmp_path: Path) -> Iterator[None]:
    """The machine takes Vaduz for a place in Japan."""
    (tmp_path / "Europe").mkdir()
    tokyo = files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    (tmp_path / "Europe" / "Vaduz").write_bytes(tokyo)
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([str(tmp_path)])
    ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath(before)
    ZoneInfo.clear_cache()


@pytest.mark.usefixtures("_machine_with_wrong_data")
def test_the_machines_own_zone_data_have_no_say() -> None:
    assert until(schedule("Europe/Vaduz", "5 22:00-23:00"), "2026-07-24 20:00") == (
        "2026-07-24 21:00"
    )
