"""What a receiver's answer means. Pure. Of its body nothing is ever kept or shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from channels_app.gateways.exchange import Fate, Reply
from channels_app.gateways.outcomes import retry_after


class Outcome(StrEnum):
    """What came of one try. The value is the one in the database."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    UNSENT = "unsent"
    LOST = "lost"


GONE = 410
REDIRECTS = range(300, 400)

_OF_FATE = {
    Fate.UNANSWERED: Outcome.UNANSWERED,
    Fate.UNSENT: Outcome.UNSENT,
    Fate.IMPOSSIBLE: Outcome.UNSENT,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try; `sent_at` and `answered_at` are `time.time()`."""

    outcome: Outcome
    status: int | None
    reason: str
    """Our own word for what went wrong, "" where the status says it all."""
    sent_at: float
    answered_at: float
    retry_after: float | None = None
    """Seconds that the receiver asked us to wait."""

    @property
    def delivered(self) -> bool:
        return self.outcome is Outcome.DELIVERED

    @property
    def gone(self) -> bool:
        """The receiver wants nothing any more (Standard Webhooks 1.0, status 410)."""
        return self.status == GONE


def of_reply(reply: Reply) -> Answer:
    """2xx is delivered, even if the rest of the answer never came; all else is another try."""
    if reply.fate is not Fate.ANSWERED or reply.status is None:
        return Answer(_OF_FATE[reply.fate], None, reply.fault, reply.sent_at, reply.answered_at)
    if 200 <= reply.status < 300:
        return Answer(Outcome.DELIVERED, reply.status, "", reply.sent_at, reply.answered_at)
    answered_at = datetime.fromtimestamp(reply.answered_at, UTC)
    return Answer(
        Outcome.REFUSED,
        reply.status,
        "RedirectNotFollowed" if reply.status in REDIRECTS else "",
        reply.sent_at,
        reply.answered_at,
        retry_after(reply.headers.get("retry-after", ""), answered_at),
    )


def unsent(reason: str, *, now: datetime) -> Answer:
    """It could not even be made."""
    return Answer(Outcome.UNSENT, None, reason, now.timestamp(), now.timestamp())


def lost(*, sent_at: datetime, now: datetime) -> Answer:
    """The sender died between the lease and the answer: the receiver may have the message."""
    return Answer(Outcome.LOST, None, "SenderLost", sent_at.timestamp(), now.timestamp())
