"""How much of a kind is opened, and how sure that is. Pure."""

from __future__ import annotations

import math
from enum import StrEnum

# Of what is opened less often than this, nobody would miss the sound.
RARELY = 0.05
# The normal distribution's quantile for 95 %, two-sided.
Z = 1.96


class Judgement(StrEnum):
    """What a week's figures allow to be said, at 95 %."""

    RARELY = "rarely"
    """Less than one in twenty is opened."""
    OFTEN = "often"
    """More than that is."""
    UNSURE = "unsure"
    """Too little went out to tell the one from the other."""


def judge(part: int, whole: int, *, limit: float = RARELY) -> Judgement:
    """Whether a share is surely below the limit, surely not, or neither.

    Below 73 of a kind nothing is rarely opened, not even if none was.
    """
    low, high = interval(part, whole)
    if high < limit:
        return Judgement.RARELY
    return Judgement.OFTEN if low >= limit else Judgement.UNSURE


def interval(part: int, whole: int) -> tuple[float, float]:
    """Between which shares the true one is (Wilson, 1927: it holds for small numbers as well)."""
    if whole == 0:
        return 0.0, 1.0
    share, weight = part / whole, Z * Z / whole
    middle = share + weight / 2
    spread = Z * math.sqrt(share * (1 - share) / whole + weight / (4 * whole))
    return max(0.0, (middle - spread) / (1 + weight)), min(1.0, (middle + spread) / (1 + weight))
