"""How often is a step called stuck that is not? `python -m bench.stuck [--histories 4000]`.

Steps whose durations are log-normal with a mean of two minutes: a history of 20 runs, the rule's
threshold by that, then 50 more runs. A run that takes longer than the threshold although nothing is
wrong with it is a false alarm. In half of the cases every twentieth run hangs, in the history too:
it takes six times as long. To ring for such a run is no false alarm, and is counted by itself.

The example of the channel's reference page, "15 min (avg: 2 min)", is found if the threshold comes
before that, where the history's average is two minutes, as a banner would say. How often it is
found where two minutes are the true average, of which 20 runs know more or less, is counted as
well. Beside the rule stands the usual one: three times the mean. The seeds are fixed, so every run
of this prints the same table. It ends with 1 if a goal is missed.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from random import Random
from statistics import fmean

from workflows.thresholds import threshold

MEAN_SECONDS = 120.0
EXAMPLE_SECONDS = 900.0
HISTORY = 20
RUNS = 50
OUTLIERS = 0.05
OUTLIER_FACTOR = 6.0
# By sigma: at most so many false alarms for each run, and at least so many of the example found.
GOALS = {0.3: (0.01, 0.99), 0.6: (0.01, 0.99), 0.9: (0.025, 0.95)}

Rule = Callable[[Sequence[float]], float]


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of step."""

    sigma: float
    outliers: float
    """The share of its runs that hang."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule does with a kind of step; all are shares."""

    false_alarms: float
    """Of all runs."""
    hung_found: float | None
    """Of the runs that hang; None: none do."""
    example_found: float
    """Of the histories, each stretched until its average is two minutes;"""
    found_unstretched: float
    """and of the histories as they are."""


def three_means(durations: Sequence[float]) -> float:
    """The usual rule."""
    return 3 * fmean(durations)


CASES = [Case(sigma, outliers) for outliers in (0.0, OUTLIERS) for sigma in GOALS]


def runs(case: Case, random: Random) -> Iterator[tuple[float, bool]]:
    """Durations without end, each with whether it hung; their mean is two minutes."""
    mean = MEAN_SECONDS / (1 + case.outliers * (OUTLIER_FACTOR - 1))
    while True:
        seconds = random.lognormvariate(log(mean) - case.sigma**2 / 2, case.sigma)
        hung = random.random() < case.outliers
        yield (seconds * OUTLIER_FACTOR if hung else seconds), hung


def play(case: Case, rule: Rule, *, histories: int, seed: int = 1) -> Outcome:
    """The same runs for every rule."""
    durations = runs(case, Random(f"{seed} {case}"))
    false = hung = found = examples = unstretched = 0
    for _ in range(histories):
        history = [next(durations)[0] for _ in range(HISTORY)]
        limit = rule(history)
        stretch = MEAN_SECONDS / fmean(history)
        examples += rule([stretch * seconds for seconds in history]) < EXAMPLE_SECONDS
        unstretched += limit < EXAMPLE_SECONDS
        for _ in range(RUNS):
            seconds, hangs = next(durations)
            hung += hangs
            found += hangs and seconds > limit
            false += not hangs and seconds > limit
    return Outcome(
        false_alarms=false / (histories * RUNS),
        hung_found=found / hung if hung else None,
        example_found=examples / histories,
        found_unstretched=unstretched / histories,
    )


def reached(case: Case, outcome: Outcome) -> bool:
    """Whether this is what is asked of the rule."""
    most, least = GOALS[case.sigma]
    return outcome.false_alarms <= most and outcome.example_found >= least


HEADS = (
    "σ",
    "hang",
    "false alarms: the rule",
    "3 × mean",
    "goal",
    "example found: the rule",
    "goal",
    "2 min in truth: the rule",
    "hung found: the rule",
    "3 × mean",
)


def row(case: Case, rule: Outcome, usual: Outcome) -> list[str]:
    """A row of the table."""
    most, least = GOALS[case.sigma]
    return [
        f"{case.sigma}",
        f"{case.outliers:.0%}",
        f"{rule.false_alarms:.2%}",
        f"{usual.false_alarms:.2%}",
        f"≤ {most:.1%}",
        f"{rule.example_found:.1%}",
        f"≥ {least:.0%}",
        f"{rule.found_unstretched:.1%}",
        *("" if one.hung_found is None else f"{one.hung_found:.0%}" for one in (rule, usual)),
    ]


def main(arguments: Sequence[str]) -> int:
    """Print the table; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="bench.stuck", description=__doc__)
    parser.add_argument("--histories", type=int, default=4000, help="of each kind of step")
    options = parser.parse_args(arguments)
    print(f"| {' | '.join(HEADS)} |\n|{'---:|' * len(HEADS)}")
    good = True
    for case in CASES:
        rule = play(case, threshold, histories=options.histories)
        usual = play(case, three_means, histories=options.histories)
        good &= reached(case, rule)
        print(f"| {' | '.join(row(case, rule, usual))} |")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
