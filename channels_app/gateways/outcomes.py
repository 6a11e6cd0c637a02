"""What an answer means, in words that all three services share. Pure."""

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from channels_app.gateways.exchange import Fate, Headers, Reply
from channels_app.gateways.pushes import Verdict

MAX_ID_CHARACTERS = 500
MAX_RETRY_AFTER_SECONDS = 24 * 3600.0

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")


class Unsendable(ValueError):
    """A push that no service would take. `reason` is one word for the record."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class BrokenCredentials(ValueError):
    """An application whose key cannot be used: its pushes wait until somebody repairs it."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


@dataclass(slots=True)
class Outcome:
    """An `Answer` without the push it belongs to."""

    verdict: Verdict
    reason: str
    retry_after: float | None = None
    dead_since: datetime | None = None
    gateway_id: str = ""


def of_unanswered(reply: Reply) -> Outcome:
    """The outcome where no status came back."""
    verdict = {
        Fate.UNSENT: Verdict.RETRY,
        Fate.UNANSWERED: Verdict.UNKNOWN,
        Fate.IMPOSSIBLE: Verdict.REJECTED,
    }[reply.fate]
    return Outcome(verdict, reply.fault)


def of_status(status: int, reason: str) -> Outcome:
    """For a status that the service's own table does not list.

    408 and 425 ask for another try, 421 for another connection (RFC 9110, section 15.5), every
    5xx speaks of the server. A redirection is not followed, and what else is refused is refused
    for good.
    """
    if 200 <= status < 300:
        return Outcome(Verdict.ACCEPTED, reason)
    if status in (408, 421, 425, 429) or status >= 500:
        return Outcome(Verdict.RETRY, reason)
    return Outcome(Verdict.REJECTED, reason)


def with_retry_after(outcome: Outcome, headers: Headers, now: datetime) -> Outcome:
    """Where another try is due, wait as long as the service asks for."""
    wait = retry_after(headers.get("retry-after", ""), now)
    if outcome.verdict is not Verdict.RETRY or wait is None:
        return outcome
    return replace(outcome, retry_after=wait)


def retry_after(text: str, now: datetime) -> float | None:
    """Seconds to wait: RFC 9110, section 10.2.3, has a number of seconds and an HTTP date.

    None for what is neither. Never more than a day: a push would not live to see it.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), MAX_RETRY_AFTER_SECONDS)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError):
        # Overflow: a year or an offset from UTC with more digits than a date has.
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(0.0, (at - now).total_seconds()), MAX_RETRY_AFTER_SECONDS)


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object of an answer; an empty one for anything else."""
    try:
        content = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def word(value: object) -> str:
    """A reason to keep: one word such as services use, "" for anything else."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""


def identifier(value: object) -> str:
    """A service's name for what it took, as far as it is short and printable; else ""."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        return ""
    return value[:MAX_ID_CHARACTERS]
