"""How far a run has come, told from its events. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Progress(StrEnum):
    """How far a step has come."""

    RUNNING = "running"
    STUCK = "stuck"
    COMPLETED = "completed"
    UNFINISHED = "unfinished"
    """The run was over, and nobody had said that this step was completed."""


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of a run."""

    type: str
    at: datetime
    data: Mapping[str, Any]


@dataclass(slots=True)
class Step:
    """What is known of a step. `index` counts from 1; durations are in seconds."""

    index: int
    name: str = ""
    started_at: datetime | None = None
    completed_at: datetime | None = None
    told_duration: float | None = None
    stuck_at: datetime | None = None
    """When it was said to take longer than expected,"""
    running_seconds: float | None = None
    """how long it had been running then,"""
    average_seconds: float | None = None
    """and how long it takes otherwise."""

    @property
    def duration_seconds(self) -> float | None:
        """As the platform says, else by its timestamps."""
        return _duration(self.told_duration, self.started_at, self.completed_at)

    def progress(self, *, over: bool) -> Progress:
        """How far it has come; `over`: the run is."""
        if self.completed_at is not None:
            return Progress.COMPLETED
        if over:
            return Progress.UNFINISHED
        return Progress.RUNNING if self.stuck_at is None else Progress.STUCK


@dataclass(slots=True)
class Timeline:
    """The steps of a run, and how it ended."""

    steps: dict[int, Step] = field(default_factory=dict)
    """By index, in the order in which they were first heard of."""
    told_duration: float | None = None
    error: str = ""

    def duration_seconds(
        self, started_at: datetime | None, finished_at: datetime | None
    ) -> float | None:
        """Of the run: as the platform says, else by its timestamps."""
        return _duration(self.told_duration, started_at, finished_at)


def read(happenings: Iterable[Happening]) -> Timeline:
    """The timeline of events in the order of the platform's clock."""
    timeline = Timeline()
    for one in happenings:
        if one.type == "workflow.run_finished":
            timeline.told_duration = one.data.get("duration_seconds")
            timeline.error = one.data.get("error", "")
        elif "step" in one.data:
            _take_step(timeline.steps, one)
    return timeline


def _take_step(steps: dict[int, Step], one: Happening) -> None:
    told = one.data["step"]
    step = steps.setdefault(told["index"], Step(told["index"]))
    match one.type:
        case "workflow.step_started":
            if step.completed_at is not None and one.at > step.completed_at:
                # Another try, or another round of a loop.
                step = steps[step.index] = Step(step.index, step.name)
            step.started_at = one.at
        case "workflow.step_completed":
            step.completed_at = one.at
            step.told_duration = told.get("duration_seconds")
        case "workflow.step_stuck":
            step.stuck_at = one.at
            step.running_seconds = told["running_seconds"]
            step.average_seconds = told.get("average_seconds")
    step.name = told.get("name") or step.name


def _duration(
    told: float | None, started_at: datetime | None, ended_at: datetime | None
) -> float | None:
    if told is not None or started_at is None or ended_at is None:
        return told
    return max(0.0, (ended_at - started_at).total_seconds())
