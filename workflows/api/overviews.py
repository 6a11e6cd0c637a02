"""A workflow at a glance, and the list of its runs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import access
from channels_app.api.fields import Body
from channels_app.api.views import M, MemberView
from channels_app.models import Source
from channels_app.problems import Problem
from workflows import overviews
from workflows.api.usual import COLLECTING, UsualBody, usual
from workflows.models import Run, Workflow
from workflows.overviews import LAST_RUNS, Overview

FINISHED = {
    "id": "run_500",
    "state": "success",
    "subject": "Sunday",
    "steps": 5,
    "started_at": "2026-11-22T09:00:00Z",
    "finished_at": "2026-11-22T09:04:12Z",
    "duration_seconds": 252.0,
}


class RunRowBody(Body):
    id = serializers.CharField(source="external_id", help_text="The platform's id.")
    state = serializers.ChoiceField(choices=Run.State.choices)
    subject = serializers.CharField(help_text="What it runs for. May be empty.")
    steps = serializers.IntegerField(allow_null=True, help_text="How many it has, where known.")
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    duration_seconds = serializers.FloatField(allow_null=True, help_text="Once it is finished.")


class RunningStepBody(Body):
    run = serializers.CharField(help_text="The platform's id.")
    index = serializers.IntegerField(help_text="From 1.")
    name = serializers.CharField(help_text="Empty where the platform gave none.")
    started_at = serializers.DateTimeField()
    stuck_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was called stuck. null: it is not."
    )
    stuck_from = serializers.DateTimeField(
        allow_null=True,
        help_text="When it will be. null: it is, or Pushbridge does not look for it.",
    )


class StepBaselineBody(Body):
    name = serializers.CharField(help_text="Of a step without a name its number, as in `#3`.")
    usual = UsualBody()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A workflow with a stuck step",
            response_only=True,
            value={
                "id": "wf_kpi",
                "name": "Daily KPI digest",
                "successes": 47,
                "failures": 2,
                "success_rate": 0.959,
                "watched": True,
                "runs": [FINISHED],
                "running": [
                    {
                        "run": "run_501",
                        "index": 3,
                        "name": "Collect figures",
                        "started_at": "2026-11-23T09:01:00Z",
                        "stuck_at": "2026-11-23T09:08:17Z",
                        "stuck_from": None,
                    }
                ],
                "steps": [{"name": "Collect figures", "usual": COLLECTING}],
            },
        )
    ]
)
class WorkflowOverviewBody(Body):
    id = serializers.CharField(help_text="The platform's id.")
    name = serializers.CharField()
    successes = serializers.IntegerField(help_text="Among `runs`.")
    failures = serializers.IntegerField(help_text="Among `runs`.")
    success_rate = serializers.FloatField(
        allow_null=True, help_text="From 0 to 1, of those that are over. null: none is."
    )
    watched = serializers.BooleanField(
        help_text="Whether Pushbridge looks for stuck steps by itself."
    )
    runs = RunRowBody(many=True, help_text=f"The last {LAST_RUNS}, the oldest first.")
    running = RunningStepBody(
        many=True, help_text="The steps that run now, those that have run longest first."
    )
    steps = StepBaselineBody(many=True, help_text="How long each step usually takes.")


class FollowedView(MemberView[M]):
    """Of a workflow, for those who follow it and for operators."""

    def workflow(self, external_id: str) -> Workflow:
        """Raises Problem: 404."""
        followed = access.readable(self.membership, self.person).filter(
            kind=Source.Kind.WORKFLOW, external_id=external_id
        )
        found = Workflow.objects.filter(pk__in=followed.values("pk")).first()
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "You follow no such workflow.")
        return found


class WorkflowOverviewView(FollowedView[Workflow]):
    """`/api/v1/<org>/workflows/<workflow>/overview/`"""

    tag = "Workflows"
    serializer_class = WorkflowOverviewBody

    @extend_schema(operation_id="workflows_overview")
    def get(self, request: Request, org: str, workflow: str) -> Response:
        """Get a workflow at a glance

        Its last runs and how many of them succeeded, how long each of its steps usually takes and
        when it is called stuck, and which of them run now. For the workflow's subscribers and for
        operators. Cheap to poll with the ETag of the last answer: nothing in it counts the seconds.
        """
        found = self.workflow(workflow)
        return Response(WorkflowOverviewBody(_overview(found, overviews.read(found))).data)


class RunsView(FollowedView[Run]):
    """`/api/v1/<org>/workflows/<workflow>/runs/`"""

    tag = "Workflows"
    serializer_class = RunRowBody

    @extend_schema(
        operation_id="runs_list",
        responses=RunRowBody(many=True),
        examples=[OpenApiExample("A run", value=FINISHED, response_only=True)],
    )
    def get(self, request: Request, org: str, workflow: str) -> Response:
        """List the runs of a workflow

        In the order in which Pushbridge heard of them, the newest first. For the workflow's
        subscribers and for operators.
        """
        runs: QuerySet[Run] = Run.objects.filter(workflow=self.workflow(workflow).pk)
        return self.page(runs)


def _overview(workflow: Workflow, seen: Overview) -> dict[str, Any]:
    return {
        "id": workflow.external_id,
        "name": workflow.name,
        "successes": seen.successes,
        "failures": seen.failures,
        "success_rate": seen.success_rate,
        "watched": workflow.watched,
        "runs": seen.runs,
        "running": seen.running,
        "steps": [
            {"name": name, "usual": usual(expected)}
            for name, expected in seen.expectations.steps.items()
        ],
    }
