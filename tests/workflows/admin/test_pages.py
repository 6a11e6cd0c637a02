"""The admin's pages of workflows, runs, and stuck policies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from channels_app.models import Organization
from tests.channels_app.admin.worlds import operator
from tests.factories import (
    BaselineFactory,
    OrganizationFactory,
    RunFactory,
    StepFactory,
    WorkflowFactory,
)
from workflows.models import Run, StuckPolicy, Workflow

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def acme() -> Organization:
    return OrganizationFactory.create(name="Acme")


@pytest.fixture
def kpi(acme: Organization) -> Workflow:
    return WorkflowFactory.create(organization=acme, name="Daily KPI digest")


@pytest.fixture
def as_operator(client: Client, acme: Organization) -> Client:
    client.force_login(operator(acme))
    return client


def page(client: Client, row: Workflow | Run) -> str:
    model = str(row._meta.model_name)
    answer = client.get(reverse(f"admin:workflows_{model}_change", args=[row.pk]))
    assert answer.status_code == 200
    return " ".join(unescape(answer.content.decode()).split())


def finished(workflow: Workflow, state: str = "success", *, took: timedelta = MINUTE) -> Run:
    return RunFactory.create(
        workflow=workflow, state=state, started_at=NOON - took, finished_at=NOON
    )


def test_a_workflow_of_which_nothing_is_known_says_so(as_operator: Client, kpi: Workflow) -> None:
    html = page(as_operator, kpi)

    assert "Nothing is known of its runs yet." in html
    assert "<svg" not in html.partition("pb-picture")[2].partition("When a step is stuck")[0]


def test_a_workflow_shows_how_its_last_runs_ended(as_operator: Client, kpi: Workflow) -> None:
    for state in ("success", "success", "success", "failure"):
        run = finished(kpi, state)

    html = page(as_operator, kpi)

    assert "75 %" in html
    assert "3 of the last 4 finished runs" in html
    assert f"<title>{run.external_id}: failure, 1 min</title>" in html
    assert html.count('class="pb-run pb-run-') == 4


def test_a_workflow_shows_each_step_with_what_is_usual_and_what_runs(
    as_operator: Client, kpi: Workflow
) -> None:
    BaselineFactory.create(workflow=kpi)
    run = RunFactory.create(workflow=kpi, started_at=NOON - 3 * MINUTE)
    StepFactory.create(run=run)
    slow = RunFactory.create(workflow=kpi, started_at=NOON - 20 * MINUTE)
    StepFactory.create(run=slow, alarm="stuck", stuck_at=NOON - 10 * MINUTE)

    html = page(as_operator, kpi)

    assert "Collect figures: usually 1 min 57 s; called stuck after" in html
    assert "running for 20 min, stuck; running for 3 min" in html
    assert reverse("admin:workflows_run_change", args=[slow.pk]) in html
    assert '>1</span> <span class="pb-quiet">of them stuck' in html


def test_a_workflow_that_nobody_looks_after_shows_no_line_of_what_is_stuck(
    as_operator: Client, kpi: Workflow
) -> None:
    Workflow.objects.update(watched=False)
    BaselineFactory.create(workflow=kpi)

    html = page(as_operator, kpi)

    assert "Pushbridge does not look for stuck steps of this workflow" in html
    assert "pb-gauge-line" not in html
    assert "not looked for" in html


def test_what_makes_a_step_stuck_is_set_on_the_page(as_operator: Client, kpi: Workflow) -> None:
    answer = as_operator.post(
        reverse("admin:workflows_workflow_change", args=[kpi.pk]),
        {
            "name": kpi.name,
            "stuck_factor": "2",
            "stuck_default": "00:10:00",
            "subscriptions-TOTAL_FORMS": "0",
            "subscriptions-INITIAL_FORMS": "0",
        },
    )

    kpi.refresh_from_db()
    assert answer.status_code == 302
    assert (kpi.watched, kpi.stuck_factor, kpi.stuck_default) == (False, 2.0, 10 * MINUTE)


@pytest.mark.parametrize("factor", ["0", "0.1", "21", "-1", "nan", "many"])
def test_no_patience_that_would_ring_always_or_never_is_taken(
    as_operator: Client, kpi: Workflow, factor: str
) -> None:
    answer = as_operator.post(
        reverse("admin:workflows_workflow_change", args=[kpi.pk]),
        {
            "name": kpi.name,
            "stuck_factor": factor,
            "subscriptions-TOTAL_FORMS": "0",
            "subscriptions-INITIAL_FORMS": "0",
        },
    )

    assert answer.status_code == 200
    assert "stuck_factor" in answer.context["adminform"].form.errors


def test_a_run_shows_what_each_step_took_beside_what_is_usual(
    as_operator: Client, kpi: Workflow
) -> None:
    BaselineFactory.create(workflow=kpi)
    run = finished(kpi, took=30 * MINUTE)
    begun = NOON - 30 * MINUTE
    StepFactory.create(
        run=run,
        completed_at=begun + 20 * MINUTE,
        duration_seconds=1200,
        alarm="settled",
        stuck_at=begun + 8 * MINUTE,
        stuck_since=begun,
        moved_at=begun + 20 * MINUTE,
    )
    StepFactory.create(run=run, index=2, name="", started_at=begun + 21 * MINUTE)

    html = page(as_operator, run)

    assert "<title>Collect figures 1: completed, 20 min, 10.2 × as long as usual</title>" in html
    assert "Called stuck by Pushbridge" in html
    assert "11:38:00" in html
    assert "Moving again" in html
    assert "Without a name" in html
    assert "Unfinished" in html


def test_a_run_of_whose_steps_nothing_is_known_says_so(as_operator: Client, kpi: Workflow) -> None:
    assert "Nothing is known of its steps." in page(as_operator, finished(kpi))


def test_names_are_never_taken_for_html(as_operator: Client, kpi: Workflow) -> None:
    evil = "<script>alert(1)</script>"
    BaselineFactory.create(workflow=kpi, step=evil)
    run = RunFactory.create(workflow=kpi, external_id=evil, subject=evil, started_at=NOON)
    StepFactory.create(run=run, name=evil)

    for row in (kpi, run):
        model = str(row._meta.model_name)
        answer = as_operator.get(reverse(f"admin:workflows_{model}_change", args=[row.pk]))
        assert evil not in answer.content.decode()


def test_a_page_takes_as_many_queries_for_many_runs_and_steps_as_for_one(
    as_operator: Client, kpi: Workflow
) -> None:
    run = RunFactory.create(workflow=kpi, started_at=NOON)
    counts = []
    for number in range(1, 12):
        BaselineFactory.create(workflow=kpi, step=f"Step {number}")
        StepFactory.create(run=run, index=number, name=f"Step {number}")
        StepFactory.create(run=RunFactory.create(workflow=kpi, started_at=NOON))
        if number in (1, 2, 11):
            for row in (kpi, run):
                with CaptureQueriesContext(connection) as queries:
                    page(as_operator, row)
                counts.append(len(queries))

    # The first request also fills caches.
    assert counts[2:4] == counts[4:6]


def test_another_organizations_policy_cannot_be_set(as_operator: Client) -> None:
    zebra = OrganizationFactory.create()

    answer = as_operator.post(
        reverse("admin:workflows_stuckpolicy_add"),
        {"organization": zebra.pk, "stuck_default": "00:10:00"},
    )

    assert answer.status_code == 200
    assert not StuckPolicy.objects.exists()


@pytest.mark.parametrize(
    ("alarm", "word"), [("none", "Running"), ("stuck", "Stuck"), ("settled", "Running")]
)
def test_the_list_says_which_workflow_is_stuck(
    as_operator: Client, kpi: Workflow, alarm: str, word: str
) -> None:
    rung = None if alarm == "none" else NOON
    StepFactory.create(run__workflow=kpi, started_at=NOON, alarm=alarm, stuck_at=rung)

    html = as_operator.get(reverse("admin:workflows_workflow_changelist")).content.decode()

    assert f">{word}</span>" in html


def test_the_organizations_policy_is_set_by_its_operators(
    as_operator: Client, acme: Organization
) -> None:
    as_operator.post(
        reverse("admin:workflows_stuckpolicy_add"),
        {"organization": acme.pk, "stuck_default": "00:10:00"},
    )

    assert StuckPolicy.objects.get(organization=acme).stuck_default == 10 * MINUTE
