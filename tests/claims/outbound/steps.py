"""Steps of a message's life, for tests: made due, leased, answered."""

from __future__ import annotations

from datetime import datetime, timedelta

from claims.models import Endpoint, Message
from claims.outbound import tries
from claims.outbound.answers import Answer, Outcome
from claims.outbound.tries import Leased
from tests.claims.outbound.conftest import NOW
from tests.factories import MessageFactory

MOST_TRIES = 20
"""More than any message has whose receiver never takes it."""


def due(endpoint: Endpoint, **values: object) -> Message:
    return MessageFactory.create(endpoint=endpoint, created_at=NOW, **values)


def lease(limit: int = 100, **later: float) -> list[Leased]:
    return tries.lease(now=NOW + timedelta(**later), limit=limit)


def ids(leased: list[Leased]) -> list[int]:
    return sorted(one.message_id for one in leased)


def answer(outcome: Outcome, status: int | None = None, **later: float) -> Answer:
    at = (NOW + timedelta(**later)).timestamp()
    return Answer(outcome, status, "", at, at + 0.1)


def settle(
    leased: list[Leased], outcome: Outcome, status: int | None = None, **later: float
) -> None:
    now = NOW + timedelta(**later)
    tries.settle([(one, answer(outcome, status, **later)) for one in leased], now=now)


def settle_at(now: datetime, outcome: Outcome, status: int) -> None:
    """Lease what is due then, and answer it."""
    since = (now - NOW).total_seconds()
    settle(lease(seconds=since), outcome, status, seconds=since)


def fail_until_given_up(message: Message) -> None:
    """Days of failure."""
    for _ in range(MOST_TRIES):
        settle_at(message.due_at, Outcome.REFUSED, 500)
        message.refresh_from_db()
        if message.state != "pending":
            return
    raise AssertionError(f"{message} is still tried")
