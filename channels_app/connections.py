"""Connections: webhook endpoints and the rotation of their secrets."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q

from channels_app.models import Connection

# Standard Webhooks 1.0, "Signature scheme": a symmetric secret has between 24 and 64 bytes.
SECRET_BYTES = 32

# How long the secret before a rotation is still accepted: time to change it on the platform.
ROTATION_GRACE = timedelta(hours=24)


class RotationUnderWay(Exception):
    """The last rotation's previous secret is still valid, until `until`.

    A third secret would cut off the one that the platform may still sign with.
    """

    def __init__(self, until: datetime) -> None:
        super().__init__(f"the previous secret is valid until {until.isoformat()}")
        self.until = until


def create(*, organization_id: int, name: str) -> Connection:
    """A new endpoint of an organization; its `secret` is to be shown to the operator once."""
    return Connection.objects.create(
        organization_id=organization_id, name=name, secret=new_secret()
    )


def rotate(*, connection_id: UUID, now: datetime) -> str:
    """Give a connection a new secret and answer it; the one before stays valid for a day.

    Raises:
        RotationUnderWay: the previous rotation is not over; `retire_previous_secret` ends it.
        Connection.DoesNotExist: there is no such connection.
    """
    secret = new_secret()
    rotated = Connection.objects.filter(
        Q(previous_secret_until__isnull=True) | Q(previous_secret_until__lte=now),
        pk=connection_id,
    ).update(previous_secret=F("secret"), previous_secret_until=now + ROTATION_GRACE, secret=secret)
    if not rotated:
        until = Connection.objects.values_list("previous_secret_until", flat=True).get(
            pk=connection_id
        )
        raise RotationUnderWay(until or now)
    return secret


def retire_previous_secret(*, connection_id: UUID) -> bool:
    """Stop accepting the secret before the last rotation, at once; False if there was none."""
    return bool(
        Connection.objects.filter(pk=connection_id, previous_secret_until__isnull=False).update(
            previous_secret="", previous_secret_until=None
        )
    )


def new_secret() -> str:
    """A secret of Standard Webhooks, for whichever side signs."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
