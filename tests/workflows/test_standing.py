from __future__ import annotations

import pytest

from channels_app.standing import Report
from tests.factories import WorkflowFactory
from tests.queries import taken_by
from tests.workflows.platform import RUN_FINISHED, RUN_STARTED, Platform, at
from workflows.standing import Standing, overtaken, state_of

STEP_DONE, STUCK, RESUMED = (
    "workflow.step_completed",
    "workflow.step_stuck",
    "workflow.step_resumed",
)


def report(type: str, seconds: float = 10, **fields: object) -> Report:
    known: dict[str, object] = {
        "event_id": 1,
        "organization_id": 1,
        "source_id": 1,
        "subject": "run_900",
        "step": "3" if "step" in type else "",
    }
    return Report(type=type, occurred_at=at(seconds), **{**known, **fields})  # type: ignore[arg-type]


RUNNING = Standing("running", None)
OVER = Standing("success", at(10))


@pytest.mark.parametrize(
    ("type", "standing", "state"),
    [
        (RUN_STARTED, RUNNING, None),
        (RUN_STARTED, OVER, "finished"),
        (RUN_FINISHED, OVER, None),
        (RUN_FINISHED, Standing("failure", at(9)), "superseded"),
        (RUN_FINISHED, RUNNING, None),
        (STEP_DONE, RUNNING, None),
        (STEP_DONE, Standing("running", None, at(10)), None),
        (STEP_DONE, Standing("running", None, at(11)), "superseded"),
        (STEP_DONE, OVER, "finished"),
        (STUCK, Standing("running", None, None, "stuck", at(10)), None),
        (STUCK, Standing("running", None, None, "stuck", at(9)), "superseded"),
        (STUCK, Standing("running", None, None, None), None),
        (STUCK, Standing("running", None, None, "none"), "finished"),
        (STUCK, Standing("running", None, at(11), "moved", at(10)), "finished"),
        (STUCK, Standing("running", None, at(11), "settled", at(10)), "finished"),
        (STUCK, Standing("failure", at(12), None, "stuck", at(10)), "finished"),
        (RESUMED, Standing("running", None, at(9), "settled", at(8)), None),
        (RESUMED, Standing("running", None, at(9), "stuck", at(8)), "superseded"),
        (RESUMED, Standing("failure", at(9), None, "settled", at(8)), None),
    ],
)
def test_what_overtakes_an_event(type: str, standing: Standing, state: str | None) -> None:
    assert state_of(report(type), standing) == state


@pytest.mark.django_db
def test_runs_and_steps_are_found_by_one_statement() -> None:
    platform = Platform()
    platform.finished(10)
    platform.report("workflow.step_completed", 20, run={"id": "run_901"}, step={"index": 3})
    source = platform.workflow.pk
    reports = [
        report(RUN_STARTED, 0, source_id=source),
        report(STEP_DONE, 5, event_id=2, source_id=source, subject="run_901"),
        report(STEP_DONE, 20, event_id=3, source_id=source, subject="run_901"),
        report(STEP_DONE, 5, event_id=4, source_id=source, subject="run_901", step="4"),
        report(RUN_STARTED, 0, event_id=5, source_id=source, subject="unknown"),
        report(RUN_STARTED, 0, event_id=6, source_id=WorkflowFactory.create().pk),
        report(RUN_STARTED, 0, event_id=7, source_id=None),
    ]
    assert overtaken(reports) == {1: "finished", 2: "superseded"}
    assert taken_by(lambda: overtaken(reports)) == taken_by(lambda: overtaken(reports[:1])) == 1
    assert overtaken([]) == {}
