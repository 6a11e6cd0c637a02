"""By what a request came in: `request.auth`, whoever issued it."""

from __future__ import annotations

from dataclasses import dataclass
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
    """

    client: str = ""
    scopes: frozenset[Scope] = frozenset(Scope)
