"""A workflow's and a run's pictures in words and addresses, as their templates want them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse

from channels_app.admin import cells, words
from channels_app.admin.words import Tone, Word
from workflows.admin import columns, gauges
from workflows.admin.bars import Bar, Bars, State
from workflows.admin.columns import Column
from workflows.admin.gauges import Gauge, Mark
from workflows.admin.scales import percent
from workflows.expectations import Expected
from workflows.models import Run
from workflows.overviews import Overview
from workflows.thresholds import ENOUGH

STATES: Mapping[str, Word] = {
    State.RUNNING: Word("Running", Tone.BUSY),
    State.STUCK: Word("Stuck", Tone.BAD, "It has been running for longer than it should."),
    State.COMPLETED: Word("Completed", Tone.GOOD),
    State.UNFINISHED: Word(
        "Unfinished", Tone.WARN, "The run was over, and nobody had said that it was completed."
    ),
    State.UNTIMED: Word("Completed", Tone.GOOD, "When it began, nobody has said."),
}


def seconds(value: float | None) -> str:
    """As short as it can be read; whole minutes and hours without their zeros."""
    text = cells.took(None if value is None else timedelta(seconds=value))
    for zeros in (" 0 s", " 0 min", " 0 h"):
        if text != zeros.strip():
            text = text.removesuffix(zeros)
    return text


def run_took(run: Run, *, now: datetime) -> str:
    """How long a run took, or has been running so far."""
    text = seconds(columns.seconds_of(run, now=now))
    return text if run.finished_at is not None or run.started_at is None else f"{text} so far"


def shown(seen: Overview, *, now: datetime) -> dict[str, Any]:
    """The context of `admin/workflows/workflow.html`."""
    picture = columns.draw(seen.runs, now=now)
    drawn = gauges.draw(seen.expectations.steps, seen.expectations.unknown, seen.running, now=now)
    over = seen.successes + seen.failures
    return {
        "seen": seen,
        "over": over,
        "rate": "" if seen.success_rate is None else share(seen.successes, over),
        "stuck": sum(one.stuck_at is not None for one in seen.running),
        "cut": any(column.cut for column in picture.columns),
        "usual": seconds(picture.usual) if picture.usual is not None else "",
        "picture": picture,
        "columns": [_column(one, now=now) for one in picture.columns],
        "watched": seen.expectations.watched,
        "unknown": seconds(seen.expectations.unknown.stuck_after),
        "enough": ENOUGH,
        "gauges": [_gauge(one, watched=seen.expectations.watched) for one in drawn],
        "stuck_x": percent(gauges.STUCK_AT),
    }


def share(part: int, whole: int) -> str:
    """In percent; what is not all is never rounded up to it."""
    value = 100 * part / whole
    return f"{value:.0f} %" if part in (0, whole) or value < 99 else f"{min(value, 99.9):.1f} %"


def bar(drawn: Bar) -> dict[str, Any]:
    """The context of one line of `admin/workflows/run.html`."""
    took = seconds(drawn.seconds)
    word = STATES[drawn.state]
    return {
        "drawn": drawn,
        "name": drawn.step.name or "Without a name",
        "word": cells.pill(word),
        "took": took if drawn.state in (State.COMPLETED, State.UNTIMED) else f"{took} so far",
        "unfinished": drawn.state is State.UNFINISHED,
        "usual": seconds(drawn.expected.median),
        "spread": spread(drawn.expected),
        "stuck_after": seconds(drawn.expected.stuck_after),
        "notes": _notes(drawn),
        "title": f"{drawn.step.name or 'Step'} {drawn.step.index}: {word.label.lower()}, {took}",
    }


def ticks(picture: Bars) -> list[dict[str, str]]:
    """The words at the lines: how long after the beginning."""
    return [
        {
            "x": tick.x,
            "label": seconds(tick.seconds) if tick.seconds else "0",
            "anchor": "middle" if tick.seconds else "start",
        }
        for tick in picture.ticks
    ]


def _notes(drawn: Bar) -> list[str]:
    step = drawn.step
    notes: list[str] = []
    if step.stuck_at is not None:
        by = "the platform" if step.stuck_told else "Pushbridge"
        notes.append(cells.spaced("Called stuck by", by, cells.instant(step.stuck_at)))
    if step.moved_at is not None:
        how = "Moving again" if step.moved_at == step.completed_at else "Over with its run"
        notes.append(cells.spaced(how, cells.instant(step.moved_at)))
    return notes


def spread(expected: Expected) -> str:
    """What four of five take, such as: 1 min 20 s to 2 min 45 s. Empty: too little is known."""
    if expected.low is None or expected.high is None:
        return ""
    return f"{seconds(expected.low)} to {seconds(expected.high)}"


def _column(drawn: Column, *, now: datetime) -> dict[str, Any]:
    word = words.word(words.RUN_STATES, drawn.run.state)
    length = run_took(drawn.run, now=now)
    return {
        "drawn": drawn,
        "state": drawn.run.state,
        "address": cells.page(drawn.run),
        "id": drawn.run.external_id,
        "about": drawn.run.subject,
        "started": cells.instant(drawn.run.started_at),
        "took": length,
        "word": cells.pill(word),
        "title": f"{drawn.run.external_id}: {word.label.lower()}, {length}",
    }


def _gauge(drawn: Gauge, *, watched: bool) -> dict[str, Any]:
    expected = drawn.expected
    return {
        "drawn": drawn,
        "name": drawn.name,
        "usual": seconds(expected.median),
        "spread": spread(expected),
        "stuck_after": seconds(expected.stuck_after),
        "learned": expected.learned,
        "known": expected.known,
        "completed": expected.completed,
        "marks": [_mark(mark) for mark in drawn.marks],
        "title": _described(drawn, watched=watched),
    }


def _mark(mark: Mark) -> dict[str, Any]:
    return {
        "mark": mark,
        "address": reverse("admin:workflows_run_change", args=[mark.step.run_pk]),
        "run": mark.step.run,
        "running": seconds(mark.seconds),
    }


def _described(drawn: Gauge, *, watched: bool) -> str:
    """The picture for who does not see it."""
    expected = drawn.expected
    limit = f"called stuck after {seconds(expected.stuck_after)}" if watched else "not looked after"
    running = "; ".join(
        f"running for {seconds(mark.seconds)}{', stuck' if mark.stuck else ''}"
        for mark in drawn.marks
    )
    return f"{drawn.name}: usually {seconds(expected.median)}; {limit}. {running}".strip()
