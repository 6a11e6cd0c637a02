"""Endpoints: where the platform is told, with which secret, and whether at all."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import F, Q

from channels_app.connections import ROTATION_GRACE, RotationUnderWay, new_secret
from claims.models import Endpoint


def create(*, connection_id: UUID, url: str) -> Endpoint:
    """The endpoint of a connection; its `secret` is to be shown to the operator once.

    Raises:
        IntegrityError: the connection has one.
    """
    return Endpoint.objects.create(connection_id=connection_id, url=url, secret=new_secret())


def rotate(*, endpoint_id: int, now: datetime) -> str:
    """Give an endpoint a new secret and answer it; for a day we sign with both.

    Raises:
        RotationUnderWay: the previous rotation is not over; `retire_previous_secret` ends it.
        Endpoint.DoesNotExist: there is no such endpoint.
    """
    secret = new_secret()
    rotated = Endpoint.objects.filter(
        Q(previous_secret_until__isnull=True) | Q(previous_secret_until__lte=now),
        pk=endpoint_id,
    ).update(previous_secret=F("secret"), previous_secret_until=now + ROTATION_GRACE, secret=secret)
    if not rotated:
        until = Endpoint.objects.values_list("previous_secret_until", flat=True).get(pk=endpoint_id)
        raise RotationUnderWay(until or now)
    return secret


def retire_previous_secret(*, endpoint_id: int) -> bool:
    """Stop signing with the secret before the last rotation, at once; False if there was none."""
    return bool(
        Endpoint.objects.filter(pk=endpoint_id, previous_secret_until__isnull=False).update(
            previous_secret="", previous_secret_until=None
        )
    )


def enable(*, endpoint_id: int) -> bool:
    """Send to an endpoint again that we disabled; False if we did not.

    What failed meanwhile stays failed, until it is replayed.
    """
    return bool(
        Endpoint.objects.filter(pk=endpoint_id, disabled_at__isnull=False).update(
            disabled_at=None, disabled_reason="", failing_since=None
        )
    )
