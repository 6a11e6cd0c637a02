"""Installations: where a person's banners go, known by the token that a push service gave out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from push_notifications.models import APNSDevice, GCMDevice, WebPushDevice

from channels_app.models import Installation, User

DEVICES: dict[Installation.Platform, type[Any]] = {
    Installation.Platform.APNS: APNSDevice,
    Installation.Platform.FCM: GCMDevice,
    Installation.Platform.WEBPUSH: WebPushDevice,
}


class TokenTaken(Exception):
    """The token belongs to another person, whose banners would go to this device."""


def register(
    *,
    user: User,
    platform: Installation.Platform,
    application_id: str,
    registration_id: str,
    now: datetime,
    p256dh: str = "",
    auth: str = "",
    name: str = "",
    critical_allowed: bool = False,
) -> Installation:
    """Send this person's banners to a device from now on.

    A token that is registered again by the same person keeps its installation, which is brought up
    to date and, if it was dead, lives again.

    Args:
        registration_id: the device token (APNs), the registration token (FCM) or the endpoint's URL
            (Web Push).
        p256dh: Web Push: the browser's public key, base64url.
        auth: Web Push: the browser's authentication secret, base64url.
        critical_allowed: the person allowed critical alerts on this device.

    Raises:
        TokenTaken: nothing was changed.
    """
    keys = {"p256dh": p256dh, "auth": auth} if platform == Installation.Platform.WEBPUSH else {}
    present = {"application_id": application_id, "name": name, "active": True, **keys}
    with transaction.atomic():
        # The lock lets one of two registrations of a token come second, and see the first.
        device, is_new = (
            DEVICES[platform]
            .objects.select_for_update()
            .get_or_create(registration_id=registration_id, defaults={"user": user, **present})
        )
        if device.user_id != user.pk:
            raise TokenTaken
        if not is_new:
            type(device).objects.filter(pk=device.pk).update(**present)
        return _install(
            device=device,
            platform=platform,
            user=user,
            name=name,
            critical_allowed=critical_allowed,
            dead_since=None,
            # A push service that reports the token dead since before this moment is out of date
            # (`deliveries.bury`), so a registration that is repeated counts as a new one.
            registered_at=now,
        )


def _install(*, device: Any, platform: Installation.Platform, **present: Any) -> Installation:
    return Installation.objects.update_or_create(
        **{platform.value: device}, defaults={"platform": platform, **present}
    )[0]
