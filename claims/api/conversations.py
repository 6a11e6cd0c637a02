"""The screen that a tap on an escalation opens: the conversation, and all that happened to it."""

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
from channels_app.capabilities import Capability
from channels_app.event_types import CATALOGUE, Subject
from channels_app.history import MOST_SHOWN
from channels_app.models import Bot, Event, User
from channels_app.plain_text import cut
from channels_app.problems import Problem
from claims.models import Conversation

TYPES = [row.name for row in CATALOGUE.values() if row.subject is Subject.CONVERSATION]
# Of one message. Longer ones are no reading for a phone, and 200 of them no answer to a request.
MESSAGE_BYTES = 16_384


class PartyBody(Body):
    id = serializers.CharField(help_text="The platform's id.")
    name = serializers.CharField(help_text="Empty where the platform gave none.")


class ConversationEventBody(Body):
    event_id = serializers.IntegerField()
    type = serializers.ChoiceField(choices=[(name, name) for name in TYPES])
    occurred_at = serializers.DateTimeField(help_text="By the platform's clock. Oldest first.")
    actor = PartyBody(allow_null=True, help_text="The agent who did it, where the platform says.")
    message = serializers.CharField(
        allow_null=True, help_text="The customer's words. Beyond 16 KiB they are cut."
    )
    tone = serializers.CharField(
        allow_null=True, help_text="`frustration`, `anger` or `repeated_dissatisfaction`."
    )
    score = serializers.FloatField(allow_null=True, help_text="Of the tone, 0 to 1.")
    consecutive_unanswered = serializers.IntegerField(
        allow_null=True, help_text="How often in a row the bot had no answer."
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A customer who waits",
            response_only=True,
            value={
                "id": "conv_1001",
                "bot": {"id": "bot_x", "name": "Bot X"},
                "customer": {"id": "cust_1", "name": "Jane Doe"},
                "state": "waiting",
                "epoch": 1,
                "changed_at": "2026-11-23T09:15:00Z",
                "capabilities": ["respond"],
                "events": [
                    {
                        "event_id": 48213,
                        "type": "conversation.human_requested",
                        "occurred_at": "2026-11-23T09:15:00Z",
                        "actor": None,
                        "message": "I want to talk to a human about my refund.",
                        "tone": None,
                        "score": None,
                        "consecutive_unanswered": None,
                    }
                ],
                "earlier": False,
            },
        )
    ]
)
class ConversationBody(Body):
    id = serializers.CharField(help_text="The platform's id.")
    bot = PartyBody()
    customer = PartyBody(allow_null=True)
    state = serializers.ChoiceField(choices=Conversation.State.choices)
    epoch = serializers.IntegerField(
        help_text="The round of escalation. A banner of an earlier round cannot claim this one."
    )
    changed_at = serializers.DateTimeField(help_text="By the platform's clock.")
    capabilities = serializers.ListField(
        child=serializers.ChoiceField(choices=[(one.value, one.value) for one in Capability]),
        help_text="What you may do here, as in `/api/v1/me/`.",
    )
    events = ConversationEventBody(
        many=True, help_text=f"What happened to it, oldest first: the last {MOST_SHOWN}."
    )
    earlier = serializers.BooleanField(help_text="There were earlier events than these.")


class ConversationView(MemberView[Conversation]):
    """`/api/v1/<org>/conversations/<conversation>/`"""

    tag = "Conversations"
    serializer_class = ConversationBody

    @extend_schema(operation_id="conversations_get")
    def get(self, request: Request, org: str, conversation: str) -> Response:
        """Get a conversation

        What a tap on an escalation opens: the customer, who has the conversation now, what the
        customer wrote, and all that happened. For members who may answer the customers of its bot;
        for everyone else there is no such conversation.
        """
        found = (
            Conversation.objects.select_related("bot")
            .filter(
                organization=self.membership.organization_id,
                external_id=conversation,
                bot__in=Bot.objects.filter(access.responder(self.person.pk)),
            )
            .first()
        )
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such conversation that is yours.")
        return Response(ConversationBody(_conversation(found, self.person)).data)


def _conversation(row: Conversation, person: User) -> dict[str, Any]:
    happened = history.read(source_id=row.bot_id, subject=row.external_id)
    known = row.customer_id or row.customer_name
    return {
        "id": row.external_id,
        "bot": {"id": row.bot.external_id, "name": row.bot.name},
        "customer": {"id": row.customer_id, "name": row.customer_name} if known else None,
        "state": row.state,
        "epoch": row.epoch,
        "changed_at": row.changed_at,
        "capabilities": [Capability.RESPOND, *([Capability.OPERATE] if person.is_staff else [])],
        "events": [_event(event) for event in happened.events],
        "earlier": happened.earlier,
    }


def _event(event: Event) -> dict[str, Any]:
    data: Mapping[str, Any] = event.payload["data"]
    actor = data.get("agent") or data.get("actor")
    message = data.get("message")
    return {
        "event_id": event.pk,
        "type": event.type,
        "occurred_at": event.occurred_at,
        "actor": {"id": actor["id"], "name": actor.get("name", "")} if actor else None,
        "message": cut(message, MESSAGE_BYTES) if message else None,
        "tone": data.get("tone"),
        "score": data.get("score"),
        "consecutive_unanswered": data.get("consecutive_unanswered"),
    }
