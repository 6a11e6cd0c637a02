"""My inbox in an organization: what I was told, or would have been."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, NoReturn

from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import inbox, links
from channels_app.api.documents import EVENT_ID, MOST_DIGITS
from channels_app.api.fields import Body
from channels_app.api.pagination import Pages
from channels_app.api.views import MemberView
from channels_app.event_types import Channel
from channels_app.levels import Level
from channels_app.models import Notification
from channels_app.problems import ParameterFault, Problem
from channels_app.routing import Outcome

CHANNELS = [channel.value for channel in Channel if channel is not Channel.NOTICE]


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "An escalation, unread",
            response_only=True,
            value={
                "id": 90071,
                "event_id": 48213,
                "type": "conversation.human_requested",
                "channel": "escalation",
                "level": "critical",
                "title": "🆘 Customer escalation: Bot X",
                "body": '"I want to talk to a human about my refund."\nTap to claim and respond.',
                "link": "https://chat.example.com/o/acme/conversations/conv_1001",
                "bot_id": "bot_x",
                "conversation_id": "conv_1001",
                "workflow_id": None,
                "run_id": None,
                "occurred_at": "2026-11-23T09:15:00Z",
                "created_at": "2026-11-23T09:15:00.214000Z",
                "outcome": "pushed",
                "held_until": None,
                "read_at": None,
                "digest": None,
            },
        ),
        OpenApiExample(
            "Held for the morning",
            response_only=True,
            value={
                "id": 90072,
                "event_id": 48214,
                "type": "bot.knowledge_added",
                "channel": "auto_update",
                "level": "quiet",
                "title": "🤖 Bot X auto-updated",
                "body": '12 KB chunks added from "supplier-spec-2026.pdf".\nTap to review.',
                "link": "https://chat.example.com/o/acme/bots/bot_x/audit-log",
                "bot_id": "bot_x",
                "conversation_id": None,
                "workflow_id": None,
                "run_id": None,
                "occurred_at": "2026-11-23T23:02:11Z",
                "created_at": "2026-11-23T23:02:11.460000Z",
                "outcome": "held",
                "held_until": "2026-11-24T06:00:00Z",
                "read_at": None,
                "digest": None,
            },
        ),
    ]
)
class NotificationBody(Body):
    id = serializers.IntegerField(help_text="As `notification_id` in the data of a push.")
    event_id = serializers.IntegerField()
    type = serializers.CharField(help_text="The event's, such as `bot.retrained`.")
    channel = serializers.ChoiceField(choices=[(one.value, one.value) for one in Channel])
    level = serializers.ChoiceField(choices=[(one.value, one.value) for one in Level])
    title = serializers.CharField()
    body = serializers.CharField(help_text="The whole text, however little of it was pushed.")
    link = serializers.CharField(help_text="What a tap opens: see `/api/v1/links/`.")
    bot_id = serializers.CharField(allow_null=True)
    conversation_id = serializers.CharField(allow_null=True)
    workflow_id = serializers.CharField(allow_null=True)
    run_id = serializers.CharField(allow_null=True)
    occurred_at = serializers.DateTimeField(help_text="By the platform's clock.")
    created_at = serializers.DateTimeField(help_text="The list is in this order, newest first.")
    outcome = serializers.ChoiceField(
        choices=[(one.value, one.value) for one in Outcome],
        help_text="What became of it. `held`, `snoozed` and `collapsed` wait for `held_until`;"
        " what is `moot`, `resolved` or the like came to nothing while it waited.",
    )
    held_until = serializers.DateTimeField(
        allow_null=True, help_text="When it is judged again; null unless it waits."
    )
    read_at = serializers.DateTimeField(allow_null=True)
    digest = serializers.IntegerField(
        allow_null=True, help_text="The event id of the digest that told of it, with others."
    )


class ByTime(Pages):
    fields = ("created_at", "pk")


class InboxView(MemberView[Notification]):
    """`/api/v1/<org>/inbox/`"""

    tag = "Inbox"
    serializer_class = NotificationBody
    pagination_class = ByTime

    @extend_schema(
        operation_id="inbox_list",
        responses=NotificationBody(many=True),
        parameters=[
            OpenApiParameter("unread", OpenApiTypes.BOOL, description="Only these; or only read."),
            OpenApiParameter("channel", enum=CHANNELS, description="Only of this channel."),
            OpenApiParameter(
                "digest",
                EVENT_ID,
                description="Only what a digest told of: the `event_id` in the digest's push.",
            ),
        ],
    )
    def get(self, request: Request, org: str) -> Response:
        """List my notifications

        All that you were told, and all that you would have been told: what was held, snoozed or
        collected, and what found no device. Newest first, with the whole text in the language that
        it was written in for you, whatever of it the privacy setting let through to the phone.
        """
        rows = inbox.with_origin(inbox.listed(self.membership.pk).filter(_wanted(request)))
        slug = self.membership.organization.slug
        page = [_entry(row, slug) for row in self.paginate_queryset(rows) or ()]
        return self.get_paginated_response(NotificationBody(page, many=True).data)


class NotificationView(MemberView[Notification]):
    """`/api/v1/<org>/inbox/<id>/`"""

    tag = "Inbox"
    serializer_class = NotificationBody

    @extend_schema(operation_id="inbox_get")
    def get(self, request: Request, org: str, notification: int) -> Response:
        """Get one notification

        By the `notification_id` of a push: its whole text, where the privacy setting let only the
        title or the ids through. Digests and test pushes, which the list leaves out, are here too.
        """
        row = inbox.with_origin(inbox.shown(self.membership.pk)).filter(pk=notification).first()
        if row is None:
            refuse()
        return Response(NotificationBody(_entry(row, self.membership.organization.slug)).data)


def _entry(row: Notification, organization: str) -> dict[str, Any]:
    about = inbox.about(row)
    ids = links.ids(about)
    return {
        "id": row.pk,
        "event_id": row.event_id,
        "type": row.event.type,
        "channel": about.row.channel,
        "level": row.level,
        "title": row.title,
        "body": row.body,
        "link": inbox.link(row, organization=organization),
        **{name: ids.get(name) for name in ("bot_id", "conversation_id", "workflow_id", "run_id")},
        "occurred_at": row.event.occurred_at,
        "created_at": row.created_at,
        "outcome": row.outcome,
        "held_until": inbox.waits_until(row),
        "read_at": row.read_at,
        "digest": row.digest_id,
    }


def _wanted(request: Request) -> Q:
    """What the parameters ask for.

    Raises:
        Problem: 400, which names the parameter.
    """
    wanted = Q()
    asked = request.query_params
    if (flag := asked.get("unread")) is not None:
        if flag not in ("true", "false"):
            _refuse_parameter("unread", "must be true or false")
        wanted &= Q(read_at__isnull=flag == "true")
    if (channel := asked.get("channel")) is not None:
        if channel not in CHANNELS:
            _refuse_parameter("channel", f"must be one of {', '.join(CHANNELS)}")
        wanted &= inbox.of_channel(Channel(channel))
    if (digest := asked.get("digest")) is not None:
        if not (digest.isascii() and digest.isdigit() and len(digest) <= MOST_DIGITS):
            _refuse_parameter("digest", "must be the id of an event")
        wanted &= Q(digest=int(digest))
    return wanted


def _refuse_parameter(name: str, detail: str) -> NoReturn:
    raise Problem(
        HTTPStatus.BAD_REQUEST,
        f"The parameter {name!r} cannot be used.",
        faults=[ParameterFault(name, detail)],
    )


def refuse() -> NoReturn:
    """Raises Problem: 404."""
    raise Problem(HTTPStatus.NOT_FOUND, "There is no such notification in your inbox.")
