"""The list on an agent's screen: who waits, who has whom, and since when."""

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

from channels_app.api.fields import Body
from channels_app.api.pagination import Pages
from channels_app.api.views import MemberView
from channels_app.models import Membership
from channels_app.problems import ParameterFault, Problem
from claims import listing
from claims.api.parties import PartyBody, customer
from claims.api.standing import CLAIMED, ConversationStandingBody, standing
from claims.listing import Row
from claims.models import Conversation

STATES = [state.value for state in Conversation.State]
ORDERS = ["changed", "waiting"]

BOT = {"id": "bot_x", "name": "Bot X"}
CUSTOMER = {"id": "cust_1", "name": "Jane Doe"}
WORDS = {"text": "I want to talk to a human about my refund.", "at": "2026-11-23T09:15:00Z"}
ALICES = {**CLAIMED, "bot": BOT, "customer": CUSTOMER, "last_message": WORDS}
NOBODYS = {
    **ALICES,
    "state": "waiting",
    "holder": None,
    "claimed_at": None,
    "lease_until": None,
    "waiting_since": "2026-11-23T09:15:00Z",
    "changed_at": "2026-11-23T09:15:00Z",
}


class WordsBody(Body):
    text = serializers.CharField(help_text="Beyond 1,000 bytes it is cut.")
    at = serializers.DateTimeField(help_text="By the platform's clock.")


@extend_schema_serializer(
    examples=[
        OpenApiExample("A customer who waits", response_only=True, value=NOBODYS),
        OpenApiExample("Claimed by Alice", response_only=True, value=ALICES),
    ]
)
class ListedConversationBody(ConversationStandingBody):
    bot = PartyBody()
    customer = PartyBody(allow_null=True)
    last_message = WordsBody(allow_null=True, help_text="The customer's last words.")


def listed(row: Row) -> dict[str, Any]:
    """The members of a `ListedConversationBody`."""
    bot = row.conversation.bot
    return {
        **standing(row.conversation),
        "bot": {"id": bot.external_id, "name": bot.name},
        "customer": customer(row.conversation),
        "last_message": {"text": row.words.text, "at": row.words.at} if row.words else None,
    }


class ByChange(Pages):
    fields = ("changed_at", "pk")


class ByWait(Pages):
    fields = ("waiting_since", "pk")
    descending = False


class ConversationsView(MemberView[Conversation]):
    """`/api/v1/<org>/conversations/`"""

    tag = "Conversations"
    serializer_class = ListedConversationBody
    pagination_class: type[Pages] = ByChange

    @extend_schema(
        operation_id="conversations_list",
        responses=ListedConversationBody(many=True),
        parameters=[
            OpenApiParameter(
                "state",
                enum=STATES,
                many=True,
                description="Only in this state. May stand several times: in any of these.",
            ),
            OpenApiParameter(
                "mine",
                OpenApiTypes.BOOL,
                description="Only those that you hold; or only the others.",
            ),
            OpenApiParameter("bot", description="Only of the bot with this id."),
            OpenApiParameter(
                "order",
                enum=ORDERS,
                default="changed",
                description="`changed`: the last change first. `waiting`: only those who wait, and"
                " who has waited longest first.",
            ),
        ],
    )
    def get(self, request: Request, org: str) -> Response:
        """List conversations

        Those of the bots whose customers you may answer, and any that you hold; for operators,
        all. The queue of an agent
        is `?order=waiting`, what they have in hand `?mine=true&state=claimed`.

        Keep it up to date with the [stream](#operation/conversations_stream), whose events have
        the same members; or ask again every few seconds, with `If-None-Match`.
        """
        order = _one_of(request, "order", ORDERS) or "changed"
        if order == "waiting":
            self.pagination_class = ByWait
        rows = listing.of(self.membership, self.person).filter(
            _wanted(request, self.membership), _waits(order)
        )
        page = listing.with_words(self.paginate_queryset(rows) or ())
        body = ListedConversationBody([listed(row) for row in page], many=True)
        return self.get_paginated_response(body.data)


def _waits(order: str) -> Q:
    if order != "waiting":
        return Q()
    return Q(state=Conversation.State.WAITING, waiting_since__isnull=False)


def _wanted(request: Request, membership: Membership) -> Q:
    """What the parameters ask for.

    Raises:
        Problem: 400, which names the parameter.
    """
    wanted = Q()
    if states := request.query_params.getlist("state"):
        if not set(states) <= set(STATES):
            _refuse("state", f"must be one of {', '.join(STATES)}")
        wanted &= Q(state__in=sorted(set(states)))
    if (mine := _one_of(request, "mine", ["true", "false"])) is not None:
        held = Q(holder=membership.pk)
        wanted &= held if mine == "true" else ~held
    if (bot := request.query_params.get("bot")) is not None:
        if not bot or "\0" in bot:
            _refuse("bot", "must be the id of a bot")
        wanted &= Q(bot__external_id=bot)
    return wanted


def _one_of(request: Request, name: str, allowed: list[str]) -> str | None:
    value = request.query_params.get(name)
    if value is not None and value not in allowed:
        _refuse(name, f"must be one of {', '.join(allowed)}")
    return value


def _refuse(name: str, detail: str) -> NoReturn:
    raise Problem(
        HTTPStatus.BAD_REQUEST,
        f"The parameter {name!r} cannot be used.",
        faults=[ParameterFault(name, detail)],
    )
