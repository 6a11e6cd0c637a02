"""The picture of a workflow's last runs: a column for each, as high as it took long. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from workflows.admin.scales import percent
from workflows.models import Run

HEIGHT = 96.0
"""Of the highest column, in pixels."""
TOP = 8.0
LEAST_HEIGHT = 3.0
# A run that hung for a day would press all others to the ground: beyond so many times what is
# usual a column is cut off, and says so.
MOST_USUAL = 4.0
# A few runs are no reason for columns as broad as a hand.
LEAST_PLACES = 20


@dataclass(frozen=True, slots=True)
class Column:
    """A run. `seconds`: how long it took, or has been running; None: not known."""

    run: Run
    seconds: float | None
    x: str
    middle: str
    width: str
    y: float
    height: float
    cut: bool
    """It took longer than the picture is high."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The picture. `usual`: how long a run that succeeds takes, None where none has."""

    columns: Sequence[Column]
    usual: float | None
    usual_y: float | None
    ground: float = TOP + HEIGHT


def draw(runs: Sequence[Run], *, now: datetime) -> Columns:
    """The runs from left to right as they are given."""
    taken = [seconds_of(run, now=now) for run in runs]
    successes = [
        seconds
        for run, seconds in zip(runs, taken, strict=True)
        if run.state == Run.State.SUCCESS and seconds is not None
    ]
    usual = median(successes) if successes else None
    longest = max((seconds for seconds in taken if seconds is not None), default=0.0)
    most = min(longest, MOST_USUAL * usual) if usual else longest
    place = 100 / max(len(runs), LEAST_PLACES)
    return Columns(
        columns=[
            _column(run, seconds, left=number * place, place=place, most=most)
            for number, (run, seconds) in enumerate(zip(runs, taken, strict=True))
        ],
        usual=usual,
        usual_y=None if usual is None else round(TOP + HEIGHT - _height(usual, most), 1),
    )


def seconds_of(run: Run, *, now: datetime) -> float | None:
    """How long a run took, or has been running so far."""
    if run.state == Run.State.RUNNING and run.started_at is not None:
        return max(0.0, (now - run.started_at).total_seconds())
    return run.duration_seconds


def _column(run: Run, seconds: float | None, *, left: float, place: float, most: float) -> Column:
    height = LEAST_HEIGHT if seconds is None else _height(seconds, most)
    return Column(
        run=run,
        seconds=seconds,
        x=percent(left + place * 0.15),
        middle=percent(left + place * 0.5),
        width=percent(place * 0.7),
        y=round(TOP + HEIGHT - height, 1),
        height=round(height, 1),
        cut=seconds is not None and seconds > most,
    )


def _height(seconds: float, most: float) -> float:
    return max(LEAST_HEIGHT, HEIGHT * min(1.0, seconds / most)) if most > 0 else LEAST_HEIGHT
