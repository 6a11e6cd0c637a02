"""Why I was told of an event, or was not; and what if."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import NoReturn

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

from channels_app import why
from channels_app.api.answers import AnswerBody
from channels_app.api.documents import EVENT_ID, MOST_DIGITS
from channels_app.api.fields import Body
from channels_app.api.views import MemberView
from channels_app.models import Event, Membership, Source
from channels_app.problems import Fault, ParameterFault, Problem
from channels_app.why import Answer, NotImaginable

NOBODY = "names no member of this organization"


class WhyView(MemberView[Membership]):
    """What both have in common: about whom an answer is, and how much of it the caller gets."""

    tag = "Why"

    @property
    def _operates(self) -> bool:
        """Whether the caller may see of others what the admin shows of them."""
        return self.person.is_staff and self.person.has_perm("chatbot.view_notification")

    def _member(self, username: str | None) -> Membership | None:
        """Whom the answer is about; None: there is nobody of this name.

        Raises:
            Problem: 403, they may ask for themselves only.
        """
        if username in (None, self.person.username):
            self.membership.user = self.person
            return self.membership
        if not self._operates:
            raise Problem(HTTPStatus.FORBIDDEN, "Only operators may ask about other members.")
        return (
            Membership.objects.select_related("user", "organization")
            .filter(organization=self.membership.organization_id, user__username=username)
            .first()
        )

    def _told(self, answer: Answer) -> Response:
        if not answer.imagined:
            answer = replace(answer, data=None)
        if not self._operates:
            answer = _without_admin(answer)
        return Response(AnswerBody(answer).data)


def _without_admin(answer: Answer) -> Answer:
    """Its pages are of no use to who cannot sign in there."""
    return replace(
        answer,
        place=replace(answer.place, admin=None) if answer.place else None,
        now=_without_admin(answer.now) if answer.now else None,
    )


class ExplanationView(WhyView):
    """`/api/v1/<org>/why/`"""

    serializer_class = AnswerBody

    @extend_schema(
        operation_id="why_get",
        parameters=[
            OpenApiParameter(
                "event",
                EVENT_ID,
                required=True,
                description="Its number: the `event_id` of a push, or of the inbox.",
            ),
            OpenApiParameter(
                "user", description="Another member's username; operators only. Else: you."
            ),
        ],
    )
    def get(self, request: Request, org: str) -> Response:
        """Why was I told, or not

        One sentence; the setting that decided, and where it can be changed; the questions that were
        asked before; and what became of it on each device. What was recorded is told. `now` says
        what would be decided now, where that is something else.
        """
        asked = request.query_params
        membership = self._member(asked.get("user"))
        if membership is None:
            _refuse(ParameterFault("user", NOBODY))
        number = asked.get("event", "")
        if not (number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS):
            _refuse(ParameterFault("event", "must be the number of an event"))
        event = self.membership.organization.events.filter(pk=int(number)).first()
        if event is None:
            raise Problem(HTTPStatus.NOT_FOUND, "This organization has no such event.")
        return self._told(self._explained(event, membership))

    def _explained(self, event: Event, membership: Membership) -> Answer:
        return why.explain(
            event_id=event.pk,
            user=membership.user,
            now=timezone.now(),
            oneself=membership.user_id == self.person.pk,
        )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "At night",
            request_only=True,
            value={
                "type": "bot.tool_linked",
                "source": "bot_x",
                "at": "2026-11-24T03:00:00+01:00",
            },
        ),
        OpenApiExample(
            "A run that failed",
            request_only=True,
            value={
                "type": "workflow.run_finished",
                "source": "wf_kpi",
                "data": {"status": "failure"},
            },
        ),
    ]
)
class RehearsalBody(Body):
    type = serializers.ChoiceField(list(why.TOLD))
    source = serializers.CharField(  # type: ignore[assignment]  # REST framework takes it away
        max_length=128, help_text="The platform's id of the bot, or of the workflow."
    )
    at = serializers.DateTimeField(required=False, help_text="Within a year. Else: now.")
    data = serializers.DictField(  # type: ignore[assignment]  # REST framework takes it away
        required=False, help_text="As the event's; what is left out is as usual."
    )
    user = serializers.CharField(
        max_length=150,
        required=False,
        help_text="Another member's username; operators only. Else: you.",
    )


class RehearsalView(WhyView):
    """`/api/v1/<org>/why/rehearsal/`"""

    serializer_class = RehearsalBody

    @extend_schema(operation_id="why_rehearse", responses=AnswerBody)
    def post(self, request: Request, org: str) -> Response:
        """What if

        Whether you would be told of an imagined event at some moment, by the settings as they are
        now: what a settings page can show before anything has happened. Nothing is written, and
        nobody is told.
        """
        body = RehearsalBody(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        membership = self._member(wanted.get("user"))
        if membership is None:
            _refuse_body(Fault("/user", NOBODY))
        now = timezone.now()
        try:
            answer = why.rehearse(
                membership=membership,
                source=self._source(wanted["type"], wanted["source"]),
                type=wanted["type"],
                at=wanted.get("at", now),
                now=now,
                data=wanted.get("data"),
                oneself=membership.user_id == self.person.pk,
            )
        except NotImaginable as error:
            _refuse_body(*error.faults)
        return self._told(answer)

    def _source(self, type: str, external_id: str) -> Source:
        kind = why.kind_of_source(type)
        source = self.membership.organization.sources.filter(
            kind=kind, external_id=external_id
        ).first()
        if source is None:
            _refuse_body(Fault("/source", f"is not the id of a {kind.value} of this organization"))
        return source


def _refuse(fault: ParameterFault) -> NoReturn:
    raise Problem(
        HTTPStatus.BAD_REQUEST,
        f"The parameter {fault.parameter!r} cannot be used.",
        faults=[fault],
    )


def _refuse_body(*faults: Fault) -> NoReturn:
    raise Problem(HTTPStatus.BAD_REQUEST, "This body cannot be used.", faults=faults)
