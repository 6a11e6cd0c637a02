"""The picture of a run: each step as a bar from its start to its end, over what is usual. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from workflows.admin.scales import Clock, Extent, percent
from workflows.expectations import Expectations, Expected
from workflows.models import Run, Step

# How far beyond now a picture reaches, as a part of what it shows of the past: what comes must not
# press together what was.
MOST_AHEAD = 0.5
# The time from one line to the next: what people count in, in seconds; beyond them whole weeks.
MINUTE, HOUR, DAY = 60, 3600, 86400
PACES = (
    *(1, 2, 5, 10, 15, 30),
    *(count * MINUTE for count in (1, 2, 5, 10, 15, 30)),
    *(count * HOUR for count in (1, 2, 3, 6, 12)),
    *(DAY, 2 * DAY),
)
WEEK = 7 * DAY
MOST_TICKS = 6
NEAR_THE_END = 0.96
LONGER, SHORTER = 1.5, 0.5


class State(StrEnum):
    """How far a step has come; see `workflows.timeline.Progress`."""

    RUNNING = "running"
    STUCK = "stuck"
    COMPLETED = "completed"
    UNFINISHED = "unfinished"
    UNTIMED = "untimed"
    """It was completed; when it began, nobody said."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A step. `seconds`: how long it took, or has been running; None: not known.

    Attributes:
        usual: what it would take as usual, from its start; None: not known.
        stuck_from: where it is called stuck, if it is still running then.
        stuck_x: where it was called stuck.
        moved_x: where it went on after that, or was over.
    """

    step: Step
    state: State
    seconds: float | None
    expected: Expected
    line: Extent | None
    usual: Extent | None
    stuck_from: str | None
    stuck_x: str | None
    moved_x: str | None

    @property
    def compared(self) -> str:
        """Its duration beside what is usual, in words; empty: there is nothing to compare."""
        usual, took = self.expected.median, self.seconds
        if not usual or took is None or self.state is State.UNFINISHED:
            return ""
        if took > usual * LONGER:
            return f"{took / usual:.1f} × as long as usual"
        if self.state is not State.COMPLETED:
            return ""
        return "quicker than usual" if took < usual * SHORTER else "as usual"


@dataclass(frozen=True, slots=True)
class Tick:
    """A line through all bars, so many seconds after the beginning."""

    seconds: float
    x: str


@dataclass(frozen=True, slots=True)
class Bars:
    """The picture. `now_x`: where it is now, in a run that goes on."""

    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    now_x: str | None


def draw(run: Run, steps: Sequence[Step], known: Expectations, *, now: datetime) -> Bars | None:
    """The steps from top to bottom as they are given. None: of none is known when it was."""
    over = run.finished_at is not None
    end = run.finished_at or now
    spans = [span_of(step, end=end) for step in steps]
    clock = _clock(run, steps, spans, known, now=now)
    if clock is None:
        return None
    return Bars(
        bars=[
            _bar(step, span, known, clock=clock, over=over)
            for step, span in zip(steps, spans, strict=True)
        ],
        ticks=ticks(clock.seconds),
        now_x=None if over else clock.at(now),
    )


def ticks(whole: float) -> list[Tick]:
    """Lines for so many seconds, at round numbers; none so near the end that its word is cut."""
    pace = next((pace for pace in PACES if whole / pace < MOST_TICKS), 0)
    pace = pace or WEEK * ceil(whole / WEEK / MOST_TICKS)
    return [
        Tick(seconds, percent(100 * seconds / whole))
        for seconds in range(0, ceil(whole * NEAR_THE_END), pace)
    ]


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when the last try of a step ran; `open`: it has not been completed."""

    start: datetime | None
    end: datetime
    open: bool


def span_of(step: Step, *, end: datetime) -> Span | None:
    """None: nothing is known. `end`: of the run, or now."""
    started, completed = step.started_at, step.completed_at
    if completed is not None and (started is None or started <= completed):
        if step.duration_seconds is not None:
            begun = completed - timedelta(seconds=step.duration_seconds)
            return Span(max(started, begun) if started else begun, completed, open=False)
        return Span(started, completed, open=False)
    begun_at = started or step.stuck_since
    return None if begun_at is None else Span(begun_at, max(begun_at, end), open=True)


def _clock(
    run: Run,
    steps: Sequence[Step],
    spans: Sequence[Span | None],
    known: Expectations,
    *,
    now: datetime,
) -> Clock | None:
    """From the first thing that is known to the last; what still runs is shown ahead as well."""
    there = [span for span in spans if span is not None]
    if not there:
        return None
    starts = [span.start or span.end for span in there]
    start = min(starts if run.started_at is None else [run.started_at, *starts])
    ends = [span.end for span in there]
    end = max([run.finished_at or now, *ends])
    if run.finished_at is None:
        ahead = [
            known.of(step.index, step.name).stuck_from(span.start)
            for step, span in zip(steps, spans, strict=True)
            if span is not None and span.open and span.start is not None and known.watched
        ]
        end = max([end, *(min(at, end + (end - start) * MOST_AHEAD) for at in ahead)])
    return Clock(start, max(end, start + timedelta(seconds=1)))


def _bar(step: Step, span: Span | None, known: Expectations, *, clock: Clock, over: bool) -> Bar:
    expected = known.of(step.index, step.name)
    start = span.start if span is not None else None
    usual = stuck_from = None
    if start is not None and expected.median is not None:
        usual = clock.between(start, start + timedelta(seconds=expected.median))
    if start is not None and known.watched and clock.shows(expected.stuck_from(start)):
        stuck_from = clock.at(expected.stuck_from(start))
    return Bar(
        step=step,
        state=_state(step, span, over=over),
        seconds=_seconds(step, span),
        expected=expected,
        line=None if span is None else clock.between(span.start or span.end, span.end),
        usual=usual,
        stuck_from=stuck_from,
        stuck_x=_x(step.stuck_at, clock),
        moved_x=_x(step.moved_at, clock),
    )


def _x(at: datetime | None, clock: Clock) -> str | None:
    return None if at is None or not clock.shows(at) else clock.at(at)


def _state(step: Step, span: Span | None, *, over: bool) -> State:
    if span is None or span.start is None:
        return State.UNTIMED
    if not span.open:
        return State.COMPLETED
    if over:
        return State.UNFINISHED
    return State.STUCK if step.alarm == Step.Alarm.STUCK else State.RUNNING


def _seconds(step: Step, span: Span | None) -> float | None:
    if span is not None and not span.open and step.duration_seconds is not None:
        return step.duration_seconds
    if span is None or span.start is None:
        return step.duration_seconds
    return (span.end - span.start).total_seconds()
