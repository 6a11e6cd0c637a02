"""The shapes of what events tell: those of `docs/events.md`, and of our own. Pure.

Fields that a shape does not name are allowed and kept.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from channels_app.levels import Level


class Channel(StrEnum):
    """A channel of the reference page. The value is the one on the wire and in the database."""

    ESCALATION = "escalation"
    AUTO_UPDATE = "auto_update"
    WORKFLOW = "workflow"
    NOTICE = "notice"
    """In no channel of that page, and not theirs to set: a digest, a test, an alarm, a banner that
    takes another's place."""


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
