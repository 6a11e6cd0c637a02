"""The screen that a tap on an escalation opens: the conversation, and all that happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import history
from channels_app.api.fields import Body
from channels_app.capabilities import Capability
from channels_app.event_types import CATALOGUE, EVENT_TYPES, Subject
from channels_app.history import MOST_SHOWN
from channels_app.models import Event
from channels_app.plain_text import cut
from claims.api.parties import PartyBody, customer
from claims.api.standing import ConversationBaseView, ConversationStandingBody, standing
from claims.ladder import Audience
from claims.models import Conversation

TYPES = [row.name for row in EVENT_TYPES.values() if row.subject is Subject.CONVERSATION]
# What tells us again what is there already: a wave has the customer's words of the call.
REPEATING = [name for name in TYPES if name not in CATALOGUE and name != "conversation.reply"]
# Of one message. Longer ones are no reading for a phone, and 200 of them no answer to a request.
MESSAGE_BYTES = 16_384


class WaveBody(Body):
    number = serializers.IntegerField(help_text="Of the round; the call itself is 1.")
    audience = serializers.ChoiceField(choices=[(one.value, one.value) for one in Audience])
    role = serializers.CharField(allow_null=True, help_text="Of `role`: its name.")


class ConversationEventBody(Body):
    event_id = serializers.IntegerField()
    type = serializers.ChoiceField(choices=[(name, name) for name in TYPES])
    occurred_at = serializers.DateTimeField(
        help_text="By the platform's clock, where it reported it. Oldest first."
    )
    reported = serializers.BooleanField(
        help_text="By the platform. Otherwise it happened here, and the platform was told."
    )
    actor = PartyBody(allow_null=True, help_text="The agent who did it, where that is known.")
    message = serializers.CharField(
        allow_null=True,
        help_text="What was written: by the customer, or by the actor. Beyond 16 KiB it is cut.",
    )
    tone = serializers.CharField(
        allow_null=True, help_text="`frustration`, `anger` or `repeated_dissatisfaction`."
    )
    score = serializers.FloatField(allow_null=True, help_text="Of the tone, 0 to 1.")
    consecutive_unanswered = serializers.IntegerField(
        allow_null=True, help_text="How often in a row the bot had no answer."
    )
    reason = serializers.CharField(
        allow_null=True,
        help_text="`lapsed`: nobody used the claim. Of a wave: `wave`, `released` or `lapsed`.",
    )
    wave = WaveBody(allow_null=True, help_text="Who was called, while nobody came.")


class LadderProgressBody(Body):
    wave = serializers.IntegerField(help_text="How many waves of this round have called.")
    next_wave_at = serializers.DateTimeField(
        allow_null=True, help_text="null: nobody else is called."
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
                "holder": None,
                "claimed_at": None,
                "lease_until": None,
                "waiting_since": "2026-11-23T09:15:00Z",
                "changed_at": "2026-11-23T09:15:00Z",
                "ladder": {"wave": 1, "next_wave_at": "2026-11-23T09:18:00Z"},
                "capabilities": ["respond"],
                "events": [
                    {
                        "event_id": 48213,
                        "type": "conversation.human_requested",
                        "occurred_at": "2026-11-23T09:15:00Z",
                        "reported": True,
                        "actor": None,
                        "message": "I want to talk to a human about my refund.",
                        "tone": None,
                        "score": None,
                        "consecutive_unanswered": None,
                        "reason": None,
                        "wave": None,
                    }
                ],
                "earlier": False,
            },
        )
    ]
)
class ConversationBody(ConversationStandingBody):
    bot = PartyBody()
    customer = PartyBody(allow_null=True)
    ladder = LadderProgressBody(
        allow_null=True, help_text="null: the customer does not wait, so nobody is called."
    )
    capabilities = serializers.ListField(
        child=serializers.ChoiceField(choices=[(one.value, one.value) for one in Capability]),
        help_text="What you may do here, as in `/api/v1/me/`.",
    )
    events = ConversationEventBody(
        many=True, help_text=f"What happened to it, oldest first: the last {MOST_SHOWN}."
    )
    earlier = serializers.BooleanField(help_text="There were earlier events than these.")


class ConversationView(ConversationBaseView):
    """`/api/v1/<org>/conversations/<conversation>/`"""

    serializer_class = ConversationBody

    @extend_schema(operation_id="conversations_get")
    def get(self, request: Request, org: str, conversation: str) -> Response:
        """Get a conversation

        What a tap on an escalation opens: the customer, who has the conversation now, what was
        written, and all that happened. For members who may answer the customers of its bot, for
        whoever holds it, and for operators; for everyone else there is no such conversation.
        """
        return Response(ConversationBody(self._screen()).data)

    def _screen(self) -> dict[str, Any]:
        row = self.found
        happened = history.read_of_conversation(
            organization_id=row.organization_id, subject=row.external_id
        )
        waits = row.state == Conversation.State.WAITING
        return {
            **standing(row),
            "bot": {"id": row.bot.external_id, "name": row.bot.name},
            "customer": customer(row),
            "ladder": {"wave": row.wave, "next_wave_at": row.next_wave_at} if waits else None,
            "capabilities": [
                *([Capability.RESPOND] if self.responds else []),
                *([Capability.OPERATE] if self.person.is_staff else []),
            ],
            "events": [_event(event) for event in happened.events],
            "earlier": happened.earlier,
        }


def _event(event: Event) -> dict[str, Any]:
    data: Mapping[str, Any] = event.payload["data"]
    actor = data.get("agent") or data.get("actor")
    message = None if event.type in REPEATING else data.get("message")
    return {
        "event_id": event.pk,
        "type": event.type,
        "occurred_at": event.occurred_at,
        "reported": event.connection_id is not None,
        "actor": {"id": actor["id"], "name": actor.get("name", "")} if actor else None,
        "message": cut(message, MESSAGE_BYTES) if message else None,
        "tone": data.get("tone"),
        "score": data.get("score"),
        "consecutive_unanswered": data.get("consecutive_unanswered"),
        "reason": None if event.connection_id else data.get("reason"),
        "wave": _wave(data["wave"]) if event.type in REPEATING and "wave" in data else None,
    }


def _wave(said: Mapping[str, Any]) -> dict[str, Any]:
    return {"number": said["number"], "audience": said["audience"], "role": said.get("role")}
