from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import BaselineFactory, WorkflowFactory
from tests.queries import taken_by
from workflows import expectations
from workflows.expectations import Expected
from workflows.models import StuckPolicy, Workflow

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def kpi(db: None) -> Workflow:
    return WorkflowFactory.create()


def test_four_of_five_durations_are_usual() -> None:
    assert expectations.spread([float(one) for one in range(1, 102)]) == (11.0, 91.0)


@pytest.mark.parametrize("count", [0, 1, 9])
def test_of_a_few_durations_nothing_is_usual(count: int) -> None:
    assert expectations.spread([5.0] * count) == (None, None)


def test_what_is_not_known_is_stuck_after_half_an_hour(kpi: Workflow) -> None:
    assert expectations.of(kpi).of(1, "New") == Expected(stuck_after=1800.0)


def test_a_step_goes_by_its_name_and_else_by_its_number(kpi: Workflow) -> None:
    BaselineFactory.create(workflow=kpi, step="Fetch", durations=[1.0])
    BaselineFactory.create(workflow=kpi, step="#2", durations=[2.0])
    known = expectations.of(kpi)

    medians = [known.of(*step).median for step in ((1, "Fetch"), (2, "Fetch"), (2, ""), (3, ""))]

    assert medians == [1.0, 1.0, 2.0, None]


def test_it_is_learned_from_ten_durations_on(kpi: Workflow) -> None:
    BaselineFactory.create(workflow=kpi, step="nine", durations=[100.0] * 9)
    BaselineFactory.create(workflow=kpi, step="ten", durations=[100.0] * 10)
    known = expectations.of(kpi).steps

    assert [(one.learned, one.stuck_after) for one in known.values()] == [
        (False, 1800.0),
        (True, 200.0),
    ]


@pytest.mark.parametrize(
    ("own", "organizations", "seconds"),
    [(None, None, 1800), (None, 7200, 7200), (600, 7200, 600)],
)
def test_without_a_history_the_nearest_word_counts(
    kpi: Workflow, own: float | None, organizations: float | None, seconds: float
) -> None:
    if organizations is not None:
        StuckPolicy.objects.create(
            organization=kpi.organization, stuck_default=timedelta(seconds=organizations)
        )
    kpi.stuck_default = None if own is None else timedelta(seconds=own)

    assert expectations.of(kpi).unknown.stuck_after == seconds


def test_patience_stretches_what_was_learned(kpi: Workflow) -> None:
    BaselineFactory.create(workflow=kpi, step="Fetch", durations=[100.0] * 10)
    kpi.stuck_factor = 3

    fetch = expectations.of(kpi).of(1, "Fetch")

    assert fetch.stuck_after == 600.0
    assert fetch.stuck_from(NOON) == NOON + timedelta(minutes=10)


def test_another_workflows_steps_are_not_its_own(kpi: Workflow) -> None:
    BaselineFactory.create(step="Fetch")

    assert expectations.of(kpi).steps == {}


def test_many_steps_take_two_queries(kpi: Workflow) -> None:
    for number in range(20):
        BaselineFactory.create(workflow=kpi, step=f"Step {number}")

    assert taken_by(lambda: expectations.of(kpi)) == 2
