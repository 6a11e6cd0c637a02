"""Whose door this is: the connection of a URL, with the secrets that are live now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from django.db import connection as database

from pushbridge.webhooks.signatures import BadSecret, decode_secret

log = structlog.get_logger(__name__)

# By hand: this runs for every request, and the ORM needs longer to write it than PostgreSQL to
# answer it.
FIND = """
    SELECT organization_id, secret, previous_secret, previous_secret_until
    FROM chatbot_connection WHERE id = %s AND active
"""


@dataclass(frozen=True, slots=True)
class LiveConnection:
    """An active connection; `keys` are its decoded secrets that are valid now."""

    id: UUID
    organization_id: int
    keys: tuple[bytes, ...]


def find(connection_id: UUID, *, now: datetime) -> LiveConnection | None:
    """The connection, if it exists and is active. One query."""
    with database.cursor() as cursor:
        cursor.execute(FIND, (connection_id,))
        row = cursor.fetchone()
    if row is None:
        return None
    organization_id, secret, previous, until = row
    secrets = [secret]
    if previous and until is not None and now < until:
        secrets.append(previous)
    return LiveConnection(connection_id, organization_id, _keys(connection_id, secrets))


def _keys(connection_id: UUID, secrets: list[str]) -> tuple[bytes, ...]:
    """What can be decoded. A broken secret verifies nothing, and the operators' log says so."""
    keys = []
    for secret in secrets:
        try:
            keys.append(decode_secret(secret))
        except BadSecret as error:
            log.error("webhook.bad_secret", connection=str(connection_id), error=str(error))
    return tuple(keys)
