"""Bots and workflows of an organization, each with what it is to the caller."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import preferences, subscriptions
from channels_app.api.choices import SOURCE_LEVELS, LevelField
from channels_app.api.effective import EventTypeBody, Teller
from channels_app.api.fields import Body
from channels_app.api.pagination import Pages
from channels_app.api.views import MemberView
from channels_app.models import Source
from channels_app.problems import ParameterFault, Problem

MAXIMUM_QUERY = 200


class ByName(Pages):
    fields = ("name", "pk")
    descending = False


class WorkflowBody(Body):
    id = serializers.CharField(source="external_id", help_text="The platform's id.")
    name = serializers.CharField()
    subscribed = serializers.BooleanField(help_text="Whether you hear of it.")
    level = LevelField(
        SOURCE_LEVELS,
        allow_null=True,
        help_text="Yours for all of it: `quiet` is a cap, `loud` raises what is quiet, `off` is"
        " off. null: as each event is.",
    )
    snoozed_until = serializers.DateTimeField(
        allow_null=True, help_text="If you snoozed it: not by a snooze of everything."
    )


class BotBody(WorkflowBody):
    can_respond = serializers.BooleanField(
        help_text="Whether you may answer its customers: you hear of no escalation else."
    )


SUPPORT = {
    "id": "bot_support",
    "name": "Support bot",
    "subscribed": True,
    "level": "quiet",
    "snoozed_until": None,
    "can_respond": True,
}
DIGEST = {
    "id": "wf_digest",
    "name": "Daily KPI digest",
    "subscribed": True,
    "level": None,
    "snoozed_until": "2026-11-24T08:00:00Z",
}
STUCK = {
    "event_type": "workflow.step_stuck",
    "channel": "workflow",
    "name": "Stuck",
    "levels": ["off", "quiet", "loud"],
    "level": None,
    "effective": {
        "level": "loud",
        "decided_by": "catalogue",
        "reason": "The default of this type.",
        "advice": "Operators may set another for everybody, members one for themselves.",
        "address": "/api/v1/acme/preferences/types/workflow.step_stuck/",
    },
    "on_failure": None,
}


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A bot",
            response_only=True,
            value={
                **SUPPORT,
                "unanswered_threshold": 3,
                "tone_minimum": 0.6,
                "event_types": [
                    {
                        "event_type": "bot.tool_linked",
                        "channel": "auto_update",
                        "name": "Tool linked",
                        "levels": ["off", "quiet", "loud"],
                        "level": None,
                        "effective": {
                            "level": "quiet",
                            "decided_by": "subscription",
                            "reason": "The personal setting for all of Support bot.",
                            "advice": "Members change it in the app, operators on the member's"
                            " page.",
                            "address": "/api/v1/acme/bots/bot_support/subscription/",
                        },
                        "on_failure": None,
                    }
                ],
            },
        )
    ]
)
class BotDetailBody(BotBody):
    unanswered_threshold = serializers.IntegerField(
        source="bot.unanswered_threshold",
        help_text="It escalates when it could not answer this many times in a row.",
    )
    tone_minimum = serializers.FloatField(
        source="bot.tone_minimum",
        help_text="It escalates a customer's tone from this score (0 to 1) on.",
    )
    event_types = EventTypeBody(
        many=True, help_text="What it may send, and what would come of it if you subscribe."
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample("A workflow", response_only=True, value={**DIGEST, "event_types": [STUCK]})
    ]
)
class WorkflowDetailBody(WorkflowBody):
    event_types = EventTypeBody(
        many=True, help_text="What it may send, and what would come of it if you subscribe."
    )


class SourceView(MemberView[Source]):
    """Bots, or workflows."""

    kind: ClassVar[Source.Kind]

    def sources(self) -> QuerySet[Any]:
        rows = subscriptions.sources(membership=self.membership, now=timezone.now())
        return rows.filter(kind=self.kind)

    def source(self, external_id: str) -> Any:
        """Raises Problem: 404."""
        # The bot's thresholds are in a table of their own.
        related = ["bot"] if self.kind is Source.Kind.BOT else []
        source = self.sources().select_related(*related).filter(external_id=external_id).first()
        if source is None:
            raise Problem(HTTPStatus.NOT_FOUND, f"There is no such {self.kind.value} here.")
        return source


class SourceListView(SourceView):
    pagination_class = ByName

    def listed(self, request: Request) -> Response:
        rows = self.sources()
        if wanted := _text(request, "q"):
            rows = rows.filter(name__icontains=wanted)
        if (subscribed := _flag(request, "subscribed")) is not None:
            rows = rows.filter(subscribed=subscribed)
        return self.page(rows)


class SourceDetailView(SourceView):
    def told(self, external_id: str) -> Response:
        source = self.source(external_id)
        teller = Teller(self.membership, preferences.load(self.membership))
        source.event_types = teller.all_of_source(source)
        return Response(self.get_serializer(source).data)


PARAMETERS = [
    OpenApiParameter(
        "q",
        {"type": "string", "maxLength": MAXIMUM_QUERY},
        description="Only those with this in their name, in upper or lower case.",
    ),
    OpenApiParameter("subscribed", bool, description="Only those you (do not) subscribe to."),
]


class BotsView(SourceListView):
    """`/api/v1/<org>/bots/`"""

    kind = Source.Kind.BOT
    tag = "Bots"
    serializer_class = BotBody

    @extend_schema(
        parameters=PARAMETERS,
        responses=BotBody(many=True),
        examples=[OpenApiExample("A bot", value=SUPPORT, response_only=True)],
    )
    def get(self, request: Request, org: str) -> Response:
        """Bots

        All of the organization, by name. A bot is there once the platform has sent an event of it.
        """
        return self.listed(request)


class WorkflowsView(SourceListView):
    """`/api/v1/<org>/workflows/`"""

    kind = Source.Kind.WORKFLOW
    tag = "Workflows"
    serializer_class = WorkflowBody

    @extend_schema(
        parameters=PARAMETERS,
        responses=WorkflowBody(many=True),
        examples=[OpenApiExample("A workflow", value=DIGEST, response_only=True)],
    )
    def get(self, request: Request, org: str) -> Response:
        """Workflows

        All of the organization, by name. A workflow is there once the platform has sent an event
        of it.
        """
        return self.listed(request)


class BotView(SourceDetailView):
    """`/api/v1/<org>/bots/<id>/`"""

    kind = Source.Kind.BOT
    tag = "Bots"
    serializer_class = BotDetailBody

    def get(self, request: Request, org: str, bot: str) -> Response:
        """One bot

        With each type of event that it may send: how loudly it comes to you if you subscribe, and
        which setting makes it so.
        """
        return self.told(bot)


class WorkflowView(SourceDetailView):
    """`/api/v1/<org>/workflows/<id>/`"""

    kind = Source.Kind.WORKFLOW
    tag = "Workflows"
    serializer_class = WorkflowDetailBody

    def get(self, request: Request, org: str, workflow: str) -> Response:
        """One workflow

        With each type of event that it may send (its sub-channels): how loudly it comes to you if
        you subscribe, and which setting makes it so.
        """
        return self.told(workflow)


def _text(request: Request, parameter: str) -> str:
    text = request.query_params.get(parameter, "")
    if "\0" in text:
        raise _refusal(parameter, "must not contain NUL")
    if len(text) > MAXIMUM_QUERY:
        raise _refusal(parameter, f"must have {MAXIMUM_QUERY} characters at most")
    return text


def _flag(request: Request, parameter: str) -> bool | None:
    text = request.query_params.get(parameter)
    if text not in (None, "true", "false"):
        raise _refusal(parameter, "must be true or false")
    return None if text is None else text == "true"


def _refusal(parameter: str, detail: str) -> Problem:
    return Problem(
        HTTPStatus.BAD_REQUEST,
        f"The parameter {parameter!r} cannot be used.",
        faults=[ParameterFault(parameter, detail)],
    )
