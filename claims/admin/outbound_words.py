"""The words for what became of a message to the platform."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from channels_app.admin import cells, words
from channels_app.admin.words import Tone, Word
from claims.models import Endpoint, Message, MessageAttempt
from claims.outbound.messages import ENDPOINT_DISABLED

ENDPOINT_STATES: Mapping[str, Word] = {
    "on": Word("On", Tone.GOOD, "It is told of every change."),
    "off": Word("Off", Tone.CALM, "Switched off here: it is sent nothing, and what waits is kept."),
    "failing": Word("Failing", Tone.WARN, "Every try fails; what waits is tried again, for days."),
    "gone": Word("Disabled", Tone.BAD, "It answered 410 Gone: it wants nothing any more."),
    "lasting": Word("Disabled", Tone.BAD, "It took nothing for days: nobody seems to be there."),
    "inactive": Word("Off", Tone.CALM, "Its connection is not active."),
}

MESSAGE_STATES: Mapping[str, Word] = {
    "pending": Word("Pending", Tone.BUSY, "It waits for its next try."),
    "sending": Word("Sending", Tone.BUSY, "It is under way."),
    "delivered": Word("Delivered", Tone.GOOD, "The platform took it (2xx)."),
    "failed": Word("Failed", Tone.BAD, "Given up; it can be replayed."),
}

OUTCOMES: Mapping[str, Word] = {
    "delivered": Word("Delivered", Tone.GOOD, "The platform took it (2xx)."),
    "refused": Word("Refused", Tone.BAD, "It was answered with another status than 2xx."),
    "unanswered": Word("No answer", Tone.WARN, "Sent, never answered; it may have arrived."),
    "unsent": Word("Not sent", Tone.BAD, "It never left: there was no connection to send it on."),
    "lost": Word("Sender died", Tone.WARN, "The sender died in mid-send; it may have arrived."),
}

# What our own words for a failure mean; HTTP's speak for themselves.
REASONS: Mapping[str, str] = {
    "AddressNotAllowed": "the name points to an address that is not public",
    "BadSecret": "the secret cannot sign; rotate it",
    "CertificateNotTrusted": "its certificate is not one that is trusted",
    "ConnectionLost": "the connection broke before an answer came",
    "CouldNotConnect": "nobody listens there",
    "HostNotFound": "there is no host of that name",
    "RedirectNotFollowed": "it redirects, which is not followed: enter the address it names",
    "ReplyTooLarge": "its answer had no end",
    "SenderLost": "the sender died in mid-send",
    "Timeout": "no answer came in time",
    "TlsFailure": "it does not speak TLS as we do",
    ENDPOINT_DISABLED: "its endpoint was disabled; enable it, then replay",
}


def endpoint_state(endpoint: Endpoint) -> Word:
    """How an endpoint is; of several things that keep it from being told, the lasting one."""
    if endpoint.disabled_at is not None:
        gone = endpoint.disabled_reason == Endpoint.Reason.GONE
        return ENDPOINT_STATES["gone" if gone else "lasting"]
    if not endpoint.connection.active:
        return ENDPOINT_STATES["inactive"]
    if not endpoint.enabled:
        return ENDPOINT_STATES["off"]
    return ENDPOINT_STATES["failing" if endpoint.failing_since else "on"]


def reason(text: str) -> str:
    """What a try came to: as it is recorded and, where that is a word of ours, in a sentence."""
    return f"{text}: {REASONS[text]}" if text in REASONS else text


def next_try(message: Message, *, now: datetime) -> str:
    """When a message is tried next, as one says it."""
    if message.state == Message.State.SENDING:
        return "under way"
    if message.state != Message.State.PENDING:
        return "none"
    if not _may_leave(message):
        return "once its endpoint is switched on"
    rest = message.due_at - now
    return f"in {cells.took(rest)}" if rest.total_seconds() > 0 else "now"


def _may_leave(message: Message) -> bool:
    endpoint = message.endpoint
    return endpoint.connection.active and endpoint.enabled and endpoint.disabled_at is None


def outcome(attempt: MessageAttempt) -> Word:
    return words.word(OUTCOMES, attempt.outcome)
