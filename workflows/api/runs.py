"""The screen that a tap on a workflow's banner opens: one run, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import access, history
from channels_app.api.fields import Body
from channels_app.api.views import MemberView
from channels_app.history import MOST_SHOWN, History
from channels_app.models import Source
from channels_app.problems import Problem
from workflows import expectations, timeline
from workflows.api.usual import COLLECTING, UsualBody, usual
from workflows.expectations import Expectations
from workflows.models import Run
from workflows.models import Step as Kept
from workflows.timeline import Happening, Progress, Step


class WorkflowNameBody(Body):
    id = serializers.CharField(help_text="The platform's id.")
    name = serializers.CharField()


class StepBody(Body):
    index = serializers.IntegerField(help_text="From 1.")
    name = serializers.CharField(help_text="Empty where the platform gave none.")
    state = serializers.ChoiceField(
        choices=[(one.value, one.value) for one in Progress],
        help_text="`unfinished`: the run was over, and the step had not been completed.",
    )
    started_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    duration_seconds = serializers.FloatField(allow_null=True, help_text="Once it is completed.")
    stuck_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was found to take longer than expected."
    )
    running_seconds = serializers.FloatField(
        allow_null=True, help_text="How long it had been running at `stuck_at`."
    )
    average_seconds = serializers.FloatField(
        allow_null=True, help_text="How long it takes otherwise, as said at `stuck_at`."
    )
    moved_at = serializers.DateTimeField(
        allow_null=True, help_text="When it went on, or its run was over, after it was stuck."
    )
    stuck_from = serializers.DateTimeField(
        allow_null=True,
        help_text="While it runs: when it will be called stuck, if it is still running then."
        " null: it is, or Pushbridge does not look for stuck steps of this workflow.",
    )
    usual = UsualBody(help_text="How long it takes otherwise, as far as that is known today.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A run with a stuck step",
            response_only=True,
            value={
                "id": "run_501",
                "workflow": {"id": "wf_kpi", "name": "Daily KPI digest"},
                "state": "running",
                "subject": "Monday",
                "steps": 5,
                "started_at": "2026-11-23T09:00:00Z",
                "finished_at": None,
                "duration_seconds": None,
                "error": "",
                "timeline": [
                    {
                        "index": 3,
                        "name": "Collect figures",
                        "state": "stuck",
                        "started_at": "2026-11-23T09:01:00Z",
                        "completed_at": None,
                        "duration_seconds": None,
                        "stuck_at": "2026-11-23T09:16:00Z",
                        "running_seconds": 900.0,
                        "average_seconds": 120.0,
                        "moved_at": None,
                        "stuck_from": None,
                        "usual": COLLECTING,
                    }
                ],
                "earlier": False,
            },
        )
    ]
)
class RunBody(Body):
    id = serializers.CharField(help_text="The platform's id.")
    workflow = WorkflowNameBody()
    state = serializers.ChoiceField(choices=Run.State.choices)
    subject = serializers.CharField(help_text="What it runs for. May be empty.")
    steps = serializers.IntegerField(allow_null=True, help_text="How many it has, where known.")
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    duration_seconds = serializers.FloatField(allow_null=True, help_text="Once it is finished.")
    error = serializers.CharField(help_text="Why it failed, where it did. May be empty.")
    timeline = StepBody(
        many=True, help_text="The steps that anything is known of, in the order of that."
    )
    earlier = serializers.BooleanField(
        help_text=f"It has more than {MOST_SHOWN} events: only the last ones are in `timeline`."
    )


class RunView(MemberView[Run]):
    """`/api/v1/<org>/workflows/<workflow>/runs/<run>/`"""

    tag = "Workflows"
    serializer_class = RunBody

    @extend_schema(operation_id="runs_get")
    def get(self, request: Request, org: str, workflow: str, run: str) -> Response:
        """Get a run of a workflow

        What a tap on a workflow's banner opens: how the run stands, and its steps as far as the
        platform has told of them, each with how long it usually takes and when it is called stuck.
        For the workflow's subscribers and for operators; for everyone
        else there is no such run.
        """
        followed = access.readable(self.membership, self.person).filter(
            kind=Source.Kind.WORKFLOW, external_id=workflow
        )
        found = (
            Run.objects.select_related("workflow")
            .filter(workflow__in=followed.values("pk"), external_id=run)
            .first()
        )
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such run of a workflow you follow.")
        happened = history.read(source_id=found.workflow_id, subject=found.external_id)
        known = expectations.of(found.workflow)
        kept = {step.index: step for step in found.known_steps.all()}
        return Response(RunBody(_run(found, happened, known, kept)).data)


def _run(
    row: Run, happened: History, known: Expectations, kept: Mapping[int, Kept]
) -> dict[str, Any]:
    told = timeline.read(
        Happening(event.type, event.occurred_at, event.payload["data"]) for event in happened.events
    )
    over = row.state != Run.State.RUNNING
    return {
        "id": row.external_id,
        "workflow": {"id": row.workflow.external_id, "name": row.workflow.name},
        "state": row.state,
        "subject": row.subject,
        "steps": row.steps,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "duration_seconds": told.duration_seconds(row.started_at, row.finished_at),
        "error": told.error,
        "timeline": [
            _step(step, kept.get(step.index), known, over=over) for step in told.steps.values()
        ],
        "earlier": happened.earlier,
    }


def _step(step: Step, kept: Kept | None, known: Expectations, *, over: bool) -> dict[str, Any]:
    progress = step.progress(over=over)
    expected = known.of(step.index, step.name)
    awaited = known.watched and progress is Progress.RUNNING and step.started_at is not None
    return {
        "index": step.index,
        "name": step.name,
        "state": progress,
        "started_at": step.started_at,
        "completed_at": step.completed_at,
        "duration_seconds": step.duration_seconds,
        "stuck_at": step.stuck_at,
        "running_seconds": step.running_seconds,
        "average_seconds": step.average_seconds,
        "moved_at": kept.moved_at if kept is not None and step.stuck_at is not None else None,
        "stuck_from": expected.stuck_from(step.started_at)
        if awaited and step.started_at is not None
        else None,
        "usual": usual(expected),
    }
