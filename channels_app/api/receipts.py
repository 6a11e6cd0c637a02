"""Receipts: what the app says became of a banner."""

from __future__ import annotations

import re
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import (
    OpenApiExample,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import receipts
from channels_app.api.fields import Body, InstantField
from channels_app.api.views import MemberView
from channels_app.models import Receipt
from channels_app.receipts import Answer, Result, Told

MOST_AT_ONCE = 100

_UNKNOWN = "No such notification of yours went to this installation."
_CLAMPED = "The device's clock cannot be right: the nearest possible moment was kept."


@extend_schema_field(
    {
        "oneOf": [
            {"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
            {"type": "string", "pattern": "^[1-9][0-9]{0,17}$"},
        ]
    }
)
class NotificationIdField(serializers.Field[int, Any, int, Any]):
    """As a number, or as the text that it is in the data of a push."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and re.fullmatch(r"[1-9][0-9]{0,17}", data):
            return int(data)
        if isinstance(data, int) and not isinstance(data, bool) and 1 <= data < 2**63:
            return data
        raise serializers.ValidationError("must be the id of a notification")

    def to_representation(self, value: int) -> int:
        return value


class ReceiptBody(Body):
    notification_id = NotificationIdField(help_text="From the data of the push.")
    kind = serializers.ChoiceField(
        choices=Receipt.Kind.choices,
        help_text="`displayed`: shown on the lock screen or in the app. `opened`: tapped; that"
        " marks it as read. `action`: a button of it was used.",
    )
    action = serializers.RegexField(
        r"^[A-Za-z0-9_.-]+$",
        max_length=32,
        required=False,
        help_text="The id of the button: `claim`, `view`, `snooze`, `review`, `mute_bot`,"
        " `mute_run`, or one of your own. For the kind `action`, and for no other.",
    )
    at = InstantField(help_text="When, by the device's clock.")

    def validate(self, receipt: dict[str, Any]) -> dict[str, Any]:
        if ("action" in receipt) != (receipt["kind"] == Receipt.Kind.ACTION):
            raise serializers.ValidationError(
                {"action": ["is the button that was used, where one was, and nothing otherwise"]}
            )
        return receipt


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Seen at night, claimed from the lock screen",
            request_only=True,
            value={
                "installation_id": "6f9a3c1e-6a53-4b5e-9d0f-0f6a5d9e2b11",
                "receipts": [
                    {
                        "notification_id": 90071,
                        "kind": "displayed",
                        "at": "2026-11-23T09:15:00.612Z",
                    },
                    {
                        "notification_id": 90071,
                        "kind": "action",
                        "action": "claim",
                        "at": "2026-11-23T09:15:04+00:00",
                    },
                ],
            },
        )
    ]
)
class ReceiptsBody(Body):
    installation_id = serializers.UUIDField(help_text="The one that the push came to: this one.")
    receipts = serializers.ListField(child=ReceiptBody(), max_length=MOST_AT_ONCE)


class ReceiptAnswerBody(Body):
    index = serializers.IntegerField(help_text="The place in `receipts`, from 0.")
    result = serializers.ChoiceField(
        choices=[(one.value, one.value) for one in Result],
        help_text="`accepted`; `known`: told before, nothing changed; `unknown`: no such"
        " notification of yours went to this installation. None of them is worth another try.",
    )
    at = serializers.DateTimeField(allow_null=True, help_text="When it happened, as kept.")
    detail = serializers.CharField(help_text="What there is to say of it; mostly nothing.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "One told before, one of nobody",
            response_only=True,
            value={
                "results": [
                    {
                        "index": 0,
                        "result": "known",
                        "at": "2026-11-23T09:15:00.612000Z",
                        "detail": "",
                    },
                    {"index": 1, "result": "unknown", "at": None, "detail": _UNKNOWN},
                ]
            },
        )
    ]
)
class ReceiptAnswersBody(Body):
    results = ReceiptAnswerBody(many=True)


class ReceiptsView(MemberView[Receipt]):
    """`/api/v1/<org>/receipts/`"""

    tag = "Inbox"
    serializer_class = ReceiptsBody

    @extend_schema(operation_id="receipts_tell", responses={200: ReceiptAnswersBody})
    def post(self, request: Request, org: str) -> Response:
        """Tell what became of banners

        Up to 100 at once, from one installation. Collect them while the app is closed and send
        them when it starts, days later if need be: telling one twice changes nothing. Each gets an
        answer of its own, in the same order. A moment before the push was made or after now
        becomes the nearest possible one, and the answer says so.

        A body that cannot be read is refused as a whole, with each place that is wrong.
        """
        body = ReceiptsBody(data=request.data)
        body.is_valid(raise_exception=True)
        answers = receipts.record(
            membership_id=self.membership.pk,
            user_id=self.person.pk,
            installation_id=body.validated_data["installation_id"],
            told=[_told(one) for one in body.validated_data["receipts"]],
            now=timezone.now(),
        )
        results = [_result(index, answer) for index, answer in enumerate(answers)]
        return Response(ReceiptAnswersBody({"results": results}).data)


def _told(receipt: dict[str, Any]) -> Told:
    return Told(
        notification_id=receipt["notification_id"],
        kind=Receipt.Kind(receipt["kind"]),
        at=receipt["at"],
        action=receipt.get("action", ""),
    )


def _result(index: int, answer: Answer) -> dict[str, Any]:
    detail = _CLAMPED if answer.clamped else ""
    return {
        "index": index,
        "result": answer.result,
        "at": answer.at,
        "detail": _UNKNOWN if answer.result is Result.UNKNOWN else detail,
    }
