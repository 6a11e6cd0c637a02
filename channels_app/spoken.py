"""Durations, numbers and moments, in words of the language that is active."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import dateformat
from django.utils.translation import get_language, npgettext, override, pgettext

from channels_app import durations
from channels_app.durations import Part, Unit

# The reference page's own way to write a duration, which only English has.
COMPACT = {Unit.HOUR: "h", Unit.MINUTE: "m", Unit.SECOND: "s"}


def exact_duration(seconds: float) -> str:
    """`12s`, `4m 12s`, `1h 2m 5s`; in German `4 min 12 s`."""
    language = _language()
    parts = durations.exact(seconds)
    if language.startswith("en"):
        return " ".join(f"{count}{COMPACT[unit]}" for count, unit in parts)
    return _words([part for part in parts if part[0]] or parts[-1:], language)


def rough_duration(seconds: float) -> str:
    """`45 s`, `15 min`, `3 h 5 min`, `2 d 4 h`."""
    return _words(durations.rough(seconds), _language())


def number(count: int) -> str:
    """`1,204`; in German `1.204`."""
    return f"{count:,}".replace(",", _thousands_separator(_language()))


def score(value: float) -> str:
    """`0.85`; in German `0,85`. Never rounded: it is told beside what it did not reach."""
    return str(value).replace(".", pgettext("decimal separator", "."))


def moment(at: datetime, *, zone: ZoneInfo, now: datetime) -> str:
    """`07:00`, `24 Nov, 07:00`, `1 Jan 2027, 07:00`: as much of it as is needed at `now`.

    Both are instants; what is said is the local time of `zone`.
    """
    hour = pgettext("moment", "H:i")
    day = pgettext("moment", "j M, H:i")
    year = pgettext("moment", "j M Y, H:i")
    return _local(at, zone, now, (hour, day, year))


def when(at: datetime, *, zone: ZoneInfo, now: datetime) -> str:
    """`at 07:00`, `on 24 Nov at 07:00`: a moment with the words before it, which change with it."""
    hour = pgettext("when", r"\a\t H:i")
    day = pgettext("when", r"\o\n j M \a\t H:i")
    year = pgettext("when", r"\o\n j M Y \a\t H:i")
    return _local(at, zone, now, (hour, day, year))


def _local(at: datetime, zone: ZoneInfo, now: datetime, patterns: tuple[str, str, str]) -> str:
    """By the pattern for the same day, for the same year, or for any."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    same_day, same_year, otherwise = patterns
    if local.date() == today.date():
        return dateformat.format(local, same_day)
    return dateformat.format(local, same_year if local.year == today.year else otherwise)


def _language() -> str:
    return get_language() or settings.LANGUAGE_CODE


# A word is looked up once for each language: looking up takes Django longer than all the rest.


@lru_cache
def _thousands_separator(language: str) -> str:
    with override(language):
        return pgettext("thousands separator", ",")


def _words(parts: Sequence[Part], language: str) -> str:
    larger, *smaller = (_counted(count, unit, language) for count, unit in parts)
    for words in smaller:
        larger = _joiner(language) % {"larger": larger, "smaller": words}
    return larger


@lru_cache
def _joiner(language: str) -> str:
    with override(language):
        return pgettext("duration", "%(larger)s %(smaller)s")


@lru_cache(maxsize=1024)
def _counted(count: int, unit: Unit, language: str) -> str:
    with override(language):
        match unit:
            case Unit.DAY:
                words = npgettext("duration", "%(count)s d", "%(count)s d", count)
            case Unit.HOUR:
                words = npgettext("duration", "%(count)s h", "%(count)s h", count)
            case Unit.MINUTE:
                words = npgettext("duration", "%(count)s min", "%(count)s min", count)
            case Unit.SECOND:
                words = npgettext("duration", "%(count)s s", "%(count)s s", count)
    return words % {"count": count}
