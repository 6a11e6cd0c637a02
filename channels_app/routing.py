"""Who is told of an event, how loudly, and why not. Pure: no ORM, no settings, no clock.

`decide` is one ladder of questions; the first that applies is the outcome, and its name is what is
recorded for the person and shown by `why`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from channels_app.event_types import Channel, EventType
from channels_app.levels import Level


class Outcome(StrEnum):
    """What became of one event for one person, in the order in which the questions are asked."""

    ACTOR = "actor"
    INACTIVE = "inactive"
    NO_PERMISSION = "no_permission"
    NOT_SUBSCRIBED = "not_subscribed"
    TYPE_OFF = "type_off"
    SOURCE_OFF = "source_off"
    BELOW_THRESHOLD = "below_threshold"
    ALREADY_CLAIMED = "already_claimed"
    RESOLVED = "resolved"
    MOOT = "moot"
    NO_DEVICE = "no_device"
    PUSHED = "pushed"


@dataclass(frozen=True, slots=True)
class Device:
    """A living installation of a candidate."""

    installation_id: UUID
    critical_sounds: bool
    """Whether a critical push may really sound critical there."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a bot's operators set: from when on its trouble is worth a push."""

    unanswered: int = 3
    tone: float = 0.0


@dataclass(frozen=True, slots=True)
class Occasion:
    """An event, as far as the decision needs it."""

    row: EventType
    data: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the state knew: `state` where the conversation or run is past this event."""
    thresholds: Thresholds = Thresholds()


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
    devices: tuple[Device, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one candidate, how loud, and the setting that had the last word."""

    outcome: Outcome
    level: Level
    decided_by: str = ""


# The state of the conversation or run, where it leaves nothing to tell of this event.
OVERTAKEN = {
    "claimed": Outcome.ALREADY_CLAIMED,
    "with_bot": Outcome.RESOLVED,
    "resolved": Outcome.RESOLVED,
    "finished": Outcome.MOOT,
}


def decide(occasion: Occasion, candidate: Candidate) -> Decision:
    """The outcome of an event for a person (the reference: "Who is told, how loudly, when")."""
    level, decided_by = resolve_level(occasion, candidate)
    if _is_actor(occasion, candidate):
        return Decision(Outcome.ACTOR, level)
    if not candidate.active:
        return Decision(Outcome.INACTIVE, level)
    if occasion.row.channel is Channel.ESCALATION and not candidate.permitted:
        return Decision(Outcome.NO_PERMISSION, level, "chatbot.respond")
    if not candidate.subscribed:
        return Decision(Outcome.NOT_SUBSCRIBED, level)
    if level is Level.OFF:
        own = decided_by == "source_level"
        return Decision(Outcome.SOURCE_OFF if own else Outcome.TYPE_OFF, level, decided_by)
    if threshold := _below(occasion):
        return Decision(Outcome.BELOW_THRESHOLD, level, threshold)
    if overtaken := OVERTAKEN.get(occasion.facts.get("state", "")):
        return Decision(overtaken, level)
    if not candidate.devices:
        return Decision(Outcome.NO_DEVICE, level)
    return Decision(Outcome.PUSHED, level, decided_by)


def resolve_level(occasion: Occasion, candidate: Candidate) -> tuple[Level, str]:
    """The level and whose word it is: the person's for the source, for the type, the catalogue's.

    Only an escalation can be critical; anything else that is set so is loud.
    """
    if candidate.source_level is not None:
        level, decided_by = candidate.source_level, "source_level"
    elif candidate.type_level is not None:
        level, decided_by = candidate.type_level, "type_level"
    else:
        level, decided_by = occasion.row.default_level(occasion.data), "catalogue"
    if level is Level.CRITICAL and occasion.row.channel is not Channel.ESCALATION:
        level = Level.LOUD
    return level, decided_by


def _is_actor(occasion: Occasion, candidate: Candidate) -> bool:
    actor = occasion.data.get("actor")
    return actor is not None and actor["id"] == candidate.external_id != ""


def _below(occasion: Occasion) -> str:
    """The name of the bot's threshold that this event does not reach; empty if it reaches all."""
    data = occasion.data
    match occasion.row.name:
        case "conversation.unanswered":
            if data["consecutive_unanswered"] < occasion.thresholds.unanswered:
                return "unanswered_threshold"
        case "conversation.tone_escalated":
            if data["score"] < occasion.thresholds.tone:
                return "tone_minimum"
    return ""
