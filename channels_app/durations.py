"""Durations in parts, such as (4 minutes, 12 seconds); `spoken` puts them into words. Pure."""

from __future__ import annotations

from enum import Enum, auto


class Unit(Enum):
    """What durations are counted in."""

    DAY = auto()
    HOUR = auto()
    MINUTE = auto()
    SECOND = auto()


Part = tuple[int, Unit]


def exact(seconds: float) -> list[Part]:
    """Hours, minutes and whole seconds; leading zeros left out."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    parts = [(hours, Unit.HOUR)] if hours else []
    if hours or minutes:
        parts.append((minutes, Unit.MINUTE))
    parts.append((whole % 60, Unit.SECOND))
    return parts


def rough(seconds: float) -> list[Part]:
    """The one or two largest units: what a person wants to know of something stuck."""
    whole = round(seconds)
    if whole < 60:
        return [(whole, Unit.SECOND)]
    minutes = round(seconds / 60)
    if minutes < 60:
        return [(minutes, Unit.MINUTE)]
    if minutes < 24 * 60:
        return _pair((minutes // 60, Unit.HOUR), (minutes % 60, Unit.MINUTE))
    hours = round(minutes / 60)
    return _pair((hours // 24, Unit.DAY), (hours % 24, Unit.HOUR))


def _pair(large: Part, small: Part) -> list[Part]:
    return [large, small] if small[0] else [large]
