"""What agents do to a conversation: claim it, put it back, hand it back to the bot, resolve it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Protocol

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app.api.devices import NOT_YOURS
from channels_app.api.documents import refusal
from channels_app.api.fields import Body
from channels_app.models import Installation, Membership
from channels_app.problems import Problem
from claims import claiming
from claims.api.standing import (
    NO_RESPONDER,
    TAKEN,
    ConversationBaseView,
    ConversationStandingBody,
    refused,
    standing,
)
from claims.claiming import Conflict
from claims.models import Conversation

ANSWERS: dict[Any, Any] = {
    200: ConversationStandingBody,
    **refusal(TAKEN, "It stands otherwise: how, with whom and since when."),
}


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "By the button of a banner",
            request_only=True,
            value={"installation_id": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"},
        )
    ]
)
class ClaimBody(Body):
    installation_id = serializers.UUIDField(
        required=False,
        help_text="Your device that was tapped. Its banner is left to the app; all others change.",
    )


class ClaimView(ConversationBaseView):
    """`/api/v1/<org>/conversations/<conversation>/claim/`"""

    serializer_class = ConversationStandingBody

    @extend_schema(operation_id="conversations_claim", request=ClaimBody, responses=ANSWERS)
    def post(self, request: Request, org: str, conversation: str) -> Response:
        """Claim a conversation

        The first who asks has it; everybody else is told who and since when (409). Who asks again
        gets the same answer again, and keeps it longer: the claim goes back to the pool when
        nothing happens for a while (`lease_until`). Replies, and what you write on the platform,
        count as well.

        On every other phone the call is replaced by "Claimed by …", without a sound, and the
        platform is told, so that the bot stops talking.
        """
        body = ClaimBody(data=request.data)
        body.is_valid(raise_exception=True)
        tapped = body.validated_data.get("installation_id")
        if not self.responds:
            raise Problem(HTTPStatus.FORBIDDEN, NO_RESPONDER)
        own = Installation.objects.filter(pk=tapped, user=self.person)
        if tapped is not None and not own.exists():
            raise Problem(HTTPStatus.NOT_FOUND, NOT_YOURS)
        try:
            row = claiming.claim(
                conversation_id=self.found.pk,
                membership=self.membership,
                tapped=tapped,
                now=timezone.now(),
            )
        except Conflict as conflict:
            raise refused(conflict) from None
        return Response(ConversationStandingBody(standing(row)).data)


class Leaving(Protocol):
    """`claiming.release` and the like."""

    def __call__(
        self, *, conversation_id: int, membership: Membership, operator: bool, now: Any
    ) -> Conversation: ...


class LeaveView(ConversationBaseView):
    """An endpoint that ends a claim."""

    serializer_class = ConversationStandingBody

    def leave(self, how: Leaving) -> Response:
        """Raises Problem: 409."""
        try:
            row = how(
                conversation_id=self.found.pk,
                membership=self.membership,
                operator=self.person.is_staff,
                now=timezone.now(),
            )
        except Conflict as conflict:
            raise refused(conflict) from None
        return Response(ConversationStandingBody(standing(row)).data)


class ReleaseView(LeaveView):
    """`/api/v1/<org>/conversations/<conversation>/release/`"""

    @extend_schema(operation_id="conversations_release", request=None, responses=ANSWERS)
    def post(self, request: Request, org: str, conversation: str) -> Response:
        """Put a conversation back

        For its holder, and for operators. The customer waits again, in another round (`epoch`):
        whoever follows the bot is called at once, and banners of the round before cannot claim it.
        """
        return self.leave(claiming.release)


class HandBackView(LeaveView):
    """`/api/v1/<org>/conversations/<conversation>/hand-back/`"""

    @extend_schema(operation_id="conversations_hand_back", request=None, responses=ANSWERS)
    def post(self, request: Request, org: str, conversation: str) -> Response:
        """Hand a conversation back to the bot

        For its holder, and for operators, who may do so while nobody has it. The platform is told,
        and the bot talks again.
        """
        return self.leave(claiming.hand_back)


class ResolveView(LeaveView):
    """`/api/v1/<org>/conversations/<conversation>/resolve/`"""

    @extend_schema(operation_id="conversations_resolve", request=None, responses=ANSWERS)
    def post(self, request: Request, org: str, conversation: str) -> Response:
        """Resolve a conversation

        For its holder, and for operators, who may do so while nobody has it. The platform is told.
        """
        return self.leave(claiming.resolve)
