from __future__ import annotations

from math import exp, log
from random import Random
from statistics import fmean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows import thresholds
from workflows.thresholds import DEFAULT_SECONDS, ENOUGH, threshold, usual

seconds = st.floats(min_value=0.0, max_value=1e6)
histories = st.lists(seconds, min_size=ENOUGH, max_size=100)
factors = st.floats(min_value=0.2, max_value=20)


def lognormal(*, mean: float, sigma: float, size: int) -> list[float]:
    random = Random(1)
    return [random.lognormvariate(log(mean) - sigma**2 / 2, sigma) for _ in range(size)]


@pytest.mark.parametrize(
    ("durations", "expected"),
    [
        # All alike: twice the median, which is more than exp(median).
        ([120.0] * 10, 240.0),
        ([3600.0] * 40, 7200.0),
        # Short steps: a minute.
        ([1.0] * 10, 60.0),
        ([29.0] * 10, 60.0),
        ([31.0] * 10, 62.0),
        ([0.0] * 10, 60.0),
        # Median 200 and MAD log 2, at 200 * 2 ** 5.19 = 7297 s: 5 times the mean comes first.
        ([100.0] * 5 + [200.0] + [400.0] * 5, 5 * (500 + 200 + 2000) / 11),
        # Three in ten hung: they are not what is usual.
        ([120.0] * 7 + [7200.0] * 3, 240.0),
        # Hardly ever more than a moment, sometimes nothing: 5 means are less than 2 medians.
        ([0.0] * 49 + [1000.0] * 51, 2000.0),
    ],
)
def test_a_step_is_stuck_after(durations: list[float], expected: float) -> None:
    assert threshold(durations) == pytest.approx(expected)


def test_between_the_limits_it_is_what_hardly_ever_happens() -> None:
    history = lognormal(mean=120, sigma=0.3, size=40)
    logarithms = [log(one) for one in history]
    middle = median(logarithms)
    deviation = median(abs(one - middle) for one in logarithms)
    rule = exp(middle + 3.5 * 1.4826 * deviation)
    assert 2 * median(history) < rule < 5 * fmean(history)
    assert threshold(history) == pytest.approx(rule)


def test_the_pages_example_is_stuck() -> None:
    for sigma in (0.3, 0.6, 0.9):
        history = lognormal(mean=120, sigma=sigma, size=20)
        scale = 120 / fmean(history)
        assert threshold([scale * one for one in history]) < 900


@pytest.mark.parametrize(
    ("durations", "default", "expected"),
    [
        ([], None, DEFAULT_SECONDS),
        ([], 300.0, 300.0),
        ([], 10.0, 60.0),
        ([5.0] * 9, None, DEFAULT_SECONDS),
        ([5.0] * 9, 300.0, 300.0),
        # What is known, little as it is, says that nothing is wrong yet.
        ([7200.0] * 3, 300.0, 14400.0),
        ([120.0] * 10, 300.0, 240.0),
    ],
)
def test_without_a_history_it_is_what_was_chosen(
    durations: list[float], default: float | None, expected: float
) -> None:
    assert threshold(durations, default=default) == expected


@pytest.mark.parametrize(
    ("factor", "expected"), [(1.0, 600.0), (2.0, 1200.0), (0.5, 300.0), (0.2, 240.0)]
)
def test_operators_may_want_it_longer_or_shorter(factor: float, expected: float) -> None:
    known = thresholds.Usual(mean=120, median=120, floor=240, threshold=600)
    assert thresholds.patience(known, factor=factor) == expected


def test_what_was_chosen_for_no_history_is_meant_as_it_is() -> None:
    assert threshold([], factor=3, default=300) == 300


@given(histories, factors)
def test_it_keeps_its_limits(durations: list[float], factor: float) -> None:
    known = [max(0.001, one) for one in durations]
    floor = max(60, 2 * median(known))
    found = threshold(durations, factor=factor)
    assert found >= floor
    assert found <= max(floor, factor * max(floor, 5 * fmean(known))) * (1 + 1e-9)


@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_a_history_does_not_matter(durations: list[float], random: Random) -> None:
    shuffled = random.sample(durations, len(durations))
    assert threshold(shuffled) == pytest.approx(threshold(durations))


@given(st.lists(st.floats(min_value=61, max_value=1e5), min_size=ENOUGH, max_size=50))
def test_twice_as_slow_is_twice_as_patient(durations: list[float]) -> None:
    doubled = threshold([2 * one for one in durations])
    assert doubled == pytest.approx(2 * threshold(durations), rel=1e-6)


@given(st.lists(seconds, min_size=1, max_size=60))
def test_there_is_a_threshold_from_ten_on(durations: list[float]) -> None:
    assert (usual(durations).threshold is None) == (len(durations) < ENOUGH)
