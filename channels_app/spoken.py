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


def moment(at: datetime, *, zone: ZoneInfo, now: datetime) -> str:
    """`07:00`, `24 Nov, 07:00`, `1 Jan 2027, 07:00`: as much of it as is needed at `now`.

    Both are instants; what is said is the local time of `zone`.
    """
    local, today = at.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        pattern = pgettext("moment", "H:i")
    elif local.year == today.year:
        pattern = pgettext("moment", "j M, H:i")
    else:
        pattern = pgettext("moment", "j M Y, H:i")
    return dateformat.format(local, pattern)


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
