"""What the caller has snoozed."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import snoozes
from channels_app.api.changes import one_change
from channels_app.api.documents import refusals
from channels_app.api.fields import Body
from channels_app.api.views import MemberView
from channels_app.models import Snooze, Source
from channels_app.problems import Fault, Problem
from channels_app.snoozes import LONGEST, MOST, TooMany

# What of a source can be snoozed alone.
PART = {Source.Kind.BOT.value: "conversation", Source.Kind.WORKFLOW.value: "run"}
LONGEST_MINUTES = int(LONGEST.total_seconds()) // 60


class IdField(serializers.CharField):
    """The platform's own id of a thing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=128, trim_whitespace=False, required=False, allow_null=True, **kwargs
        )


class SnoozedBody(Body):
    """Either `everything`, or a `bot`, or a `workflow`; of a bot perhaps one `conversation`, of a
    workflow perhaps one `run`."""

    everything = serializers.BooleanField(default=False)
    bot = IdField(default=None, help_text="The platform's id of it, as in `bots/`.")
    conversation = IdField(default=None, help_text="The platform's id of one of the bot's.")
    workflow = IdField(default=None, help_text="The platform's id of it, as in `workflows/`.")
    run = IdField(default=None, help_text="The platform's id of one of the workflow's.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        faults = {
            part: f"is one of a {whole}: name the `{whole}` too"
            for whole, part in (("bot", "conversation"), ("workflow", "run"))
            if attrs[part] is not None and attrs[whole] is None
        }
        if faults:
            raise serializers.ValidationError(faults)
        named = [attrs["everything"], attrs["bot"] is not None, attrs["workflow"] is not None]
        if named.count(True) != 1:
            raise serializers.ValidationError(
                "must be exactly one of `everything`, a `bot` and a `workflow`"
            )
        return attrs


class InstantField(serializers.DateTimeField):
    """A moment with its offset from UTC: without one it could be any of 26 hours."""

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            raise serializers.ValidationError("must have its offset from UTC: …Z, or …+02:00")
        return super().enforce_timezone(value)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Everything for an hour", value={"what": {"everything": True}, "minutes": 60}
        ),
        OpenApiExample(
            "A bot until tomorrow",
            value={"what": {"bot": "bot_support"}, "until": "2026-11-24T08:00:00Z"},
        ),
        OpenApiExample(
            "A conversation",
            value={"what": {"bot": "bot_support", "conversation": "conv_8812"}, "minutes": 15},
        ),
        OpenApiExample(
            "A run",
            value={"what": {"workflow": "wf_digest", "run": "run_20261124"}, "minutes": 240},
        ),
    ]
)
class SnoozeRequestBody(Body):
    what = SnoozedBody()
    minutes = serializers.IntegerField(
        required=False, min_value=1, max_value=LONGEST_MINUTES, help_text="From now on; or `until`."
    )
    until = InstantField(
        required=False, help_text="A moment, not more than a week from now; or `minutes`."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("minutes" in attrs) == ("until" in attrs):
            raise serializers.ValidationError("must have either `minutes` or `until`")
        return attrs

    def validate_until(self, until: datetime) -> datetime:
        now: datetime = self.context["now"]
        if not now < until <= now + LONGEST:
            raise serializers.ValidationError("must be later than now, by a week at most")
        return until

    def ends_at(self) -> datetime:
        """When the snooze of a valid body ends."""
        attrs = self.validated_data
        until: datetime = attrs.get("until") or (
            self.context["now"] + timedelta(minutes=attrs["minutes"])
        )
        return until


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A conversation",
            response_only=True,
            value={
                "id": 31,
                "what": {
                    "everything": False,
                    "bot": "bot_support",
                    "conversation": "conv_8812",
                    "workflow": None,
                    "run": None,
                },
                "name": "Support bot",
                "until": "2026-11-24T08:00:00Z",
                "created_at": "2026-11-23T17:12:04.101000Z",
            },
        )
    ]
)
class SnoozeBody(Body):
    id = serializers.IntegerField(source="pk", help_text="For DELETE.")
    what = serializers.SerializerMethodField()
    name = serializers.SerializerMethodField(help_text="Of the bot or workflow.")
    until = serializers.DateTimeField()
    created_at = serializers.DateTimeField(help_text="When it was first snoozed.")

    @extend_schema_field(SnoozedBody)
    def get_what(self, row: Snooze) -> dict[str, Any]:
        what = {"everything": row.source is None}
        ids = dict.fromkeys(("bot", "conversation", "workflow", "run"))
        if row.source is not None:
            ids |= {row.source.kind: row.source.external_id}
            ids |= {PART[row.source.kind]: row.subject or None}
        return what | ids

    def get_name(self, row: Snooze) -> str | None:
        return row.source.name if row.source is not None else None


