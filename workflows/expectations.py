"""How long the steps of a workflow usually take, and from when on each is called stuck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import quantiles

from workflows.models import Baseline, StuckPolicy, Workflow
from workflows.thresholds import ENOUGH, Usual, patience

# Of the last durations the middle four fifths: what is shorter or longer is not usual.
TENTHS = 10


@dataclass(frozen=True, slots=True)
class Expected:
    """Of one step; durations in seconds, None where it has never been completed."""

    stuck_after: float
    """It is called stuck after this."""
    completed: int = 0
    """How often it has been completed."""
    known: int = 0
    """How many of these durations are kept."""
    median: float | None = None
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    """Between these are four of five, where there are enough to say so."""

    @property
    def learned(self) -> bool:
        """It is called stuck by its history, and not after a time that somebody chose."""
        return self.known >= ENOUGH

    def stuck_from(self, started_at: datetime) -> datetime:
        """The moment at which a step that started then is called stuck."""
        return started_at + timedelta(seconds=self.stuck_after)


@dataclass(frozen=True, slots=True)
class Expectations:
    """Of all steps of a workflow."""

    watched: bool
    """Whether Pushbridge looks for stuck steps; the platform may say so in any case."""
    unknown: Expected
    """Of a step that has never been completed."""
    steps: Mapping[str, Expected] = field(default_factory=dict)
    """By name; of a step without a name by its number, as in #3. In the order of the runs."""

    def of(self, index: int, name: str) -> Expected:
        """Of a step of a run."""
        return self.steps.get(name or f"#{index}", self.unknown)


def of(workflow: Workflow) -> Expectations:
    """What is known and set now. Two queries."""
    default = workflow.stuck_default
    policy = StuckPolicy.objects.filter(organization=workflow.organization_id).first()
    if default is None and policy is not None:
        default = policy.stuck_default
    seconds = None if default is None else default.total_seconds()
    baselines = Baseline.objects.filter(workflow=workflow.pk).order_by("pk")
    return Expectations(
        watched=workflow.watched,
        unknown=Expected(patience(None, default=seconds)),
        steps={
            one.step: expected(one, factor=workflow.stuck_factor, default=seconds)
            for one in baselines
        },
    )


def expected(baseline: Baseline, *, factor: float, default: float | None) -> Expected:
    """Of the step that has this baseline. Pure."""
    known = Usual(
        mean=baseline.mean_seconds,
        median=baseline.median_seconds,
        floor=baseline.floor_seconds,
        threshold=baseline.threshold_seconds,
    )
    low, high = spread(baseline.durations)
    return Expected(
        stuck_after=patience(known, factor=factor, default=default),
        completed=baseline.completed,
        known=len(baseline.durations),
        median=baseline.median_seconds,
        mean=baseline.mean_seconds,
        low=low,
        high=high,
    )


def spread(durations: Sequence[float]) -> tuple[float | None, float | None]:
    """Between which durations four of five are; None of fewer than ten. Pure."""
    if len(durations) < ENOUGH:
        return None, None
    cuts = quantiles(durations, n=TENTHS, method="inclusive")
    return cuts[0], cuts[-1]
