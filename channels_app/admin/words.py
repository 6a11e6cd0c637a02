"""What states, outcomes and verdicts are called, coloured and explained on screen. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """A colour with a meaning; the value is the end of a class name in `admin.css`."""

    GOOD = "good"
    BUSY = "busy"
    WARN = "warn"
    BAD = "bad"
    CALM = "calm"


@dataclass(frozen=True, slots=True)
class Word:
    label: str
    tone: Tone
    sentence: str = ""


EVENT_STATES: Mapping[str, Word] = {
    "received": Word("Waiting", Tone.BUSY, "Received; waits to be routed."),
    "routed": Word("Routed", Tone.GOOD, "Everyone it concerns has an outcome."),
    "recorded": Word("Recorded", Tone.CALM, "It changes a state and tells nobody."),
    "ignored": Word("Ignored", Tone.CALM, "Pushbridge does not know this type."),
    "quarantined": Word("Quarantined", Tone.BAD, "Routing it failed three times; nobody was told."),
}

# The names are those of the specification, "Who is told, how loudly, when".
OUTCOMES: Mapping[str, Word] = {
    "pushed": Word("Pushed", Tone.GOOD, "A banner was made for each of their devices."),
    "no_device": Word("No device", Tone.WARN, "They have no living device to push to."),
    "no_permission": Word(
        "No permission", Tone.WARN, "They may not respond to this bot (chatbot.respond)."
    ),
    "actor": Word("Actor", Tone.CALM, "They did it themselves."),
    "inactive": Word("Inactive", Tone.CALM, "Their account or their membership is inactive."),
    "not_subscribed": Word(
        "Not subscribed", Tone.CALM, "They do not subscribe to this bot or workflow."
    ),
    "channel_off": Word("Channel off", Tone.CALM, "The organization turned this channel off."),
    "type_off": Word("Type off", Tone.CALM, "This type of event is off for them."),
    "source_off": Word(
        "Source off", Tone.CALM, "They turned this type off for this bot or workflow."
    ),
    "below_threshold": Word("Below threshold", Tone.CALM, "The bot's threshold was not reached."),
    "already_claimed": Word("Already claimed", Tone.CALM, "Another agent had claimed it."),
    "resolved": Word("Resolved", Tone.CALM, "The conversation was resolved by then."),
    "moot": Word("Moot", Tone.CALM, "It had become meaningless by then."),
    "snoozed": Word("Snoozed", Tone.BUSY, "They snoozed; it is kept for them."),
    "held": Word("Held", Tone.BUSY, "Quiet hours; it is kept until they end."),
    "collapsed": Word("Collapsed", Tone.CALM, "One banner stands for a storm of these."),
}

DECIDED_BY: Mapping[str, str] = {
    "source_level": "their own setting for this source",
    "type_level": "their own setting for this type of event",
    "catalogue": "the default of this type of event",
    "chatbot.respond": "the permission chatbot.respond",
    "unanswered_threshold": "the bot's number of unanswered messages",
    "tone_minimum": "the bot's minimum score of tone",
}

LEVELS: Mapping[str, Word] = {
    "critical": Word("Critical", Tone.BAD),
    "loud": Word("Loud", Tone.WARN),
    "quiet": Word("Quiet", Tone.CALM),
    "off": Word("Off", Tone.CALM),
}

DELIVERY_STATES: Mapping[str, Word] = {
    "pending": Word("Pending", Tone.BUSY, "To be sent when it is due."),
    "sending": Word("Sending", Tone.BUSY, "A worker has it."),
    "accepted": Word("Accepted", Tone.GOOD, "The push service took it."),
    "failed": Word("Failed", Tone.BAD, "Failed for good."),
    "expired": Word("Expired", Tone.WARN, "Its time to live ended before it could be sent."),
    "cancelled": Word("Cancelled", Tone.CALM, "Cancelled before it left."),
    "unknown": Word("Unknown", Tone.WARN, "Sent, but the push service never answered."),
}

VERDICTS: Mapping[str, Word] = {
    "accepted": Word("Accepted", Tone.GOOD, "The push service took it."),
    "retry": Word("Try again", Tone.BUSY, "Surely not delivered; worth another try."),
    "dead": Word("Token dead", Tone.BAD, "The app is gone from this device, or its token changed."),
    "rejected": Word("Rejected", Tone.BAD, "Our fault; the device stays healthy."),
    "credentials": Word(
        "Credentials", Tone.BAD, "The push service does not accept our key, topic or sender."
    ),
    "unknown": Word("No answer", Tone.WARN, "Sent; it may have arrived."),
    "lost": Word("Sender died", Tone.WARN, "The sender died in mid-send; it may have arrived."),
}

CONVERSATION_STATES: Mapping[str, Word] = {
    "waiting": Word("Waiting", Tone.BAD, "A customer waits for a human."),
    "claimed": Word("Claimed", Tone.BUSY, "An agent has it."),
    "with_bot": Word("With bot", Tone.CALM, "It is back with the bot."),
    "resolved": Word("Resolved", Tone.GOOD, "It is resolved."),
}

RUN_STATES: Mapping[str, Word] = {
    "running": Word("Running", Tone.BUSY),
    "success": Word("Success", Tone.GOOD),
    "failure": Word("Failure", Tone.BAD),
}


def word(words: Mapping[str, Word], value: str) -> Word:
    """The word for a value; a value without one is shown as it is."""
    return words.get(value) or Word(value, Tone.CALM)
