"""The tokens of installations: rows of django-push-notifications, of one kind for each platform.

A token is given out by a push service, stands at one installation at a time, and proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from push_notifications.models import APNSDevice, GCMDevice, WebPushDevice

from channels_app.models import Installation, User

KINDS: dict[Installation.Platform, type[Any]] = {
    Installation.Platform.APNS: APNSDevice,
    Installation.Platform.FCM: GCMDevice,
    Installation.Platform.WEBPUSH: WebPushDevice,
}


class TokenTaken(Exception):
    """The token stands at an installation of another person, whose banners go there."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a push service finds an installation.

    Attributes:
        registration_id: the device token (APNs), the registration token (FCM) or the endpoint's URL
            (Web Push).
        p256dh: Web Push: the browser's public key, base64url.
        auth: Web Push: the browser's authentication secret, base64url.
    """

    platform: Installation.Platform
    application_id: str
    registration_id: str
    p256dh: str = ""
    auth: str = ""


def present(address: Address) -> int | None:
    """The row of a token, if it has one; nothing is locked."""
    rows = KINDS[address.platform].objects.filter(registration_id=address.registration_id)
    pk: int | None = rows.values_list("pk", flat=True).first()
    return pk


def take(
    address: Address, *, person: User, known: Installation | None
) -> tuple[Any, Installation | None]:
    """The row of a token, locked and made if there is none, and the installation that has it.

    Args:
        known: the installation that is being registered, whose it may be by right.

    Raises:
        TokenTaken
    """
    # The lock lets one of two registrations of a token come second, and see the first.
    token, _ = (
        KINDS[address.platform]
        .objects.select_for_update(of=("self",))
        .get_or_create(registration_id=address.registration_id, defaults={"user": person})
    )
    holder = Installation.objects.filter(**{address.platform.value: token}).first()
    if holder is not None and known is not None and holder.pk == known.pk:
        return token, known
    owner_id = holder.user_id if holder else token.user_id
    if owner_id not in (None, person.pk):
        raise TokenTaken
    return token, holder


def assign(token: Any, *, person: User, address: Address) -> None:
    """Bring a token's row up to date: it is this person's, and lives."""
    keys = (
        {"p256dh": address.p256dh, "auth": address.auth}
        if address.platform == Installation.Platform.WEBPUSH
        else {}
    )
    type(token).objects.filter(pk=token.pk).update(
        user=person, application_id=address.application_id, active=True, **keys
    )


def columns(token: Any, platform: Installation.Platform) -> dict[str, Any]:
    """What an installation with this token says in its columns for tokens."""
    return {kind.value: token if kind == platform else None for kind in KINDS}


def drop(installations: Iterable[Installation], *, but: Any = None) -> None:
    """Delete the tokens of installations, and with them those that still refer to them."""
    rows = list(installations)
    for platform, kind in KINDS.items():
        found = {getattr(row, f"{platform.value}_id") for row in rows}
        if isinstance(but, kind):
            found.discard(but.pk)
        kind.objects.filter(pk__in=found - {None}).delete()
