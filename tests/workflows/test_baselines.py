from __future__ import annotations

import pytest

from tests.races import at_once
from tests.workflows.platform import AT, Platform, learn
from workflows import baselines
from workflows.baselines import WINDOW
from workflows.models import Baseline
from workflows.thresholds import usual

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform(db: None) -> Platform:
    return Platform()


def test_what_is_completed_is_learned(platform: Platform) -> None:
    platform.completed(12, name="Collect metrics", duration_seconds=12)
    assert learn(13) == 1
    known = Baseline.objects.get()
    assert (known.workflow, known.step) == (platform.workflow, "Collect metrics")
    assert (known.durations, known.completed) == ([12], 1)
    assert (known.mean_seconds, known.median_seconds) == (12, 12)
    assert (known.floor_seconds, known.threshold_seconds) == (60, None)


def test_a_step_without_a_name_goes_by_its_number(platform: Platform) -> None:
    platform.completed(12, duration_seconds=12)
    learn()
    assert Baseline.objects.get().step == "#3"


def test_from_ten_on_there_is_a_threshold(platform: Platform) -> None:
    durations = [float(100 + number) for number in range(10)]
    for number, duration in enumerate(durations):
        platform.completed(1000 * number, duration_seconds=duration)
        learn()
    known = Baseline.objects.get()
    assert known.durations == durations
    assert known.threshold_seconds == pytest.approx(usual(durations).threshold)


def test_it_is_learned_once(platform: Platform) -> None:
    platform.started(0)
    platform.completed(12, duration_seconds=12)
    assert (learn(), learn()) == (1, 0)
    platform.connect()
    platform.completed(12, duration_seconds=12)
    platform.completed(13, duration_seconds=12)
    platform.started(0)
    learn()
    assert Baseline.objects.get().durations == [12]


def test_each_try_is_learned(platform: Platform) -> None:
    for start in (0, 20, 40):
        platform.started(start)
        platform.completed(start + 12)
        learn()
    assert Baseline.objects.get().durations == [12, 12, 12]


def test_what_comes_late_is_learned_when_its_duration_is_known(platform: Platform) -> None:
    platform.completed(12)
    assert learn() == 0
    platform.started(0, received=20)
    assert learn() == 1
    assert Baseline.objects.get().durations == [12]


def test_steps_of_many_runs_are_learned_in_the_order_of_their_ends(platform: Platform) -> None:
    for number in (3, 1, 2):
        platform.report(
            "workflow.step_completed",
            number,
            run={"id": f"run_{number}"},
            step={"index": 1, "duration_seconds": number},
        )
    learn()
    assert Baseline.objects.get().durations == [1, 2, 3]


def test_only_the_last_are_kept_and_all_are_counted(platform: Platform) -> None:
    platform.has_taken(*[5.0] * WINDOW)
    platform.completed(12, duration_seconds=12)
    learn()
    known = Baseline.objects.get()
    assert known.durations == [5.0] * (WINDOW - 1) + [12]
    assert known.completed == WINDOW + 1


def test_more_than_one_transaction_takes_is_learned_in_one_sweep(platform: Platform) -> None:
    for number in range(12):
        platform.completed(number, index=number + 1, name="Import", duration_seconds=1)
    assert baselines.learn(now=AT, limit=1) == 12
    assert Baseline.objects.get().completed == 12


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_learn_each_step_once() -> None:
    platform = Platform()
    for number in range(40):
        platform.completed(
            number, index=number + 1, name=f"Step {number % 5}", duration_seconds=number
        )
    found = at_once(4, lambda _: baselines.learn(now=AT, limit=1))
    assert sum(found) == 40
    assert sorted(one for known in Baseline.objects.all() for one in known.durations) == list(
        range(40)
    )
