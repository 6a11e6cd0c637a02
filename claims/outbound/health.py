"""How an endpoint is: whether it takes anything, since when not, and when for good. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from claims.outbound.answers import Answer, Outcome
from claims.outbound.schedule import LASTING

OUTAGE = timedelta(minutes=10)
"""After a shorter failure everything finds its own way back; after a longer one, what waits for
hours is sent as soon as anything is taken again."""


@dataclass(frozen=True, slots=True)
class Health:
    """What the last tries say of an endpoint."""

    failing_since: datetime | None
    disabled_reason: str = ""
    """Why nobody is there any more, if so: a value of `Endpoint.Reason`."""
    recovered: bool = False
    """It takes messages again after an outage."""


def judge(
    *, failing_since: datetime | None, tries: Sequence[tuple[Answer, bool]], now: datetime
) -> Health:
    """What these tries say, each an answer and whether its message is given up with it.

    A try whose sender died says nothing of the receiver.
    """
    answers = [answer for answer, _ in tries if answer.outcome is not Outcome.LOST]
    if any(answer.gone for answer in answers):
        return Health(failing_since or _first(answers), disabled_reason="gone")
    if any(answer.delivered for answer in answers):
        recovered = failing_since is not None and now - failing_since >= OUTAGE
        return Health(None, recovered=recovered)
    if not answers:
        return Health(failing_since)
    since = failing_since or _first(answers)
    given_up = any(given_up for _, given_up in tries)
    lasting = given_up and now - since >= LASTING
    return Health(since, disabled_reason="failing" if lasting else "")


def _first(answers: Sequence[Answer]) -> datetime:
    return datetime.fromtimestamp(min(answer.sent_at for answer in answers), UTC)