class SnoozesView(MemberView[Snooze]):
    """`/api/v1/<org>/snoozes/`"""

    tag = "Snoozes"
    serializer_class = SnoozeBody

    @extend_schema(responses=SnoozeBody(many=True))
    def get(self, request: Request, org: str) -> Response:
        """What I have snoozed

        In this organization, as far as it is not over: the latest first.
        """
        return self.page(snoozes.active(membership=self.membership, now=timezone.now()))

    @extend_schema(
        request=SnoozeRequestBody,
        responses={
            200: OpenApiResponse(SnoozeBody, "It was snoozed; the end is this one now."),
            201: OpenApiResponse(SnoozeBody, "It is snoozed from now on."),
            **refusals({HTTPStatus.CONFLICT: f"There are {MOST} snoozes already."}),
        },
    )
    def put(self, request: Request, org: str) -> Response:
        """Snooze

        Everything, a bot, a workflow, one conversation or one run, in this organization alone. It
        is a quiet time that starts now: what comes is kept, and told in one banner at the end.
        Snoozing the same again moves the end, so a repeated request does no harm.

        A snooze of everything is quiet hours: channels that break through those break through it,
        as escalations do unless you say otherwise. A snooze of a bot, a workflow, a conversation or
        a run means all that comes of it.
        """
        now = timezone.now()
        body = SnoozeRequestBody(data=request.data, context={"now": now})
        body.is_valid(raise_exception=True)
        source, subject = self._what(body.validated_data["what"])
        with one_change(self.membership):
            try:
                found, created = snoozes.snooze(
                    membership=self.membership,
                    source=source,
                    subject=subject,
                    until=body.ends_at(),
                    now=now,
                )
            except TooMany:
                raise Problem(
                    HTTPStatus.CONFLICT, f"You have {MOST} snoozes already: end one first."
                ) from None
        return Response(SnoozeBody(found).data, HTTPStatus.CREATED if created else HTTPStatus.OK)

    def _what(self, what: dict[str, Any]) -> tuple[Source | None, str]:
        """The source, or None for everything; and the id of the part of it that is meant.

        Raises:
            Problem: 400, there is no such source in this organization.
        """
        if what["everything"]:
            return None, ""
        kind = Source.Kind.BOT if what["bot"] is not None else Source.Kind.WORKFLOW
        source = Source.objects.filter(
            organization=self.membership.organization_id, kind=kind, external_id=what[kind]
        ).first()
        if source is None:
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                "This body cannot be used.",
                faults=[Fault(f"/what/{kind}", f"is no {kind} of this organization")],
            )
        return source, what[PART[kind]] or ""


class SnoozeView(MemberView[Snooze]):
    """`/api/v1/<org>/snoozes/<id>/`"""

    tag = "Snoozes"
    serializer_class = SnoozeBody

    @extend_schema(responses={204: None})
    def delete(self, request: Request, org: str, snooze: int) -> Response:
        """End a snooze

        Before its time: what it kept is judged again at once. 404: it is over already.
        """
        with one_change(self.membership):
            ended = snoozes.end(membership=self.membership, snooze_id=snooze, now=timezone.now())
        if not ended:
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such snooze, or it is over.")
        return Response(status=HTTPStatus.NO_CONTENT)
