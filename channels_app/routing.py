"""Who is told of an event, how loudly, when, and why not. Pure: no ORM, no settings, no clock.

`decide` is one ladder of questions; the first that applies is the outcome, and its name is what is
recorded for the person and shown by `why`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from channels_app.event_types import Channel, EventType
from channels_app.levels import Level, Privacy
from channels_app.quiet_hours import Schedule, quiet_until

# A phone whose app has not started for so long is not one that answers.
ANSWERS_WITHIN = timedelta(days=14)


class Outcome(StrEnum):
    """What became of one event for one person, in the order in which the questions are asked."""

    ACTOR = "actor"
    INACTIVE = "inactive"
    NO_PERMISSION = "no_permission"
    NOT_SUBSCRIBED = "not_subscribed"
    CHANNEL_OFF = "channel_off"
    TYPE_OFF = "type_off"
    SOURCE_OFF = "source_off"
    BELOW_THRESHOLD = "below_threshold"
    ALREADY_CLAIMED = "already_claimed"
    RESOLVED = "resolved"
    MOOT = "moot"
    SNOOZED = "snoozed"
    HELD = "held"
    COLLAPSED = "collapsed"
    NO_DEVICE = "no_device"
    PUSHED = "pushed"


# Kept, and judged again later.
WAITING = frozenset({Outcome.SNOOZED, Outcome.HELD, Outcome.COLLAPSED})
# What a person would have been told, had they been there: it stands in their inbox.
LISTED = WAITING | {Outcome.NO_DEVICE, Outcome.PUSHED}


class Setting(StrEnum):
    """The setting that had the last word on an outcome or a level."""

    CATALOGUE = "catalogue"
    TYPE_POLICY = "type_policy"
    """The operators' level for the type."""
    TYPE_LEVEL = "type_level"
    """The member's own level for the type."""
    SOURCE_LEVEL = "source_level"
    """The member's own level for the type, from this source."""
    SUBSCRIPTION = "subscription"
    """The member's own level for all of this source."""
    CHANNEL_POLICY = "channel_policy"
    RESPOND = "chatbot.respond"
    UNANSWERED_THRESHOLD = "unanswered_threshold"
    TONE_MINIMUM = "tone_minimum"
    SNOOZE = "snooze"
    QUIET_HOURS = "quiet_hours"
    BANNERS_PER_MINUTE = "banners_per_minute"
    OS_PERMISSION = "os_permission"
    """The system does not let the app show banners on any of their devices."""
    PHONE_ONLY = "phone_only"
    MUTED = "muted"
    LADDER = "ladder"
    """The first wave of the bot's ladder is for others."""


@dataclass(frozen=True, slots=True)
class Device:
    """A living installation of a candidate."""

    installation_id: UUID
    critical_sounds: bool
    """Whether a critical push may really sound critical there."""
    phone: bool = True
    """Not a browser."""
    allowed: bool = True
    """Whether the system lets the app show banners there at all."""
    registered_at: datetime | None = None
    """When the app told its token last, which it does at each start."""
    muted: frozenset[str] = frozenset()
    """The channels of which it shows nothing."""
    privacy: Privacy = Privacy.FULL


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a bot's operators set: from when on its trouble is worth a push."""

    unanswered: int = 3
    tone: float = 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """What an organization's operators set for everyone."""

    channels_off: frozenset[str] = frozenset()
    levels: Mapping[str, Level] = field(default_factory=dict)
    """By type of event."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """An event at a moment, as far as the decision needs it."""

    row: EventType
    data: Mapping[str, Any]
    at: datetime
    """The moment of the decision, not that of the event."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the state knew: `state` where the conversation or run is past this event."""
    source_id: int | None = None
    subject: str = ""
    thresholds: Thresholds = Thresholds()
    policy: Policy = Policy()


