"""The catalogue: one row for each type of event that the platform reports, and our own. Pure.

A new type is a row here, a template in `templates/banners/`, an example and a test case. The shapes
are those of `docs/events.md`; fields that a shape does not name are allowed and kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from channels_app.levels import Lane, Level


class Channel(StrEnum):
    """A channel of the reference page. The value is the one on the wire and in the database."""

    ESCALATION = "escalation"
    AUTO_UPDATE = "auto_update"
    WORKFLOW = "workflow"
    NOTICE = "notice"
    """In no channel of that page, and not theirs to set: a digest, a test, an alarm, a banner that
    takes another's place."""


class Subject(StrEnum):
    """What an event is about: the thing that its banner is grouped by and that a tap opens."""

    CONVERSATION = "conversation"
    BOT = "bot"
    RUN = "run"
    MEMBER = "member"
    """A member themselves: nobody else is told."""


# Ids and names are the platform's own; the limits keep an index row and a banner's title sane.
Id = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(max_length=65_536)]
Seconds = Annotated[float, Field(ge=0, le=315_360_000, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=2_147_483_647)]
Index = Annotated[int, Field(ge=1, le=2_147_483_647)]


class Shape(BaseModel):
    """Strict about the fields we read, indifferent to all others."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


class Named(Shape):
    id: Id
    name: Name


class Customer(Shape):
    id: Id
    name: Annotated[str, StringConstraints(max_length=200)] = ""


class Conversation(Shape):
    id: Id
    customer: Customer | None = None


class Actor(Shape):
    """Who did it. A member is not told of what they did themselves."""

    id: Id
    name: Annotated[str, StringConstraints(max_length=200)] = ""


class Run(Shape):
    id: Id
    subject: Annotated[str, StringConstraints(max_length=500)] = ""
    steps: Index | None = None


class Step(Shape):
    index: Index
    name: Annotated[str, StringConstraints(max_length=200)] = ""


class CompletedStep(Step):
    duration_seconds: Seconds | None = None


class StuckStep(Step):
    running_seconds: Seconds
    average_seconds: Seconds | None = None


class BotEvent(Shape):
    bot: Named
    actor: Actor | None = None


class ConversationEvent(BotEvent):
    conversation: Conversation


class HumanRequested(ConversationEvent):
    message: Text = ""


class Unanswered(HumanRequested):
    consecutive_unanswered: Count


class ToneEscalated(HumanRequested):
    tone: Literal["frustration", "anger", "repeated_dissatisfaction"]
    score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Message(ConversationEvent):
    message: Text


class AgentEvent(ConversationEvent):
    agent: Actor | None = None


class StillWaiting(ConversationEvent):
    """What the call for a human was, told once more; its own fields are kept."""

    message: Text = ""


class UnansweredAlarm(StillWaiting):
    waited_seconds: Seconds


class Reply(AgentEvent):
    message: Text


class Unreachable(BotEvent):
    pass


class WebhookDisabled(Shape):
    connection: Named
    reason: Text = ""


class KnowledgeAdded(BotEvent):
    chunks: Index
    document: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class Retrained(BotEvent):
    pages: Index
    source: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class PromptTuned(BotEvent):
    cause: Literal["low_csat", "high_deflection"]
    change: Text = ""


class ToolLinked(BotEvent):
    tool: Named


class RunEvent(Shape):
    workflow: Named
    run: Run
    actor: Actor | None = None


class StepStarted(RunEvent):
    step: Step


class StepCompleted(RunEvent):
    step: CompletedStep


class StepStuck(RunEvent):
    step: StuckStep


class StepResumed(RunEvent):
    step: CompletedStep


class RunFinished(RunEvent):
    status: Literal["success", "failure"]
    duration_seconds: Seconds | None = None
    error: Text = ""


class Item(Shape):
    title: Text


class Digest(Shape):
    """What was held for a member: how many, and the titles of the first of them."""

    count: Index
    items: tuple[Item, ...]
    more: Count = 0
    """How many are not among `items`."""
    collapsed: bool = False
    """Whether all of them were kept only because too many came at once."""
    channels: tuple[Channel, ...] = ()
    level: Level = Level.QUIET
    """That of the loudest of them; critical counts as loud."""


class DeviceTest(Shape):
    device: str


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
        if self.channel is Channel.NOTICE:
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
        name, Subject.CONVERSATION, AgentEvent, Channel.NOTICE, Level.QUIET, retracts=CALLS
    )


def _update(name: str, shape: type[Shape], level: Level) -> EventType:
    return EventType(name, Subject.BOT, shape, Channel.AUTO_UPDATE, level)


CATALOGUE: Mapping[str, EventType] = {
    row.name: row
    for row in (
        _escalation("conversation.human_requested", HumanRequested),
        _escalation("conversation.unanswered", Unanswered),
        _escalation("conversation.tone_escalated", ToneEscalated),
        EventType("conversation.message", Subject.CONVERSATION, Message),
        _answered("conversation.claimed"),
        EventType("conversation.released", Subject.CONVERSATION, AgentEvent),
        _answered("conversation.handed_back"),
        _answered("conversation.resolved"),
        _update("bot.knowledge_added", KnowledgeAdded, Level.QUIET),
        _update("bot.retrained", Retrained, Level.QUIET),
        _update("bot.prompt_tuned", PromptTuned, Level.LOUD),
        _update("bot.tool_linked", ToolLinked, Level.LOUD),
        EventType("workflow.run_started", Subject.RUN, RunEvent, Channel.WORKFLOW, Level.QUIET),
        EventType("workflow.step_started", Subject.RUN, StepStarted),
        EventType(
            "workflow.step_completed", Subject.RUN, StepCompleted, Channel.WORKFLOW, Level.OFF
        ),
        EventType(
            "workflow.run_finished",
            Subject.RUN,
            RunFinished,
            Channel.WORKFLOW,
            Level.QUIET,
            failure_level=Level.LOUD,
        ),
        EventType("workflow.step_stuck", Subject.RUN, StepStuck, Channel.WORKFLOW, Level.LOUD),
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
        _notice("member.digest", Digest, Level.QUIET),
        _notice("device.test", DeviceTest, Level.LOUD),
        _escalation("conversation.still_waiting", StillWaiting),
        _notice(
            "conversation.unanswered_alarm",
            UnansweredAlarm,
            Level.LOUD,
            subject=Subject.CONVERSATION,
        ),
        EventType("conversation.reply", Subject.CONVERSATION, Reply),
        _notice("bot.unreachable", Unreachable, Level.LOUD, subject=Subject.BOT),
        _notice("connection.webhook_disabled", WebhookDisabled, Level.LOUD),
        EventType(
            "workflow.step_resumed",
            Subject.RUN,
            StepResumed,
            Channel.NOTICE,
            Level.QUIET,
            retracts=frozenset({"workflow.step_stuck"}),
        ),
    )
}
EVENT_TYPES: Mapping[str, EventType] = {**CATALOGUE, **OWN}
