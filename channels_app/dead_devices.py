"""Dead devices: a push service has said that a token is dead, and nothing goes there any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import connection

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Proof:
    """A push service's word on a token: dead since a moment; where it names none, when we sent."""

    delivery_id: int
    token: str
    since: datetime


# A device that has told another token since, or the same one again, lives. Its rows are locked in
# the order in which a registration locks them.
BURY = """
    WITH dead AS (
        UPDATE chatbot_installation installation SET dead_since = proof.since
        FROM unnest(%(delivery)s::bigint[], %(token)s::text[], %(since)s::timestamptz[])
            proof (delivery, token, since)
        JOIN chatbot_delivery delivery ON delivery.id = proof.delivery
        JOIN chatbot_installation known ON known.id = delivery.installation_id
        LEFT JOIN push_notifications_apnsdevice apns ON apns.id = known.apns_id
        LEFT JOIN push_notifications_gcmdevice fcm ON fcm.id = known.fcm_id
        LEFT JOIN push_notifications_webpushdevice webpush ON webpush.id = known.webpush_id
        WHERE installation.id = known.id
            AND installation.dead_since IS NULL AND installation.registered_at <= proof.since
            AND proof.token = COALESCE(
                apns.registration_id, fcm.registration_id, webpush.registration_id
            )
        RETURNING installation.apns_id, installation.fcm_id, installation.webpush_id
    ), apns AS (
        UPDATE push_notifications_apnsdevice SET active = false
        WHERE id IN (SELECT apns_id FROM dead)
    ), fcm AS (
        UPDATE push_notifications_gcmdevice SET active = false
        WHERE id IN (SELECT fcm_id FROM dead)
    )
    UPDATE push_notifications_webpushdevice SET active = false
    WHERE id IN (SELECT webpush_id FROM dead)
"""


def bury(proofs: Sequence[Proof]) -> None:
    """Take dead devices out of service."""
    with connection.cursor() as cursor:
        cursor.execute(
            BURY,
            {
                "delivery": [proof.delivery_id for proof in proofs],
                "token": [proof.token for proof in proofs],
                "since": [proof.since for proof in proofs],
            },
        )
    log.info("device.dead", deliveries=[proof.delivery_id for proof in proofs])
