"""By what a request came in: `request.auth`, whoever issued it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """What a person may let an app do for them."""

    READ = "read"
    WRITE = "write"


SCOPES = {
    Scope.READ: "See your notifications, subscriptions, settings and devices.",
    Scope.WRITE: "Change them, register devices, and claim and answer conversations for you.",
}


@dataclass(frozen=True, slots=True)
class Credential:
    """Attributes:
    client: the app that asks, by its client id; empty for a browser session.
    scopes: what it may do.
    token_id: the row of a token of ours, which may be revoked.
    expires_at: from when on it lets nobody in, where that is known.
    """

    client: str = ""
    scopes: frozenset[Scope] = frozenset(Scope)
    token_id: int | None = None
    expires_at: datetime | None = None
