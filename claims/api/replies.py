"""What the holder of a conversation answers the customer."""

from __future__ import annotations

from http import HTTPStatus
from uuid import uuid4

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app.api.documents import refusal
from channels_app.api.fields import Body
from channels_app.problems import Problem
from claims import replies
from claims.api.standing import TAKEN, ConversationBaseView, refused
from claims.claiming import Conflict
from claims.replies import Unheard

MOST_CHARACTERS = 10_000


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A reply",
            request_only=True,
            value={
                "text": "Hello Jane, this is Alice. I am looking at your refund.",
                "reply_id": "0b6ad5a0-7a6b-4d0c-9d2e-6a3f0f1f7a11",
            },
        )
    ]
)
class ReplyBody(Body):
    text = serializers.CharField(min_length=1, max_length=MOST_CHARACTERS, trim_whitespace=False)
    reply_id = serializers.UUIDField(
        required=False,
        help_text="A UUID that the app chooses: sent again with the same, it is said once.",
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "On its way", response_only=True, status_codes=["202"], value={"event_id": 48214}
        )
    ]
)
class ReplyAnswerBody(Body):
    event_id = serializers.IntegerField(help_text="Of the reply, among the conversation's events.")


class ReplyView(ConversationBaseView):
    """`/api/v1/<org>/conversations/<conversation>/reply/`"""

    serializer_class = ReplyAnswerBody

    @extend_schema(
        operation_id="conversations_reply",
        request=ReplyBody,
        responses={
            202: ReplyAnswerBody,
            **refusal(TAKEN, "You do not hold it, or the platform takes no replies at present."),
        },
    )
    def post(self, request: Request, org: str, conversation: str) -> Response:
        """Reply to the customer

        For the holder. The platform is told by its webhook, and says it to the customer; 202: it
        is on its way, for days if need be. With a `reply_id` you may ask again after an answer
        that was lost.
        """
        body = ReplyBody(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            event_id = replies.reply(
                conversation_id=self.found.pk,
                membership=self.membership,
                text=body.validated_data["text"],
                reply_id=body.validated_data.get("reply_id") or uuid4(),
                now=timezone.now(),
            )
        except Conflict as conflict:
            raise refused(conflict) from None
        except Unheard:
            raise Problem(
                HTTPStatus.CONFLICT,
                "The platform has no endpoint that takes replies: an operator can give it one.",
            ) from None
        return Response(ReplyAnswerBody({"event_id": event_id}).data, HTTPStatus.ACCEPTED)
