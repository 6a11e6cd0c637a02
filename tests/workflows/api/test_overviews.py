from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels_app.models import Membership
from tests.api import PROBLEM, client_for
from tests.factories import (
    BaselineFactory,
    BotFactory,
    MembershipFactory,
    OrganizationFactory,
    RunFactory,
    StepFactory,
    SubscriptionFactory,
    UserFactory,
    WorkflowFactory,
)
from workflows.models import Run, Workflow

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
OVERVIEW = "/api/v1/acme/workflows/wf%2Fkpi/overview/"
RUNS = "/api/v1/acme/workflows/wf%2Fkpi/runs/"


@pytest.fixture
def kpi() -> Workflow:
    acme = OrganizationFactory.create(slug="acme")
    return WorkflowFactory.create(organization=acme, external_id="wf/kpi", name="KPI")


@pytest.fixture
def alice(kpi: Workflow) -> Membership:
    """A subscriber."""
    member = MembershipFactory.create(organization=kpi.organization)
    SubscriptionFactory.create(membership=member, source=kpi)
    return member


def ended(workflow: Workflow, state: str, *, minutes: float = 4) -> Run:
    return RunFactory.create(
        workflow=workflow,
        state=state,
        started_at=NOON,
        finished_at=NOON + timedelta(minutes=minutes),
    )


def seen(member: Membership, address: str) -> Any:
    answer = client_for(member.user).get(address)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_workflow_of_which_nothing_is_known_yet(alice: Membership) -> None:
    assert seen(alice, OVERVIEW) == {
        "id": "wf/kpi",
        "name": "KPI",
        "successes": 0,
        "failures": 0,
        "success_rate": None,
        "watched": True,
        "runs": [],
        "running": [],
        "steps": [],
    }


def test_its_last_runs_and_how_many_succeeded(kpi: Workflow, alice: Membership) -> None:
    for state in ("success", "failure", "success", "success"):
        ended(kpi, state)
    RunFactory.create(workflow=kpi, started_at=NOON, external_id="now")

    overview = seen(alice, OVERVIEW)

    states = [run["state"] for run in overview["runs"]]
    assert states == ["success", "failure", "success", "success", "running"]
    assert (overview["successes"], overview["failures"]) == (3, 1)
    assert overview["success_rate"] == 0.75
    assert overview["runs"][0]["duration_seconds"] == 240
    assert overview["runs"][-1]["duration_seconds"] is None


def test_only_the_last_fifty_count(kpi: Workflow, alice: Membership) -> None:
    ended(kpi, "failure")
    for _ in range(50):
        ended(kpi, "success")

    overview = seen(alice, OVERVIEW)

    assert (len(overview["runs"]), overview["success_rate"]) == (50, 1.0)


def test_what_the_platform_says_of_a_duration_is_believed(kpi: Workflow, alice: Membership) -> None:
    Run.objects.filter(pk=ended(kpi, "success").pk).update(told_seconds=252)

    assert seen(alice, RUNS)["results"][0]["duration_seconds"] == 252


def test_what_each_step_usually_takes(kpi: Workflow, alice: Membership) -> None:
    BaselineFactory.create(workflow=kpi, step="Fetch")
    BaselineFactory.create(workflow=kpi, step="#2", durations=[5.0, 7.0])

    fetch, second = seen(alice, OVERVIEW)["steps"]

    assert (fetch["name"], fetch["usual"]["learned"]) == ("Fetch", True)
    assert fetch["usual"]["low_seconds"] == pytest.approx(99.0)
    assert fetch["usual"]["high_seconds"] == pytest.approx(141.0)
    assert (second["name"], second["usual"]["median_seconds"]) == ("#2", 6.0)
    assert (second["usual"]["low_seconds"], second["usual"]["learned"]) == (None, False)


