"""Where something stands in a picture. Pure.

Pictures are as wide as the page allows: lengths across are percentages, as SVG takes them, and
heights are pixels. So a picture fits a phone without its text becoming small.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

# What is there can be seen, however short it is.
LEAST_WIDTH = 0.8


@dataclass(frozen=True, slots=True)
class Extent:
    """A piece of a line, in percent."""

    left: float
    width: float

    @property
    def x(self) -> str:
        return percent(self.left)

    @property
    def length(self) -> str:
        return percent(self.width)


def percent(value: float) -> str:
    """As SVG takes it, whatever the reader's language."""
    return f"{value:.2f}%"


def extent(start: float, end: float, *, whole: float) -> Extent:
    """From one value to another, of a line that is `whole` long; what is outside is cut off."""
    left, right = (clipped(value, whole=whole) for value in (start, end))
    width = max(right - left, LEAST_WIDTH)
    return Extent(left=min(left, 100 - width), width=width)


def clipped(value: float, *, whole: float) -> float:
    """A value's place on a line that is `whole` long, in percent, and never outside of it."""
    return min(100.0, max(0.0, 100 * value / whole)) if whole > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Clock:
    """A line of time, from left to right."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()

    def seconds_at(self, at: datetime) -> float:
        return (at - self.start).total_seconds()

    def shows(self, at: datetime) -> bool:
        return self.start <= at <= self.end

    def at(self, at: datetime) -> str:
        return percent(clipped(self.seconds_at(at), whole=self.seconds))

    def between(self, start: datetime, end: datetime) -> Extent:
        return extent(self.seconds_at(start), self.seconds_at(end), whole=self.seconds)
