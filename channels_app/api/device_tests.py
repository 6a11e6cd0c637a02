"""Test pushes to a device of the caller, and how far they have come."""

from __future__ import annotations

import uuid
from http import HTTPStatus

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import device_tests
from channels_app.api.devices import INSTALLATION, NOT_YOURS
from channels_app.api.documents import refusals
from channels_app.api.fields import Body
from channels_app.api.views import ApiView
from channels_app.device_tests import Homeless, State, UnknownTest
from channels_app.installations import Unregistered
from channels_app.limits import Limit
from channels_app.models import Event
from channels_app.problems import Problem


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "On the screen after 240 ms",
            response_only=True,
            status_codes=["200", "202"],
            value={
                "id": 1204,
                "organization": "acme",
                "notification_id": 90071,
                "requested_at": "2026-11-23T09:15:00.120000Z",
                "state": "displayed",
                "sentence": "You were told at 10:15, at the level loud (the default of this type of"
                " event); Alice's iPhone accepted after 61 ms.",
                "reason": "",
                "attempts": 1,
                "accepted_ms": 61,
                "displayed_ms": 240,
            },
        )
    ]
)
class DeviceTestBody(Body):
    id = serializers.IntegerField(help_text="Of the test; of the event that it is, too.")
    organization = serializers.SlugField(help_text="The one of yours that it goes through.")
    notification_id = serializers.IntegerField(
        allow_null=True, help_text="What a receipt of it names; null: not yet routed."
    )
    requested_at = serializers.DateTimeField()
    state = serializers.ChoiceField(
        choices=[(one.value, one.value) for one in State],
        help_text="`waiting`: to be sent, or sent again; `sending`; `accepted` by the push service;"
        " `displayed`: the app said so; `not_told`: a rule forbids it, see `sentence`; `failed`;"
        " `expired`; `cancelled`; `unknown`: sent, never answered.",
    )
    sentence = serializers.CharField(help_text="The same with the reason, for people.")
    reason = serializers.CharField(
        help_text="The push service's own word for what is wrong: `BadDeviceToken`."
    )
    attempts = serializers.IntegerField()
    accepted_ms = serializers.IntegerField(
        allow_null=True, help_text="Milliseconds until the push service accepted it."
    )
    displayed_ms = serializers.IntegerField(
        allow_null=True,
        help_text="Milliseconds until the app's receipt was here: the whole round trip.",
    )


@extend_schema(parameters=[INSTALLATION])
class DeviceTestsView(ApiView[Event]):
    """`/api/v1/devices/<installation>/test/`"""

    tag = "Devices"
    serializer_class = DeviceTestBody
    limits = (Limit("test-push", 6, 60),)

    @extend_schema(
        operation_id="devices_test",
        request=None,
        responses={
            202: DeviceTestBody,
            **refusals({409: "You are an active member of no organization."}),
        },
    )
    def post(self, request: Request, installation: uuid.UUID) -> Response:
        """Send a test push

        A loud banner to this one device, by the way that every banner goes. Then ask at the address
        in `Location` how far it has come, twice a second, say. The app sends its receipt as soon as
        it has shown the banner; that ends the round trip. Six a minute.
        """
        try:
            progress = device_tests.send(
                user=self.person, installation_id=installation, now=timezone.now()
            )
        except Unregistered:
            raise Problem(HTTPStatus.NOT_FOUND, NOT_YOURS) from None
        except Homeless:
            raise Problem(
                HTTPStatus.CONFLICT,
                "You are an active member of no organization, so no banner goes to you.",
            ) from None
        address = reverse("device-test", args=[installation, progress.id])
        return Response(
            DeviceTestBody(progress).data, HTTPStatus.ACCEPTED, headers={"Location": address}
        )


@extend_schema(parameters=[INSTALLATION])
class DeviceTestView(ApiView[Event]):
    """`/api/v1/devices/<installation>/test/<test>/`"""

    tag = "Devices"
    serializer_class = DeviceTestBody

    @extend_schema(operation_id="devices_test_progress")
    def get(self, request: Request, installation: uuid.UUID, test: int) -> Response:
        """See how far a test push has come

        `waiting` and `sending` pass by themselves, and `accepted` becomes `displayed` when the
        app's receipt comes; nothing else changes any more.
        """
        try:
            progress = device_tests.progress(
                user=self.person,
                installation_id=installation,
                test_id=test,
                now=timezone.now(),
            )
        except UnknownTest:
            raise Problem(HTTPStatus.NOT_FOUND, "You sent no such test.") from None
        return Response(DeviceTestBody(progress).data)
