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
    "source_off": Word("Source off", Tone.CALM, "They turned this bot or workflow off."),
    "below_threshold": Word("Below threshold", Tone.CALM, "The bot's threshold was not reached."),
    "already_claimed": Word("Already claimed", Tone.CALM, "Another agent had claimed it."),
    "resolved": Word("Resolved", Tone.CALM, "The conversation was resolved by then."),
    "moot": Word("Moot", Tone.CALM, "It had become meaningless by then."),
    "snoozed": Word("Snoozed", Tone.BUSY, "They snoozed; it is kept for them."),
    "held": Word("Held", Tone.BUSY, "Quiet hours; it is kept until they end."),
    "collapsed": Word("Collapsed", Tone.BUSY, "One banner will stand for a storm of these."),
}

# Where nothing was decided of an event for a person.
NO_OUTCOMES: Mapping[str, Word] = {
    "not_a_candidate": Word("No candidate", Tone.CALM, "It does not concern them."),
    "other_organization": Word("Elsewhere", Tone.CALM, "It is another organization's."),
    "not_routed": Word("Not routed yet", Tone.BUSY, "Nobody has an outcome yet."),
    "quarantined": EVENT_STATES["quarantined"],
    "tells_nobody": EVENT_STATES["recorded"],
    "unknown_type": EVENT_STATES["ignored"],
}

DECIDED_BY: Mapping[str, str] = {
    "catalogue": "the default of this type of event",
    "type_policy": "the organization's level for this type",
    "type_level": "their own setting for this type of event",
    "source_level": "their own setting for this type from this source",
    "subscription": "their own setting for this source",
    "channel_policy": "the organization's switch for the channel",
    "chatbot.respond": "the permission chatbot.respond",
    "unanswered_threshold": "the bot's number of unanswered messages",
    "tone_minimum": "the bot's minimum score of tone",
    "snooze": "their snooze",
    "quiet_hours": "their quiet hours",
    "banners_per_minute": "the organization's limit of banners a minute",
    "os_permission": "none of their devices may show banners",
    "phone_only": "their channel goes to phones only",
    "muted": "each of their devices is muted for the channel",
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

# What would become of an imagined event on a device.
IMAGINED: Mapping[str, Word] = {
    "would_push": Word("Pushed", Tone.GOOD, "It would be pushed there."),
    "not_allowed": Word("Not allowed", Tone.WARN, "Its system shows no banners of the app."),
    "muted": Word("Muted", Tone.CALM, "The device is muted for this channel."),
    "not_a_phone": Word("No phone", Tone.CALM, "The channel goes to phones only."),
}

RECEIPTS: Mapping[str, Word] = {
    "displayed": Word("Displayed", Tone.GOOD, "The app showed it."),
    "opened": Word("Opened", Tone.GOOD, "It was tapped."),
    "action": Word("Button", Tone.GOOD, "A button of it was used."),
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
