"""A member's quiet hours, read back in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from channels_app.quiet_hours import Schedule, Window

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def read_back(schedule: Schedule) -> str:
    """“Quiet every day from 22:00 to 07:00 of the next day, by the clock of Europe/Berlin.”"""
    if not schedule.windows:
        return "No quiet hours."
    windows = "; ".join(f"{_days(window.days)} {_hours(window)}" for window in schedule.windows)
    return f"Quiet {windows}; by the clock of {schedule.time_zone}."


def _days(days: frozenset[int]) -> str:
    if len(days) == len(DAYS):
        return "every day"
    *others, last = list(_stretches(sorted(days)))
    return f"on {', '.join(others)} and {last}" if others else f"on {last}"


def _stretches(days: list[int]) -> Iterator[str]:
    """Days that follow each other, three and more as one: “Monday to Friday”."""
    while days:
        length = 1
        while length < len(days) and days[length] == days[0] + length:
            length += 1
        stretch, days = days[:length], days[length:]
        names = [DAYS[day - 1] for day in stretch]
        if length > 2:
            yield f"{names[0]} to {names[-1]}"
        else:
            yield from names


def _hours(window: Window) -> str:
    start, end = f"{window.start:%H:%M}", f"{window.end:%H:%M}"
    if window.start == window.end:
        return "the whole day" if start == "00:00" else f"from {start} for 24 hours"
    if end == "00:00":
        return f"from {start} to midnight"
    later = " of the next day" if window.end < window.start else ""
    return f"from {start} to {end}{later}"
