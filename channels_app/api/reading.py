"""What of my inbox I have read: the badge, one, and all up to one."""

from __future__ import annotations

from http import HTTPStatus

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import inbox
from channels_app.api.fields import Body
from channels_app.api.inbox import refuse
from channels_app.api.views import MemberView
from channels_app.models import Notification
from channels_app.problems import Fault, Problem


@extend_schema_serializer(
    examples=[
        OpenApiExample("Three", response_only=True, value={"unread": 3, "more": False}),
        OpenApiExample("Many", response_only=True, value={"unread": 1000, "more": True}),
    ]
)
class InboxSummaryBody(Body):
    unread = serializers.IntegerField(
        max_value=inbox.MOST_COUNTED, help_text="For the badge. Nothing is counted beyond 1000."
    )
    more = serializers.BooleanField(help_text="There are more unread than that.")


@extend_schema_serializer(
    examples=[OpenApiExample("Up to what I saw", request_only=True, value={"up_to": 90072})]
)
class ReadAllBody(Body):
    up_to = serializers.IntegerField(
        min_value=1,
        max_value=2**63 - 1,
        help_text="The `id` of the newest one that was on the screen.",
    )


class InboxSummaryView(MemberView[Notification]):
    """`/api/v1/<org>/inbox/summary/`"""

    tag = "Inbox"
    serializer_class = InboxSummaryBody

    @extend_schema(operation_id="inbox_summary")
    def get(self, request: Request, org: str) -> Response:
        """Count my unread notifications

        The number on the app's icon. Cheap enough to be polled: send the ETag of the last answer
        as If-None-Match, and get 304 while nothing has changed.
        """
        return _summary(self.membership.pk)


class NotificationReadView(MemberView[Notification]):
    """`/api/v1/<org>/inbox/<id>/read/`"""

    tag = "Inbox"
    serializer_class = InboxSummaryBody

    @extend_schema(operation_id="inbox_read", request=None)
    def put(self, request: Request, org: str, notification: int) -> Response:
        """Mark one as read

        Again changes nothing. The answer is what the badge says now.
        """
        mine = self.membership.pk
        try:
            inbox.read(membership_id=mine, notification_id=notification, now=timezone.now())
        except inbox.NotInInbox:
            refuse()
        return _summary(mine)

    @extend_schema(operation_id="inbox_unread", responses={200: InboxSummaryBody})
    def delete(self, request: Request, org: str, notification: int) -> Response:
        """Mark one as unread

        The answer is what the badge says now.
        """
        mine = self.membership.pk
        try:
            inbox.unread_again(membership_id=mine, notification_id=notification)
        except inbox.NotInInbox:
            refuse()
        return _summary(mine)


class ReadAllView(MemberView[Notification]):
    """`/api/v1/<org>/inbox/read-all/`"""

    tag = "Inbox"
    serializer_class = ReadAllBody

    @extend_schema(operation_id="inbox_read_all", responses={200: InboxSummaryBody})
    def post(self, request: Request, org: str) -> Response:
        """Mark all as read, up to one

        That one and all below it in the list. What came while the person was reading stands above
        it, and stays unread. The answer is what the badge says now.
        """
        body = ReadAllBody(data=request.data)
        body.is_valid(raise_exception=True)
        mine, newest_id = self.membership.pk, body.validated_data["up_to"]
        try:
            inbox.read_up_to(membership_id=mine, newest_id=newest_id, now=timezone.now())
        except inbox.NotInInbox:
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                "This body cannot be used.",
                faults=[Fault("/up_to", "is not the id of a notification in your inbox")],
            ) from None
        return _summary(mine)


def _summary(membership_id: int) -> Response:
    return Response(InboxSummaryBody(inbox.unread(membership_id)).data)
