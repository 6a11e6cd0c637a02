"""A bot's audit log: what it changed of itself."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import translation
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import access, banners
from channels_app.api.fields import Body
from channels_app.api.pagination import Pages
from channels_app.api.views import MemberView
from channels_app.event_types import CATALOGUE, Subject
from channels_app.models import Event, Notification, Source
from channels_app.problems import Problem
from channels_app.routing import Outcome

TYPES = [row.name for row in CATALOGUE.values() if row.subject is Subject.BOT]


class ActorBody(Body):
    id = serializers.CharField(help_text="The platform's id of the person.")
    name = serializers.CharField(help_text="Empty where the platform gave none.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Knowledge added",
            response_only=True,
            value={
                "id": 48214,
                "type": "bot.knowledge_added",
                "title": "🤖 Bot X auto-updated",
                "text": '12 KB chunks added from "supplier-spec-2026.pdf".',
                "actor": {"id": "person_17", "name": "Bob"},
                "data": {
                    "bot": {"id": "bot_x", "name": "Bot X"},
                    "actor": {"id": "person_17", "name": "Bob"},
                    "chunks": 12,
                    "document": "supplier-spec-2026.pdf",
                    "import_job": "job_88",
                },
                "occurred_at": "2026-11-23T23:02:11Z",
                "received_at": "2026-11-23T23:02:11.402000Z",
                "told": 4,
            },
        )
    ]
)
class AuditLogEntryBody(Body):
    id = serializers.IntegerField(help_text="As `event_id` in the data of a push.")
    type = serializers.ChoiceField(choices=[(name, name) for name in TYPES])
    title = serializers.CharField(help_text="The banner's, in your language.")
    text = serializers.CharField(help_text="What changed, in your language.")
    actor = ActorBody(allow_null=True, help_text="Who did it; null: the bot by itself.")
    data = serializers.DictField(  # type: ignore[assignment]  # no attribute: REST framework takes it
        help_text="As received. Fields that Pushbridge does not know are kept."
    )
    occurred_at = serializers.DateTimeField(help_text="By the platform's clock. Newest first.")
    received_at = serializers.DateTimeField()
    told = serializers.IntegerField(help_text="How many people got a push of it, or a digest.")


class ByOccurrence(Pages):
    fields = ("occurred_at", "pk")


class AuditLogView(MemberView[Event]):
    """`/api/v1/<org>/bots/<bot>/audit-log/`"""

    tag = "Bots"
    serializer_class = AuditLogEntryBody
    pagination_class = ByOccurrence

    @extend_schema(operation_id="bots_audit_log", responses=AuditLogEntryBody(many=True))
    def get(self, request: Request, org: str, bot: str) -> Response:
        """Read a bot's audit log

        What a tap on an auto-update opens: all that the bot changed of itself, newest first. It is
        there for the bot's subscribers, for those who may answer its customers, and for operators;
        for everyone else there is no such bot.
        """
        own = access.readable(self.membership, self.person).filter(
            kind=Source.Kind.BOT, external_id=bot
        )
        source_id = own.values_list("pk", flat=True).first()
        if source_id is None:
            raise Problem(HTTPStatus.NOT_FOUND, "You follow no such bot.")
        language = translation.get_language()
        page = [_entry(row, language) for row in self.paginate_queryset(_changes(source_id)) or ()]
        return self.get_paginated_response(AuditLogEntryBody(page, many=True).data)


def _changes(source_id: int) -> QuerySet[Any]:
    told = (
        Notification.objects.filter(event=OuterRef("pk"), outcome=Outcome.PUSHED)
        .order_by()
        .values("event")
        .annotate(people=Count("pk"))
        .values("people")
    )
    return (
        Event.objects.filter(source=source_id, subject="", type__in=TYPES)
        .defer("facts")
        .annotate(told=Coalesce(Subquery(told), 0))
    )


def _entry(event: Any, language: str) -> dict[str, Any]:
    data = event.payload["data"]
    banner = banners.render(type=event.type, data=data, facts={}, locale=language)
    # The page's format of such a banner: which bot, what changed, and last what a tap does.
    changed, _, _ = banner.body.rpartition("\n")
    actor = data.get("actor")
    return {
        "id": event.pk,
        "type": event.type,
        "title": banner.title,
        "text": changed or banner.body,
        "actor": {"id": actor["id"], "name": actor.get("name", "")} if actor else None,
        "data": data,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "told": event.told,
    }
