"""Subscribing to a bot or a workflow."""

from __future__ import annotations

from http import HTTPStatus

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import subscriptions
from channels_app.api import etags
from channels_app.api.changes import one_change
from channels_app.api.choices import SOURCE_LEVELS, LevelField
from channels_app.api.fields import Body
from channels_app.api.sources import SourceView
from channels_app.models import Source
from channels_app.problems import Problem


@extend_schema_serializer(
    examples=[
        OpenApiExample("As each event is", value={"level": None}),
        OpenApiExample("Never louder than quiet", value={"level": "quiet"}),
    ]
)
class SubscriptionBody(Body):
    level = LevelField(
        SOURCE_LEVELS,
        allow_null=True,
        default=None,
        help_text="For all of it: `quiet`, nothing of it is louder; `loud`, what would be quiet is"
        " loud; `off`, nothing of it comes. null: as each event is.",
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "No escalations will come",
            response_only=True,
            value={"level": None, "can_respond": False},
        ),
    ]
)
class BotSubscriptionBody(SubscriptionBody):
    can_respond = serializers.BooleanField(
        read_only=True,
        help_text="Whether you may answer its customers. If not, its updates will come, and no"
        " escalation: an operator would have to give you `chatbot.respond` on it.",
    )


def _answers(body: type[SubscriptionBody]) -> dict[int, OpenApiResponse]:
    return {
        200: OpenApiResponse(body, "You did subscribe to it; the level is this one now."),
        201: OpenApiResponse(body, "You subscribe to it from now on."),
    }


class SubscriptionView(SourceView):
    """The caller's subscription to one bot or workflow."""

    def found(self, external_id: str) -> Response:
        source = self.source(external_id)
        if not source.subscribed:
            raise Problem(HTTPStatus.NOT_FOUND, f"You do not subscribe to this {self.kind.value}.")
        return Response(self.get_serializer(source).data)

    def subscribe(self, request: Request, external_id: str) -> Response:
        source = self.source(external_id)
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        with one_change(self.membership):
            self._check_unchanged(request, external_id)
            created = subscriptions.subscribe(
                membership=self.membership, source=source, level=body.validated_data["level"]
            )
        return Response(
            self.get_serializer(self.source(external_id)).data,
            HTTPStatus.CREATED if created else HTTPStatus.OK,
        )

    def unsubscribe(self, request: Request, external_id: str) -> Response:
        source = self.source(external_id)
        with one_change(self.membership):
            self._check_unchanged(request, external_id)
            subscriptions.unsubscribe(membership=self.membership, source=source)
        return Response(status=HTTPStatus.NO_CONTENT)

    def _check_unchanged(self, request: Request, external_id: str) -> None:
        source = self.source(external_id)
        seen = self.get_serializer(source).data if source.subscribed else None
        etags.check_unchanged(request, seen)


class BotSubscriptionView(SubscriptionView):
    """`/api/v1/<org>/bots/<id>/subscription/`"""

    kind = Source.Kind.BOT
    tag = "Bots"
    serializer_class = BotSubscriptionBody

    def get(self, request: Request, org: str, bot: str) -> Response:
        """My subscription to a bot

        404: you do not subscribe to it.
        """
        return self.found(bot)

    @extend_schema(request=SubscriptionBody, responses=_answers(BotSubscriptionBody))
    def put(self, request: Request, org: str, bot: str) -> Response:
        """Subscribe to a bot

        Or change the level of all of it. Anybody may; but its escalations come only to those who
        may answer its customers (`can_respond`).
        """
        return self.subscribe(request, bot)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, org: str, bot: str) -> Response:
        """Unsubscribe from a bot

        Right too where there is no subscription. What you set for its types is kept, for a return.
        """
        return self.unsubscribe(request, bot)


class WorkflowSubscriptionView(SubscriptionView):
    """`/api/v1/<org>/workflows/<id>/subscription/`"""

    kind = Source.Kind.WORKFLOW
    tag = "Workflows"
    serializer_class = SubscriptionBody

    def get(self, request: Request, org: str, workflow: str) -> Response:
        """My subscription to a workflow

        404: you do not subscribe to it.
        """
        return self.found(workflow)

    @extend_schema(responses=_answers(SubscriptionBody))
    def put(self, request: Request, org: str, workflow: str) -> Response:
        """Subscribe to a workflow

        Or change the level of all of it.
        """
        return self.subscribe(request, workflow)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, org: str, workflow: str) -> Response:
        """Unsubscribe from a workflow

        Right too where there is no subscription. What you set for its types is kept, for a return.
        """
        return self.unsubscribe(request, workflow)
