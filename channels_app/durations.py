"""Durations as the reference page writes them: `4m 12s` exactly, `15 min` roughly. Pure."""

from __future__ import annotations


def exact(seconds: float) -> str:
    """`12s`, `4m 12s`, `1h 2m 5s`: whole seconds, leading zeros left out."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    parts = [f"{hours}h"] if hours else []
    if hours or minutes:
        parts.append(f"{minutes}m")
    parts.append(f"{whole % 60}s")
    return " ".join(parts)


def rough(seconds: float) -> str:
    """`45 s`, `15 min`, `3 h 5 min`, `2 d 4 h`: what a person wants to know of something stuck."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return _pair(minutes // 60, "h", minutes % 60, "min")
    hours = round(minutes / 60)
    return _pair(hours // 24, "d", hours % 24, "h")


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit}" + (f" {small} {small_unit}" if small else "")
