from collections import Counter

import pytest

from bench.gateway import Arrival
from bench.load import Sent
from bench.measuring import MeasurementError, percentile, summarize

SENT = Sent(due_at=[100.0, 101.0], statuses=Counter({202: 2}))


def push(at: float, device: str, collapse_id: str) -> Arrival:
    return Arrival(at, f"/3/device/{device}", collapse_id)


def test_each_push_is_timed_from_the_moment_its_webhook_was_due() -> None:
    arrivals = [push(100.25, "a", "one"), push(100.5, "b", "one"), push(102.0, "a", "two")]
    result = summarize(["one", "two"], SENT, arrivals, expected=3, cpu={"web": 0.3})
    assert (result.p50_ms, result.p99_ms) == (500.0, 1000.0)
    assert result.seconds == 2.0
    assert result.pushes_per_second == 1.5
    assert result.cpu_microseconds_per_push == pytest.approx(100_000)


def test_a_push_that_came_twice_counts_once_and_is_reported() -> None:
    arrivals = [push(100.25, "a", "one"), push(100.5, "a", "one"), push(101.5, "a", "two")]
    result = summarize(["one", "two"], SENT, arrivals, expected=2, cpu={})
    assert (result.pushes, result.duplicates, result.missing) == (2, 1, 0)


def test_what_is_missing_is_reported_and_lowers_the_rate() -> None:
    result = summarize(["one", "two"], SENT, [push(102.0, "a", "one")], expected=2, cpu={})
    assert result.missing == 1
    assert result.events_per_second == 0.5


def test_pushes_of_other_work_do_not_count() -> None:
    arrivals = [push(100.25, "a", "one"), push(100.3, "a", "earlier")]
    assert summarize(["one", "two"], SENT, arrivals, expected=2, cpu={}).pushes == 1


def test_no_arrival_at_all_is_an_error() -> None:
    with pytest.raises(MeasurementError):
        summarize(["one", "two"], SENT, [], expected=2, cpu={})


@pytest.mark.parametrize(("percent", "value"), [(50, 5), (99, 10), (90, 9), (1, 1)])
def test_percentiles_are_of_nearest_rank(percent: float, value: float) -> None:
    assert percentile(range(1, 11), percent) == value
