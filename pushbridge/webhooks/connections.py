"""Whose door this is: the connection of a URL, with the secrets that are live now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import connection as database

from pushbridge.webhooks.signatures import BadSecret, decode_secret

log = structlog.get_logger(__name__)

# A connection is asked of PostgreSQL this often at most, by each process; so long may one that was
# switched off, or a secret that was retired, still be taken.
KEPT = timedelta(seconds=3)
# Only connections that exist are kept, so that nobody can fill the memory with ids of their own.
KEPT_CONNECTIONS = 10_000

# By hand: the ORM needs longer to write it than PostgreSQL to answer it.
FIND = """
    SELECT organization_id, secret, previous_secret, previous_secret_until
    FROM chatbot_connection WHERE id = %s AND active
"""


@dataclass(frozen=True, slots=True)
class LiveConnection:
    """An active connection; `keys` are its decoded secrets, all of them valid until `until`."""

    id: UUID
    organization_id: int
    keys: tuple[bytes, ...]
    read_at: datetime
    until: datetime


_kept: dict[UUID, LiveConnection] = {}


def find(connection_id: UUID, *, now: datetime) -> LiveConnection | None:
    """The connection, if it exists and is active, as it was at most `KEPT` ago."""
    kept = _kept.get(connection_id)
    # A clock that was set back keeps nothing alive for longer.
    if kept is not None and kept.read_at <= now < kept.until:
        return kept
    return read(connection_id, now=now)


def read(connection_id: UUID, *, now: datetime) -> LiveConnection | None:
    """The connection, if it exists and is active, as it is now. One query."""
    with database.cursor() as cursor:
        cursor.execute(FIND, (connection_id,))
        row = cursor.fetchone()
    if row is None:
        _kept.pop(connection_id, None)
        return None
    organization_id, secret, previous, previous_until = row
    secrets, until = [secret], now + KEPT
    if previous and previous_until is not None and now < previous_until:
        secrets.append(previous)
        until = min(until, previous_until)
    found = LiveConnection(
        connection_id, organization_id, _keys(connection_id, secrets), read_at=now, until=until
    )
    if len(_kept) >= KEPT_CONNECTIONS:
        _kept.clear()
    _kept[connection_id] = found
    return found


def forget(connection_id: UUID) -> None:
    """Ask PostgreSQL again the next time."""
    _kept.pop(connection_id, None)


def _keys(connection_id: UUID, secrets: list[str]) -> tuple[bytes, ...]:
    """What can be decoded. A broken secret verifies nothing, and the operators' log says so."""
    keys = []
    for secret in secrets:
        try:
            keys.append(decode_secret(secret))
        except BadSecret as error:
            log.error("webhook.bad_secret", connection=str(connection_id), error=str(error))
    return tuple(keys)
