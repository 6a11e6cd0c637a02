"""The caller's devices: registered, changed, unregistered."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import installations
from channels_app.api import etags
from channels_app.api.device_bodies import DeviceBody, DeviceRegistrationBody
from channels_app.api.documents import refusals
from channels_app.api.pagination import Pages
from channels_app.api.views import ApiView
from channels_app.installations import Registered, TooManyDevices, Unregistered, WrongSecret
from channels_app.models import Installation
from channels_app.problems import Fault, Problem
from channels_app.push_tokens import Address, TokenTaken

NOT_YOURS = "You have no such device."
INSTALLATION = OpenApiParameter(
    "installation",
    OpenApiTypes.UUID,
    OpenApiParameter.PATH,
    description="The installation's id: a random UUID that the app chose when it first started.",
)


class ByRegistration(Pages):
    fields = ("registered_at", "pk")


class DevicesView(ApiView[Installation]):
    """`/api/v1/devices/`"""

    tag = "Devices"
    serializer_class = DeviceBody
    pagination_class = ByRegistration

    @extend_schema(operation_id="devices_list", responses=DeviceBody(many=True))
    def get(self, request: Request) -> Response:
        """List my devices

        All that your banners go to, whatever the organization, and those that have died. The one
        that registered last is first.
        """
        return self.page(own(self))


@extend_schema(parameters=[INSTALLATION])
class DeviceView(ApiView[Installation]):
    """`/api/v1/devices/<installation>/`"""

    tag = "Devices"
    serializer_class = DeviceBody

    @extend_schema(operation_id="devices_get")
    def get(self, request: Request, installation: uuid.UUID) -> Response:
        """Look at one of my devices"""
        return Response(self._shown(installation))

    @extend_schema(
        operation_id="devices_register",
        request=DeviceRegistrationBody,
        responses={
            200: DeviceBody,
            201: DeviceBody,
            **refusals(
                {
                    403: "`wrong_secret`: an installation of this id has another secret.",
                    409: "`token_taken`: somebody else's installation has this token."
                    " `too_many_devices`: remove one first. See `reason`.",
                }
            ),
        },
    )
    def put(self, request: Request, installation: uuid.UUID) -> Response:
        """Register a device

        Send it at each start of the app, at each new token and after each sign-in: it is the same
        request, and doing it twice changes nothing. When it first starts the app chooses the
        installation's id, a random UUID, and its secret, and keeps both in the keychain.

        - Whoever signs in has the device; who had it before gets nothing there any more.
        - A new token takes the place of the old one, and a dead device lives again.
        - What you leave out, except for where to push to, stays as it is.
        - Where you have not chosen a language or a time zone yet, they become the device's.

        The same token under a new id is the same phone, if it was yours: the app was installed
        anew. A token that somebody else's installation has is refused: delete it on the device
        (`deleteToken`, `unsubscribe`) and ask the push service for another.
        """
        body = DeviceRegistrationBody(data=request.data)
        body.is_valid(raise_exception=True)
        if "If-Match" in request.headers:
            etags.check_unchanged(request, self._shown_if_there(installation))
        done = self._register(installation, **body.validated_data)
        shown = DeviceBody(done.installation).data
        return Response(shown, HTTPStatus.CREATED if done.created else HTTPStatus.OK)

    @extend_schema(operation_id="devices_change")
    def patch(self, request: Request, installation: uuid.UUID) -> Response:
        """Change or mute a device

        Its name, what it shows of each channel, and what the app has learned of the phone since it
        registered.
        """
        body = DeviceBody(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            row = own(self).select_for_update(of=("self",)).filter(pk=installation).first()
            if row is None:
                raise Problem(HTTPStatus.NOT_FOUND, NOT_YOURS)
            etags.check_unchanged(request, DeviceBody(row).data)
            changed = installations.change(
                user=self.person, installation_id=installation, changes=body.validated_data
            )
        return Response(DeviceBody(changed).data)

    @extend_schema(operation_id="devices_unregister", responses={204: None})
    def delete(self, request: Request, installation: uuid.UUID) -> Response:
        """Unregister a device

        At sign-out, or from another device when this one is lost: no banner leaves for it any more.
        """
        try:
            installations.unregister(user=self.person, installation_id=installation)
        except Unregistered:
            raise Problem(HTTPStatus.NOT_FOUND, NOT_YOURS) from None
        return Response(status=HTTPStatus.NO_CONTENT)

    def _register(
        self, installation: uuid.UUID, *, secret: str, address: Address, **about: Any
    ) -> Registered:
        try:
            return installations.register(
                user=self.person,
                installation_id=installation,
                secret=secret,
                address=address,
                about=about,  # type: ignore[arg-type]  # the fields of AboutBody
                now=timezone.now(),
            )
        except WrongSecret:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "This installation is registered with another secret.",
                extra={"reason": "wrong_secret"},
            ) from None
        except TokenTaken:
            is_browser = address.platform == Installation.Platform.WEBPUSH
            place = "/subscription/endpoint" if is_browser else "/token"
            raise Problem(
                HTTPStatus.CONFLICT,
                "Somebody else's installation has this token: ask the push service for another.",
                faults=[Fault(place, "stands at an installation of somebody else")],
                extra={"reason": "token_taken"},
            ) from None
        except TooManyDevices:
            limit = settings.MAX_DEVICES_PER_USER
            raise Problem(
                HTTPStatus.CONFLICT,
                f"You have {limit} devices or more, and may have no further one: remove one first.",
                extra={"reason": "too_many_devices", "limit": limit},
            ) from None

    def _shown(self, installation: uuid.UUID) -> dict[str, Any]:
        """Raises Problem: 404."""
        shown = self._shown_if_there(installation)
        if shown is None:
            raise Problem(HTTPStatus.NOT_FOUND, NOT_YOURS)
        return shown

    def _shown_if_there(self, installation: uuid.UUID) -> dict[str, Any] | None:
        row = own(self).filter(pk=installation).first()
        return DeviceBody(row).data if row is not None else None


def own(view: ApiView[Any]) -> QuerySet[Installation]:
    """The caller's devices, with their tokens."""
    return view.person.installations.select_related("apns", "fcm", "webpush")
