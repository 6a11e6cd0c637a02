"""The picture of a workflow's steps: for each, what is usual, and how near it is to stuck. Pure.

Each step has its own scale, on which it is called stuck at the same place: that is one line
through all of them, and whatever stands right of it is stuck.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from workflows.admin.scales import Extent, clipped, extent, percent
from workflows.expectations import Expected
from workflows.overviews import Running

# Where the line stands. Right of it there is room for what is stuck.
STUCK_AT = 75.0
# How many of the same step are drawn; of more, the ones that have run longest.
MOST_MARKS = 5


@dataclass(frozen=True, slots=True)
class Mark:
    """A step that runs now. `seconds`: for how long."""

    step: Running
    seconds: float
    x: str
    stuck: bool
    beyond: bool
    """It has been running for longer than the picture is wide."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A step. `usual`: where four of five durations are; None: that is not known."""

    name: str
    expected: Expected
    usual: Extent | None
    median_x: str | None
    marks: Sequence[Mark]
    more: int
    """Others that run now, and are not drawn."""


def draw(
    steps: Mapping[str, Expected],
    unknown: Expected,
    running: Sequence[Running],
    *,
    now: datetime,
) -> list[Gauge]:
    """The steps in their order; then those that run now for the first time."""
    of_names: dict[str, list[Running]] = {name: [] for name in steps}
    for one in running:
        of_names.setdefault(one.name or f"#{one.index}", []).append(one)
    return [
        _gauge(name, steps.get(name, unknown), of_name, now=now)
        for name, of_name in of_names.items()
    ]


def _gauge(name: str, expected: Expected, running: Sequence[Running], *, now: datetime) -> Gauge:
    whole = expected.stuck_after * 100 / STUCK_AT
    usual = None
    if expected.low is not None and expected.high is not None:
        usual = extent(expected.low, expected.high, whole=whole)
    median = expected.median
    return Gauge(
        name=name,
        expected=expected,
        usual=usual,
        median_x=None if median is None else percent(clipped(median, whole=whole)),
        marks=list(_marks(running[:MOST_MARKS], whole=whole, now=now)),
        more=max(0, len(running) - MOST_MARKS),
    )


def _marks(running: Iterable[Running], *, whole: float, now: datetime) -> Iterable[Mark]:
    for one in running:
        seconds = max(0.0, (now - one.started_at).total_seconds())
        yield Mark(
            step=one,
            seconds=seconds,
            x=percent(min(99.0, clipped(seconds, whole=whole))),
            stuck=one.stuck_at is not None,
            beyond=seconds > whole,
        )
