from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels_app.models import Event, Membership
from tests.api import PROBLEM, client_for
from tests.factories import (
    BaselineFactory,
    BotFactory,
    ConnectionFactory,
    EventFactory,
    MembershipFactory,
    OrganizationFactory,
    RunFactory,
    StepFactory,
    SubscriptionFactory,
    UserFactory,
    WorkflowFactory,
)
from workflows.models import Run, StuckPolicy, Workflow

pytestmark = pytest.mark.django_db
# Of a step of which nothing is known.
UNKNOWN = {
    "completed": 0,
    "median_seconds": None,
    "mean_seconds": None,
    "low_seconds": None,
    "high_seconds": None,
    "stuck_after_seconds": 1800.0,
    "learned": False,
}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ADDRESS = "/api/v1/acme/workflows/wf%2Fkpi/runs/run%201/"


@pytest.fixture
def run() -> Run:
    workflow = WorkflowFactory.create(
        organization=OrganizationFactory.create(slug="acme"), external_id="wf/kpi", name="KPI"
    )
    return RunFactory.create(workflow=workflow, external_id="run 1", started_at=NOON)


@pytest.fixture
def alice(run: Run) -> Membership:
    """A subscriber."""
    member = MembershipFactory.create(organization=run.workflow.organization)
    SubscriptionFactory.create(membership=member, source=run.workflow)
    return member


def happened(run: Run, type: str, *, after: float, **data: object) -> Event:
    at = NOON + timedelta(seconds=after)
    return EventFactory.create(
        connection=ConnectionFactory.create(organization=run.workflow.organization),
        source=run.workflow,
        subject=run.external_id,
        type=f"workflow.{type}",
        occurred_at=at,
        payload={"data": data},
    )


def screen(member: Membership) -> Any:
    answer = client_for(member.user).get(ADDRESS)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_run_of_which_only_the_start_is_known(run: Run, alice: Membership) -> None:
    happened(run, "run_started", after=0)

    assert screen(alice) == {
        "id": "run 1",
        "workflow": {"id": "wf/kpi", "name": "KPI"},
        "state": "running",
        "subject": 'new contact "Jane Doe (Acme)"',
        "steps": 5,
        "started_at": "2026-11-23T12:00:00Z",
        "finished_at": None,
        "duration_seconds": None,
        "error": "",
        "timeline": [],
        "earlier": False,
    }


def test_a_run_that_failed_with_its_steps_in_whatever_order_they_came(
    run: Run, alice: Membership
) -> None:
    Run.objects.update(state="failure", finished_at=NOON + timedelta(seconds=90))
    happened(run, "run_finished", after=90, status="failure", error="No connection.")
    happened(run, "step_started", after=30, step={"index": 2, "name": "Send"})
    happened(run, "step_completed", after=29, step={"index": 1, "duration_seconds": 28.5})
    happened(run, "step_stuck", after=80, step={"index": 2, "running_seconds": 50.0})

    answer = screen(alice)

    assert (answer["state"], answer["error"]) == ("failure", "No connection.")
    assert answer["duration_seconds"] == 90
    assert answer["timeline"] == [
        {
            "index": 1,
            "name": "",
            "state": "completed",
            "started_at": None,
            "completed_at": "2026-11-23T12:00:29Z",
            "duration_seconds": 28.5,
            "stuck_at": None,
            "running_seconds": None,
            "average_seconds": None,
            "moved_at": None,
            "stuck_from": None,
            "usual": UNKNOWN,
        },
        {
            "index": 2,
            "name": "Send",
            "state": "unfinished",
            "started_at": "2026-11-23T12:00:30Z",
            "completed_at": None,
            "duration_seconds": None,
            "stuck_at": "2026-11-23T12:01:20Z",
            "running_seconds": 50.0,
            "average_seconds": None,
            "moved_at": None,
            "stuck_from": None,
            "usual": UNKNOWN,
        },
    ]


def only_step(member: Membership) -> Any:
    (step,) = screen(member)["timeline"]
    return step


def test_beside_what_a_step_took_stands_what_it_usually_takes(run: Run, alice: Membership) -> None:
    BaselineFactory.create(workflow=run.workflow, step="Send", durations=[100.0] * 9 + [200.0])
    happened(run, "step_started", after=30, step={"index": 2, "name": "Send"})

    step = only_step(alice)

    assert step["usual"] == {
        "completed": 10,
        "median_seconds": 100.0,
        "mean_seconds": 110.0,
        "low_seconds": 100.0,
        "high_seconds": pytest.approx(110.0),
        "stuck_after_seconds": 200.0,
        "learned": True,
    }
    assert step["stuck_from"] == "2026-11-23T12:03:50Z"


