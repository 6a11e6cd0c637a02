from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from tests.changes import change
from tests.factories import BotFactory, OrganizationFactory, WorkflowFactory
from tests.races import at_once
from workflows import runs
from workflows.models import Run, Workflow

AT = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
LATER = AT + timedelta(minutes=4)
STARTED, STEP, STUCK, FINISHED = (
    "workflow.run_started",
    "workflow.step_completed",
    "workflow.step_stuck",
    "workflow.run_finished",
)


def record(
    workflow: Workflow,
    type: str,
    at: datetime = AT,
    *,
    run: dict[str, Any] | None = None,
    **data: Any,
) -> dict[str, Any]:
    if type == FINISHED:
        data.setdefault("status", "success")
    elif type != STARTED:
        data.setdefault("step", {"index": 3, "running_seconds": 900})
    return change(runs.CHANGES, type, workflow, {"run": {"id": "run_1", **(run or {})}, **data}, at)


def known() -> Run:
    return Run.objects.get(external_id="run_1")


@pytest.fixture
def workflow(db: None) -> Workflow:
    return WorkflowFactory.create()


def test_a_start_makes_the_run(workflow: Workflow) -> None:
    facts = record(workflow, STARTED, run={"subject": "Jane Doe", "steps": 4})
    run = known()
    assert facts == {"steps": 4}
    assert (run.subject, run.steps, run.state) == ("Jane Doe", 4, "running")
    assert (run.started_at, run.finished_at) == (AT, None)


def test_a_step_of_an_unknown_run_makes_it_too(workflow: Workflow) -> None:
    assert record(workflow, STEP) == {}
    assert (known().state, known().started_at) == ("running", None)


def test_a_step_knows_the_number_of_steps_from_the_start(workflow: Workflow) -> None:
    record(workflow, STARTED, run={"steps": 4})
    assert record(workflow, STEP) == {"steps": 4}


def test_a_start_that_comes_late_fills_in_what_was_unknown(workflow: Workflow) -> None:
    record(workflow, STEP, LATER)
    record(workflow, STARTED, AT, run={"subject": "Jane Doe", "steps": 4})
    assert (known().subject, known().steps, known().started_at) == ("Jane Doe", 4, AT)


@pytest.mark.parametrize("status", ["success", "failure"])
def test_an_end_is_the_state_of_the_run(workflow: Workflow, status: str) -> None:
    record(workflow, STARTED)
    assert record(workflow, FINISHED, LATER, status=status) == {}
    assert (known().state, known().finished_at) == (status, LATER)


def test_an_end_without_a_beginning_leaves_a_finished_run(workflow: Workflow) -> None:
    assert record(workflow, FINISHED, LATER) == {}
    assert (known().state, known().started_at, known().finished_at) == ("success", None, LATER)


@pytest.mark.parametrize("type", [STARTED, STEP, STUCK, "workflow.step_started"])
def test_what_comes_after_the_end_is_overtaken_and_changes_no_state(
    workflow: Workflow, type: str
) -> None:
    record(workflow, FINISHED, LATER, status="failure")
    assert record(workflow, type, AT) == {"state": "finished"}
    assert (known().state, known().finished_at) == ("failure", LATER)


def test_a_second_end_changes_nothing(workflow: Workflow) -> None:
    record(workflow, FINISHED, LATER, status="failure")
    record(workflow, FINISHED, LATER + timedelta(minutes=1), status="success")
    assert (known().state, known().finished_at) == ("failure", LATER)


@pytest.mark.parametrize("order", list(permutations([STARTED, STEP, STUCK, FINISHED])))
def test_any_order_leaves_the_same_finished_run(workflow: Workflow, order: tuple[str, ...]) -> None:
    times = {STARTED: AT, STEP: AT, STUCK: AT, FINISHED: LATER}
    for type in order * 2:
        record(workflow, type, times[type], run={"steps": 4} if type == STARTED else {})
    run = known()
    assert (run.state, run.started_at, run.finished_at, run.steps) == ("success", AT, LATER, 4)


def test_the_same_id_in_another_workflow_is_another_run(workflow: Workflow) -> None:
    record(workflow, FINISHED)
    assert record(WorkflowFactory.create(), STARTED) == {}


@pytest.mark.django_db(transaction=True)
def test_all_events_of_a_run_at_once_leave_one_finished_run() -> None:
    workflow = WorkflowFactory.create()
    types = [STARTED, STEP, STUCK, FINISHED] * 2
    at_once(8, lambda number: record(workflow, types[number]))
    assert (known().state, known().started_at) == ("success", AT)


def name(organization_id: int, external_id: str = "wf_1", name: str = "Lead enrichment") -> int:
    return runs.workflow(organization_id=organization_id, external_id=external_id, name=name)


@pytest.mark.django_db
def test_a_workflow_is_made_when_it_is_first_named() -> None:
    organization = OrganizationFactory.create()
    workflow = Workflow.objects.get(pk=name(organization.pk))
    assert (workflow.external_id, workflow.name) == ("wf_1", "Lead enrichment")
    assert (workflow.kind, workflow.organization_id) == ("workflow", organization.pk)


def test_a_workflow_that_is_known_is_found_and_renamed(workflow: Workflow) -> None:
    assert name(workflow.organization_id, workflow.external_id, "New name") == workflow.pk
    workflow.refresh_from_db()
    assert workflow.name == "New name"


def test_the_same_workflow_id_in_another_organization_is_another(workflow: Workflow) -> None:
    assert name(OrganizationFactory.create().pk, workflow.external_id) != workflow.pk


@pytest.mark.django_db
def test_a_bot_of_the_same_id_is_no_workflow() -> None:
    bot = BotFactory.create()
    assert name(bot.organization_id, bot.external_id) != bot.pk


@pytest.mark.django_db(transaction=True)
def test_a_workflow_that_is_first_named_by_many_at_once_is_made_once() -> None:
    organization = OrganizationFactory.create()
    assert len(set(at_once(8, lambda _: name(organization.pk)))) == 1
    assert Workflow.objects.count() == 1
