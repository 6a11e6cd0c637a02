"""From rounds to medians, ratios, a Markdown table and a JSON file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench.rounds import STEADY_DEVICES, STEADY_RATE, Round


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: a figure of a round, and whether more of it is better."""

    title: str
    of: Callable[[Round], float]
    digits: int = 0
    more_is_better: bool = False

    def ratio(self, recipe: float, pushbridge: float) -> float:
        """How many times better Pushbridge is; below 1 it is worse."""
        return pushbridge / recipe if self.more_is_better else recipe / pushbridge


STEADY = f"at {STEADY_RATE:.0f} events/s to {STEADY_DEVICES} devices"
FIGURES = (
    Figure("events/s to 1 device", lambda r: r.one.events_per_second, more_is_better=True),
    Figure("pushes/s to 100 devices", lambda r: r.hundred.pushes_per_second, more_is_better=True),
    Figure(f"webhook → gateway {STEADY}, p50, ms", lambda r: r.steady.p50_ms, 1),
    Figure(f"webhook → gateway {STEADY}, p99, ms", lambda r: r.steady.p99_ms, 1),
    Figure("CPU per push to 1 device, µs", lambda r: r.one.cpu_microseconds_per_push),
    Figure("CPU per push to 100 devices, µs", lambda r: r.hundred.cpu_microseconds_per_push),
    Figure(f"CPU per push {STEADY}, µs", lambda r: r.steady.cpu_microseconds_per_push),
    Figure(f"SQL statements per event {STEADY}", lambda r: r.statements_per_event, 1),
)


@dataclass(frozen=True, slots=True)
class Results:
    """A whole run: where, what `h2load` gave before and after, and every round of both systems."""

    machine: str
    control_before: float
    control_after: float
    recipe: Sequence[Round]
    pushbridge: Sequence[Round]

    def as_json(self) -> dict[str, Any]:
        """Everything that was measured."""
        return asdict(self)


def markdown(results: Results) -> str:
    """The table of medians and ratios, and under it what a reader must know to trust it."""
    lines = [
        f"Medians of {len(results.recipe)} rounds. {results.machine}.",
        "",
        "| | the obvious recipe | Pushbridge | Pushbridge is better by |",
        "|---|---:|---:|---:|",
        *(_row(figure, results) for figure in FIGURES),
        "",
        f"Control, `h2load` against the same gateway: {results.control_before:,.0f} requests/s"
        f" before, {results.control_after:,.0f} after.",
        *_notes("The recipe", results.recipe),
        *_notes("Pushbridge", results.pushbridge),
    ]
    return "\n".join(lines) + "\n"


def _row(figure: Figure, results: Results) -> str:
    recipe = median(figure.of(each) for each in results.recipe)
    pushbridge = median(figure.of(each) for each in results.pushbridge)
    return (
        f"| {figure.title} | {recipe:,.{figure.digits}f} | {pushbridge:,.{figure.digits}f}"
        f" | {figure.ratio(recipe, pushbridge):.1f} × |"
    )


def _notes(name: str, rounds: Sequence[Round]) -> list[str]:
    work = [each for r in rounds for each in (r.one, r.hundred, r.steady)]
    counts = {
        "pushes missing": sum(each.missing for each in work),
        "twice": sum(each.duplicates for each in work),
        "not in its books": sum(each.unaccounted for each in rounds),
    }
    parts = median_parts(rounds)
    notes = [
        f"{name}: {sum(each.pushes for each in work):,} pushes, "
        + ", ".join(f"{count:,} {what}" for what, count in counts.items())
        + f". CPU per push {STEADY}: "
        + ", ".join(f"{part} {value:,.0f} µs" for part, value in parts.items())
        + "."
    ]
    slow = [r for r in rounds if r.steady.events_per_second < STEADY_RATE * 0.97]
    if slow:
        notes.append(
            f"{name} did not keep up with {STEADY_RATE:.0f} events/s in {len(slow)} rounds."
        )
    return notes


def median_parts(rounds: Sequence[Round]) -> Mapping[str, float]:
    """Microseconds of CPU per push by part of the system, under the steady load."""
    return {
        part: median(r.steady.cpu[part] / r.steady.pushes * 1e6 for r in rounds)
        for part in rounds[0].steady.cpu
    }