def test_the_steps_that_run_now_and_what_is_stuck(kpi: Workflow, alice: Membership) -> None:
    run = RunFactory.create(workflow=kpi, external_id="run 1", started_at=NOON)
    StepFactory.create(run=run, index=1, completed_at=NOON)
    StepFactory.create(run=run, index=2, started_at=NOON + timedelta(minutes=5))
    stuck = NOON + timedelta(minutes=31)
    StepFactory.create(run=run, index=3, alarm="stuck", stuck_at=stuck, stuck_since=NOON)
    over = ended(kpi, "failure")
    StepFactory.create(run=over, index=1)

    third, second = seen(alice, OVERVIEW)["running"]

    assert third == {
        "run": "run 1",
        "index": 3,
        "name": "Collect figures",
        "started_at": "2026-11-23T12:00:00Z",
        "stuck_at": "2026-11-23T12:31:00Z",
        "stuck_from": None,
    }
    assert (second["index"], second["stuck_at"]) == (2, None)
    assert second["stuck_from"] == "2026-11-23T12:35:00Z"


def test_a_step_that_was_started_again_runs(kpi: Workflow, alice: Membership) -> None:
    run = RunFactory.create(workflow=kpi, started_at=NOON)
    again = NOON + timedelta(minutes=2)
    StepFactory.create(run=run, started_at=again, completed_at=NOON + timedelta(minutes=1))

    (step,) = seen(alice, OVERVIEW)["running"]

    assert step["started_at"] == "2026-11-23T12:02:00Z"


def test_nothing_in_it_counts_the_seconds(kpi: Workflow, alice: Membership) -> None:
    StepFactory.create(run=RunFactory.create(workflow=kpi, started_at=NOON))
    client = client_for(alice.user)
    first = client.get(OVERVIEW)

    assert client.get(OVERVIEW, headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_the_runs_come_in_pages_the_newest_first(kpi: Workflow, alice: Membership) -> None:
    runs = [ended(kpi, "success").external_id for _ in range(3)]
    ended(WorkflowFactory.create(organization=kpi.organization), "success")

    page = seen(alice, f"{RUNS}?limit=2")
    rest = seen(alice, page["next"])

    assert [run["id"] for run in page["results"]] == [runs[2], runs[1]]
    assert [run["id"] for run in rest["results"]] == [runs[0]]


def test_much_takes_as_many_queries_as_little(kpi: Workflow, alice: Membership) -> None:
    counts = []
    for _ in range(2):
        for number in range(5):
            run = RunFactory.create(workflow=kpi)
            StepFactory.create(run=run)
            BaselineFactory.create(workflow=kpi, step=f"Step {run.pk} {number}")
        for address in (OVERVIEW, RUNS):
            with CaptureQueriesContext(connection) as queries:
                seen(alice, address)
            counts.append(len(queries))

    assert counts == [6, 3, 6, 3]


@pytest.mark.parametrize("address", [OVERVIEW, RUNS])
def test_operators_see_it_too(kpi: Workflow, address: str) -> None:
    operator = MembershipFactory.create(
        organization=kpi.organization, user=UserFactory.create(is_staff=True)
    )

    assert client_for(operator.user).get(address).status_code == 200


@pytest.mark.parametrize("address", [OVERVIEW, RUNS])
def test_who_does_not_follow_it_does_not_see_it(kpi: Workflow, address: str) -> None:
    member = MembershipFactory.create(organization=kpi.organization)

    assert client_for(member.user).get(address).status_code == 404


@pytest.mark.parametrize("address", [OVERVIEW, RUNS])
@pytest.mark.parametrize("method", ["get", "put", "delete", "post"])
def test_an_outsider_finds_no_workflow(kpi: Workflow, address: str, method: str) -> None:
    stranger = MembershipFactory.create(user=UserFactory.create(is_staff=True))

    answer = getattr(client_for(stranger.user), method)(address)

    assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)


@pytest.mark.parametrize("part", ["overview", "runs"])
def test_a_bot_is_no_workflow_and_nor_is_another_organizations(
    kpi: Workflow, alice: Membership, part: str
) -> None:
    bot = BotFactory.create(organization=kpi.organization, external_id="bot")
    SubscriptionFactory.create(membership=alice, source=bot)
    WorkflowFactory.create(external_id="theirs")

    for external_id in ("bot", "theirs", "nothing"):
        address = f"/api/v1/acme/workflows/{external_id}/{part}/"
        assert client_for(alice.user).get(address).status_code == 404
