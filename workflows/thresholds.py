"""When a step has been running for too long, from how long it took before. Pure.

The rule (docs/decisions/stuck.md): a step is stuck after

    exp(median + 3.5 * 1.4826 * MAD) of the logarithms of its durations,
    but not later than 5 times their mean,
    and never before the greater of a minute and twice their median,

from ten completed durations on; where the two limits cross, the later one wins. Before that, after
a time that somebody chose. Durations are in seconds. Their logarithms, since the time that work
takes is skewed to the right; median and MAD (the median of the distances from it), since the few
that hung must not decide what is usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import fmean, median

# From how many completed durations on there is something usual.
ENOUGH = 10
# Iglewicz and Hoaglin, "How to Detect and Handle Outliers" (1993): an outlier is more than 3.5 MAD
# away, where the MAD of a normal distribution times 1.4826 is its standard deviation.
DEVIATIONS = 3.5
NORMAL_MAD = 1.4826
MOST_MEANS = 5.0
LEAST_SECONDS = 60.0
LEAST_MEDIANS = 2.0
# Of a step without a history, where nobody chose another.
DEFAULT_SECONDS = 1800.0
# A step that takes no time at all has no logarithm.
SHORTEST_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Usual:
    """What a step's history says of it, in seconds."""

    mean: float
    median: float
    floor: float
    """It is never stuck before this,"""
    threshold: float | None
    """and it is after this; None: too little is known yet."""


def usual(durations: Sequence[float]) -> Usual:
    """What these durations say, of which there is one at least."""
    known = [max(SHORTEST_SECONDS, seconds) for seconds in durations]
    mean, middle = fmean(known), median(known)
    floor = max(LEAST_SECONDS, LEAST_MEDIANS * middle)
    rule = max(floor, min(_improbable(known), MOST_MEANS * mean))
    return Usual(
        mean=mean, median=middle, floor=floor, threshold=rule if len(known) >= ENOUGH else None
    )


def _improbable(durations: Sequence[float]) -> float:
    logarithms = [log(seconds) for seconds in durations]
    middle = median(logarithms)
    deviation = median(abs(one - middle) for one in logarithms)
    return exp(middle + DEVIATIONS * NORMAL_MAD * deviation)


def patience(known: Usual | None, *, factor: float = 1.0, default: float | None = None) -> float:
    """After how many seconds a step is stuck.

    Args:
        known: None where it has never been completed.
        factor: by which the operators of the workflow want what follows from its history longer or
            shorter. The floor holds all the same.
        default: what they chose for a step without a history.
    """
    rule = known.threshold * factor if known and known.threshold is not None else None
    chosen = DEFAULT_SECONDS if default is None else default
    return max(known.floor if known else LEAST_SECONDS, chosen if rule is None else rule)


def threshold(
    durations: Sequence[float], *, factor: float = 1.0, default: float | None = None
) -> float:
    """After how many seconds a step with these durations behind it is stuck; see `patience`."""
    return patience(usual(durations) if durations else None, factor=factor, default=default)