def test_a_step_without_a_name_goes_by_its_number(run: Run, alice: Membership) -> None:
    BaselineFactory.create(workflow=run.workflow, step="#2")
    happened(run, "step_started", after=30, step={"index": 2})

    assert only_step(alice)["usual"]["completed"] == 10


def test_what_operators_set_counts_in_when_it_is_stuck(run: Run, alice: Membership) -> None:
    BaselineFactory.create(workflow=run.workflow, step="Send", durations=[100.0] * 10)
    happened(run, "step_started", after=0, step={"index": 1, "name": "Send"})
    happened(run, "step_started", after=0, step={"index": 2, "name": "New"})
    StuckPolicy.objects.create(
        organization=run.workflow.organization, stuck_default=timedelta(hours=2)
    )
    Workflow.objects.update(stuck_factor=3)

    after = [step["usual"]["stuck_after_seconds"] for step in screen(alice)["timeline"]]

    assert after == [600.0, 7200.0]


def test_where_nobody_looks_nothing_is_to_be_stuck(run: Run, alice: Membership) -> None:
    Workflow.objects.update(watched=False)
    happened(run, "step_started", after=0, step={"index": 1})

    assert only_step(alice)["stuck_from"] is None


def test_what_is_moving_again_says_since_when(run: Run, alice: Membership) -> None:
    moved = NOON + timedelta(seconds=1500)
    StepFactory.create(
        run=run, index=2, alarm="settled", stuck_at=NOON, completed_at=moved, moved_at=moved
    )
    happened(run, "step_started", after=0, step={"index": 2})
    happened(run, "step_stuck", after=900, step={"index": 2, "running_seconds": 900.0})
    happened(run, "step_completed", after=1500, step={"index": 2})

    step = only_step(alice)

    assert (step["state"], step["moved_at"]) == ("completed", "2026-11-23T12:25:00Z")


def test_another_run_of_the_workflow_is_not_mixed_in(run: Run, alice: Membership) -> None:
    happened(RunFactory.create(workflow=run.workflow), "step_started", after=1, step={"index": 1})

    assert screen(alice)["timeline"] == []


def test_many_steps_take_as_many_queries_as_one(run: Run, alice: Membership) -> None:
    counts = []
    for index in (1, 20):
        for number in range(index):
            happened(run, "step_started", after=number, step={"index": index + number})
        with CaptureQueriesContext(connection) as queries:
            screen(alice)
        counts.append(len(queries))

    assert counts == [6, 6]


def test_operators_see_it_too(run: Run) -> None:
    operator = MembershipFactory.create(
        organization=run.workflow.organization, user=UserFactory.create(is_staff=True)
    )

    assert screen(operator)["id"] == "run 1"


def test_who_does_not_follow_the_workflow_does_not_see_its_runs(run: Run) -> None:
    member = MembershipFactory.create(organization=run.workflow.organization)
    beside = WorkflowFactory.create(organization=run.workflow.organization)
    SubscriptionFactory.create(membership=member, source=beside)

    assert client_for(member.user).get(ADDRESS).status_code == 404


@pytest.mark.parametrize("method", ["get", "put", "delete", "post"])
def test_an_outsider_finds_no_run(run: Run, method: str) -> None:
    stranger = MembershipFactory.create(user=UserFactory.create(is_staff=True))

    answer = getattr(client_for(stranger.user), method)(ADDRESS)

    assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)


def test_the_run_of_another_organization_is_not_there(alice: Membership) -> None:
    theirs = RunFactory.create(workflow__external_id="theirs", external_id="run 1")
    SubscriptionFactory.create(
        membership=MembershipFactory.create(
            user=alice.user, organization=theirs.workflow.organization
        ),
        source=theirs.workflow,
    )

    answer = client_for(alice.user).get("/api/v1/acme/workflows/theirs/runs/run%201/")

    assert answer.status_code == 404


def test_a_bot_has_no_runs(run: Run, alice: Membership) -> None:
    bot = BotFactory.create(organization=alice.organization, external_id="bot")
    SubscriptionFactory.create(membership=alice, source=bot)

    answer = client_for(alice.user).get("/api/v1/acme/workflows/bot/runs/run%201/")

    assert answer.status_code == 404
