"""Buttons of banners, with the app closed: nobody is signed in, so the device proves itself."""

from __future__ import annotations

from hashlib import sha256
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import limits
from channels_app.api import rates
from channels_app.api.documents import refusal
from channels_app.api.fields import Body
from channels_app.api.views import ApiView
from channels_app.limits import Limit
from channels_app.problems import Problem
from claims import banner_claims
from claims.api.standing import TAKEN, ConversationStandingBody, refused, standing
from claims.banner_claims import Refused
from claims.claiming import Conflict
from claims.models import Conversation

NOTHING = Problem(HTTPStatus.FORBIDDEN, "This token claims nothing from this device.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "As a handler of the button sends it",
            request_only=True,
            value={
                "action_token": "7.6f9619ff8b864d01b42d00cf4fc964ff.12.1:1vN0Gk:c2lnbmF0dXJl",
                "installation_id": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
                "installation_secret": "q0Yx2vJ7mZs4Wc9RkT1bNf6HpD3gLa8E",
            },
        )
    ]
)
class ClaimActionBody(Body):
    action_token = serializers.CharField(
        min_length=1,
        max_length=512,
        trim_whitespace=False,
        help_text="`action_token` of the push, as it is.",
    )
    installation_id = serializers.UUIDField(help_text="Of the device that was tapped.")
    installation_secret = serializers.CharField(
        min_length=1,
        max_length=256,
        trim_whitespace=False,
        help_text="The one that the installation was registered with.",
    )


class ClaimActionView(ApiView[Conversation]):
    """`/api/v1/actions/claim/`"""

    tag = "Conversations"
    serializer_class = ConversationStandingBody
    authentication_classes = ()
    permission_classes = ()
    # Of one token, whoever sends it.
    limits = (Limit("action-token", 30, 60),)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Nobody is signed in whose language it could be."""
        GenericAPIView.initial(self, request, *args, **kwargs)

    def check_throttles(self, request: Request) -> None:
        """Raises Problem: 429."""
        address = request.META.get("REMOTE_ADDR", "")
        self.meters = limits.take([(Limit("address", *settings.API_ADDRESS_LIMIT), address)])
        rates.refuse(self.meters)

    @extend_schema(
        operation_id="actions_claim",
        request=ClaimActionBody,
        responses={
            200: ConversationStandingBody,
            **refusal(NOTHING, "The token, the device or its person: one of them is not right."),
            **refusal(TAKEN, "It stands otherwise: how, with whom and since when."),
        },
    )
    def post(self, request: Request) -> Response:
        """Claim by a banner's button

        With the app closed and nobody signed in: the token of the push says who claims what, the
        installation's id and secret prove that it is their device. The token is good for the
        organization's claim window, for this round of the conversation and for this device alone.
        Sent twice it is answered twice alike. All else is as in
        [Claim a conversation](#operation/conversations_claim).

        403 does not say what is wrong: open the app, which knows more. 409 says who has it.
        """
        body = ClaimActionBody(data=request.data)
        body.is_valid(raise_exception=True)
        token = body.validated_data["action_token"]
        hashed = sha256(token.encode()).hexdigest()
        rates.refuse([*self.meters, *limits.take([(limit, hashed) for limit in self.limits])])
        try:
            row = banner_claims.claim(
                token=token,
                installation_id=body.validated_data["installation_id"],
                secret=body.validated_data["installation_secret"],
                now=timezone.now(),
            )
        except Refused:
            raise Problem(NOTHING.status, NOTHING.detail) from None
        except Conflict as conflict:
            raise refused(conflict) from None
        return Response(ConversationStandingBody(standing(row)).data)