@dataclass(frozen=True, slots=True)
class Snooze:
    """Quiet until a moment: of everything, of a source, or of one conversation or run of it."""

    until: datetime
    source_id: int | None = None
    subject: str = ""

    def covers(self, occasion: Occasion) -> bool:
        """Whether it is about this event at all."""
        return self.source_id is None or (
            self.source_id == occasion.source_id and self.subject in ("", occasion.subject)
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who might be told, as they are now."""

    membership_id: int
    external_id: str
    active: bool
    permitted: bool
    subscribed: bool
    locale: str = "en"
    type_level: Level | None = None
    """Their own setting for this type of event, from any source."""
    source_level: Level | None = None
    """Their own setting for this type of event from this source."""
    subscription_level: Level | None = None
    """Their own setting for whatever this source sends."""
    devices: tuple[Device, ...] = ()
    quiet_hours: Schedule | None = None
    snoozes: tuple[Snooze, ...] = ()
    overrides: bool | None = None
    """Whether this channel breaks through their quiet hours; None: as the channel does."""
    phone_only: bool = False
    """Whether this channel goes to their phones only."""
    crowded_until: datetime | None = None
    """Until when no banner has room on their devices."""


@dataclass(slots=True)
class Decision:
    """The outcome for one candidate, how loud, and the setting that had the last word.

    Not frozen, since thousands of these are made a second: freezing doubles the cost.
    """

    outcome: Outcome
    level: Level
    decided_by: str = ""
    until: datetime | None = None
    """When to judge again, for an outcome that waits."""
    devices: tuple[Device, ...] = ()
    """Where it goes, if it is pushed."""


# The state of the conversation or run, where it leaves nothing to tell of this event.
OVERTAKEN = {
    "claimed": Outcome.ALREADY_CLAIMED,
    "with_bot": Outcome.RESOLVED,
    "resolved": Outcome.RESOLVED,
    "finished": Outcome.MOOT,
    "superseded": Outcome.MOOT,
}


def decide(occasion: Occasion, candidate: Candidate) -> Decision:
    """The outcome of an event for a person (the reference: "Who is told, how loudly, when")."""
    level, decided_by = resolve_level(occasion, candidate)
    if occasion.row.retracts:
        return _corrected(occasion, candidate, level)
    return (
        _ineligible(occasion, candidate, level)
        or _unwanted(occasion, level, decided_by)
        or _needless(occasion, candidate, level)
        or _untimely(occasion, candidate, level)
        or _delivered(occasion, candidate, level, decided_by)
    )


def _corrected(occasion: Occasion, candidate: Candidate, level: Level) -> Decision:
    """Of what takes a banner back: it goes wherever that is shown, asleep or not, and rings nobody.

    Who has it nowhere but where they answered the call themselves did it.
    """
    if not candidate.active:
        return Decision(Outcome.INACTIVE, level)
    if overtaken := _needless(occasion, candidate, level):
        return overtaken
    if candidate.devices:
        return Decision(Outcome.PUSHED, level, Setting.CATALOGUE, devices=candidate.devices)
    did_it = occasion.facts.get("holder") == candidate.membership_id
    return Decision(Outcome.ACTOR if did_it else Outcome.NO_DEVICE, level)


def resolve_level(occasion: Occasion, candidate: Candidate) -> tuple[Level, Setting]:
    """The level and whose word it is.

    For the type it is the person's for this source, else their own for any, else the operators',
    else the catalogue's. Then what the person set for the source as a whole caps it at quiet,
    raises quiet to loud, or turns it off; it wakes no type that is off. Only an escalation can be
    critical; anything else that is set so is loud.
    """
    level, decided_by = _level_of_type(occasion, candidate)
    if level is Level.CRITICAL and occasion.row.channel is not Channel.ESCALATION:
        level = Level.LOUD
    if candidate.subscription_level is None:
        return level, decided_by
    match level, candidate.subscription_level:
        case (Level.LOUD | Level.CRITICAL, Level.QUIET):
            return Level.QUIET, Setting.SUBSCRIPTION
        case (Level.QUIET, Level.LOUD):
            return Level.LOUD, Setting.SUBSCRIPTION
        case (Level.QUIET | Level.LOUD | Level.CRITICAL, Level.OFF):
            return Level.OFF, Setting.SUBSCRIPTION
    return level, decided_by


def _level_of_type(occasion: Occasion, candidate: Candidate) -> tuple[Level, Setting]:
    if candidate.source_level is not None:
        return candidate.source_level, Setting.SOURCE_LEVEL
    if candidate.type_level is not None:
        return candidate.type_level, Setting.TYPE_LEVEL
    policy = occasion.policy.levels.get(occasion.row.name)
    if policy is not None:
        return policy, Setting.TYPE_POLICY
    return occasion.row.default_level(occasion.data), Setting.CATALOGUE


def _ineligible(occasion: Occasion, candidate: Candidate, level: Level) -> Decision | None:
    """Whoever has no part in it."""
    if _is_actor(occasion, candidate):
        return Decision(Outcome.ACTOR, level)
    if not candidate.active:
        return Decision(Outcome.INACTIVE, level)
    if occasion.row.channel is Channel.ESCALATION and not candidate.permitted:
        return Decision(Outcome.NO_PERMISSION, level, Setting.RESPOND)
    if not candidate.subscribed:
        return Decision(Outcome.NOT_SUBSCRIBED, level)
    return None


def _unwanted(occasion: Occasion, level: Level, decided_by: Setting) -> Decision | None:
    """What somebody turned off, or set a bar for that it does not reach."""
    if occasion.row.channel in occasion.policy.channels_off:
        return Decision(Outcome.CHANNEL_OFF, level, Setting.CHANNEL_POLICY)
    if level is Level.OFF:
        of_source = decided_by is Setting.SUBSCRIPTION
        return Decision(Outcome.SOURCE_OFF if of_source else Outcome.TYPE_OFF, level, decided_by)
    if threshold := _below(occasion):
        return Decision(Outcome.BELOW_THRESHOLD, level, threshold)
    return None


def _needless(occasion: Occasion, candidate: Candidate, level: Level) -> Decision | None:
    """What has been overtaken by what happened since; and a call that came to a conversation which
    somebody holds, for everybody else.
    """
    facts = occasion.facts
    overtaken = OVERTAKEN.get(facts.get("state", ""))
    if overtaken is None:
        return None
    if overtaken is Outcome.ALREADY_CLAIMED and facts.get("holder") == candidate.membership_id:
        return None
    return Decision(overtaken, level)


def _untimely(occasion: Occasion, candidate: Candidate, level: Level) -> Decision | None:
    """What is kept for later.

    A notice is our own word at a time that was right when it was chosen: it is never kept. What
    breaks through quiet hours breaks through a snooze of everything, which is a quiet hour; who
    snoozes one source or conversation means that one.
    """
    channel = occasion.row.channel
    if channel is Channel.NOTICE:
        return None
    if occasion.facts.get("awake") and not _is_awake(occasion, candidate):
        return Decision(Outcome.HELD, level, Setting.LADDER)
    overrides = candidate.overrides
    if overrides is None:
        overrides = channel is Channel.ESCALATION
    if until := _snoozed_until(occasion, candidate, overrides=overrides):
        return Decision(Outcome.SNOOZED, level, Setting.SNOOZE, until)
    if candidate.quiet_hours is not None and not overrides:
        until = quiet_until(candidate.quiet_hours, at=occasion.at)
        if until is not None:
            return Decision(Outcome.HELD, level, Setting.QUIET_HOURS, until)
    if candidate.crowded_until is not None and channel is not Channel.ESCALATION:
        return Decision(
            Outcome.COLLAPSED, level, Setting.BANNERS_PER_MINUTE, candidate.crowded_until
        )
    return None


def _is_awake(occasion: Occasion, candidate: Candidate) -> bool:
    """Whether they are in no quiet hours of any kind, and have a phone that answers."""
    if _snoozed_until(occasion, candidate, overrides=False) is not None:
        return False
    quiet_hours = candidate.quiet_hours
    if quiet_hours is not None and quiet_until(quiet_hours, at=occasion.at) is not None:
        return False
    return any(
        device.phone
        and device.allowed
        and device.registered_at is not None
        and occasion.at - device.registered_at <= ANSWERS_WITHIN
        for device in candidate.devices
    )


def _snoozed_until(occasion: Occasion, candidate: Candidate, *, overrides: bool) -> datetime | None:
    ends = (
        snooze.until
        for snooze in candidate.snoozes
        if snooze.until > occasion.at
        and snooze.covers(occasion)
        and not (overrides and snooze.source_id is None)
    )
    return max(ends, default=None)


def _delivered(
    occasion: Occasion, candidate: Candidate, level: Level, decided_by: Setting
) -> Decision:
    """It goes to every device that may show it, if there is one."""
    heard = [
        device
        for device in candidate.devices
        if device.allowed
        and (device.phone or not candidate.phone_only)
        and not (device.muted and _is_muted(occasion, device))
    ]
    if heard:
        return Decision(Outcome.PUSHED, level, decided_by, devices=tuple(heard))
    return Decision(Outcome.NO_DEVICE, level, _silenced_by(candidate))


def _silenced_by(candidate: Candidate) -> str:
    """What keeps the last of the devices silent, if there are any."""
    if not candidate.devices:
        return ""
    allowed = [device for device in candidate.devices if device.allowed]
    if not allowed:
        return Setting.OS_PERMISSION
    if candidate.phone_only and not any(device.phone for device in allowed):
        return Setting.PHONE_ONLY
    return Setting.MUTED


def _is_muted(occasion: Occasion, device: Device) -> bool:
    """Of a digest, which tells of several channels: whether all of them are muted."""
    channels = occasion.data.get("channels") if occasion.row.channel is Channel.NOTICE else None
    return device.muted.issuperset(channels or [occasion.row.channel])


def _is_actor(occasion: Occasion, candidate: Candidate) -> bool:
    actor = occasion.data.get("actor")
    return actor is not None and actor["id"] == candidate.external_id != ""


def _below(occasion: Occasion) -> Setting | None:
    """The bot's threshold that this event does not reach, if there is one."""
    data = occasion.data
    match occasion.row.name:
        case "conversation.unanswered":
            if data["consecutive_unanswered"] < occasion.thresholds.unanswered:
                return Setting.UNANSWERED_THRESHOLD
        case "conversation.tone_escalated":
            if data["score"] < occasion.thresholds.tone:
                return Setting.TONE_MINIMUM
    return None
