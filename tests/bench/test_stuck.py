from __future__ import annotations

from itertools import islice
from random import Random
from statistics import fmean

import pytest

from bench.stuck import CASES, MEAN_SECONDS, Case, play, reached, runs, three_means
from workflows.thresholds import threshold


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_rule_reaches_its_goals(case: Case) -> None:
    assert reached(case, play(case, threshold, histories=400))


def test_three_times_the_mean_does_not() -> None:
    assert not reached(CASES[2], play(CASES[2], three_means, histories=400))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_step_takes_two_minutes_on_average(case: Case) -> None:
    found = [seconds for seconds, _ in islice(runs(case, Random(1)), 100_000)]
    assert fmean(found) == pytest.approx(MEAN_SECONDS, rel=0.02)


def test_the_same_seed_gives_the_same_figures() -> None:
    case = CASES[0]
    assert play(case, threshold, histories=20) == play(case, threshold, histories=20)
    assert play(case, threshold, histories=20, seed=2) != play(case, threshold, histories=20)
