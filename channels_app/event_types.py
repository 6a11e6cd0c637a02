"""The catalogue: one row for each type of event that the platform reports, and our own. Pure.

A new type is a row here, a shape in `event_shapes`, a template in `templates/banners/`, an example
and a test case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from channels_app import event_shapes as shapes
from channels_app.event_shapes import Channel as Channel  # a type's; a digest names some too
from channels_app.event_shapes import Shape
from channels_app.levels import Lane, Level


class Subject(StrEnum):
    """What an event is about: the thing that its banner is grouped by and that a tap opens."""

    CONVERSATION = "conversation"
    BOT = "bot"
    RUN = "run"
    MEMBER = "member"
    """A member themselves: nobody else is told."""


@dataclass(frozen=True, slots=True)
class EventType:
    """One row of the catalogue.

    `channel` is None for a type that only changes a state. `level` is the level unless somebody
    changed it; `failure_level` that of a failure, where it differs. A type that `retracts` others
    tells nobody anything new: it replaces, without a sound, their banners where they are shown.
    """

    name: str
    subject: Subject
    shape: type[Shape]
    channel: Channel | None = None
    level: Level = Level.OFF
    failure_level: Level | None = None
    retracts: frozenset[str] = frozenset()

    @property
    def lane(self) -> Lane:
        """Everything about a conversation travels in the fast lane, its retractions included."""
        return Lane.ESCALATION if self.subject is Subject.CONVERSATION else Lane.DEFAULT

    def default_level(self, data: Mapping[str, Any]) -> Level:
        """The catalogue's level for this event: a failed run is louder than a finished one, and a
        digest is as loud as what it tells of.
        """
        if self.shape is shapes.Digest:
            return Level(data.get("level", self.level))
        if self.failure_level is not None and data.get("status") == "failure":
            return self.failure_level
        return self.level


def _escalation(name: str, shape: type[Shape]) -> EventType:
    return EventType(name, Subject.CONVERSATION, shape, Channel.ESCALATION, Level.CRITICAL)


# What calls for a human: the platform's own types, and ours.
CALLS = frozenset(
    {
        "conversation.human_requested",
        "conversation.unanswered",
        "conversation.tone_escalated",
        "conversation.still_waiting",
        "conversation.unanswered_alarm",
    }
)


def _answered(name: str) -> EventType:
    return EventType(
        name, Subject.CONVERSATION, shapes.AgentEvent, Channel.NOTICE, Level.QUIET, retracts=CALLS
    )


def _update(name: str, shape: type[Shape], level: Level) -> EventType:
    return EventType(name, Subject.BOT, shape, Channel.AUTO_UPDATE, level)


CATALOGUE: Mapping[str, EventType] = {
    row.name: row
    for row in (
        _escalation("conversation.human_requested", shapes.HumanRequested),
        _escalation("conversation.unanswered", shapes.Unanswered),
        _escalation("conversation.tone_escalated", shapes.ToneEscalated),
        EventType("conversation.message", Subject.CONVERSATION, shapes.Message),
        _answered("conversation.claimed"),
        EventType("conversation.released", Subject.CONVERSATION, shapes.AgentEvent),
        _answered("conversation.handed_back"),
        _answered("conversation.resolved"),
        _update("bot.knowledge_added", shapes.KnowledgeAdded, Level.QUIET),
        _update("bot.retrained", shapes.Retrained, Level.QUIET),
        _update("bot.prompt_tuned", shapes.PromptTuned, Level.LOUD),
        _update("bot.tool_linked", shapes.ToolLinked, Level.LOUD),
        EventType(
            "workflow.run_started", Subject.RUN, shapes.RunEvent, Channel.WORKFLOW, Level.QUIET
        ),
        EventType("workflow.step_started", Subject.RUN, shapes.StepStarted),
        EventType(
            "workflow.step_completed",
            Subject.RUN,
            shapes.StepCompleted,
            Channel.WORKFLOW,
            Level.OFF,
        ),
        EventType(
            "workflow.run_finished",
            Subject.RUN,
            shapes.RunFinished,
            Channel.WORKFLOW,
            Level.QUIET,
            failure_level=Level.LOUD,
        ),
        EventType(
            "workflow.step_stuck", Subject.RUN, shapes.StepStuck, Channel.WORKFLOW, Level.LOUD
        ),
    )
}


def _notice(
    name: str, shape: type[Shape], level: Level, *, subject: Subject = Subject.MEMBER
) -> EventType:
    return EventType(name, subject, shape, Channel.NOTICE, level)


# What only Pushbridge itself publishes; at the door these are unknown types.
OWN: Mapping[str, EventType] = {
    row.name: row
    for row in (
        _notice("member.digest", shapes.Digest, Level.QUIET),
        _notice("device.test", shapes.DeviceTest, Level.LOUD),
        _escalation("conversation.still_waiting", shapes.StillWaiting),
        _notice(
            "conversation.unanswered_alarm",
            shapes.UnansweredAlarm,
            Level.LOUD,
            subject=Subject.CONVERSATION,
        ),
        EventType("conversation.reply", Subject.CONVERSATION, shapes.Reply),
        _notice("bot.unreachable", shapes.Unreachable, Level.LOUD, subject=Subject.BOT),
        _notice("connection.webhook_disabled", shapes.WebhookDisabled, Level.LOUD),
        EventType(
            "workflow.step_resumed",
            Subject.RUN,
            shapes.StepResumed,
            Channel.NOTICE,
            Level.QUIET,
            retracts=frozenset({"workflow.step_stuck"}),
        ),
    )
}
EVENT_TYPES: Mapping[str, EventType] = {**CATALOGUE, **OWN}
