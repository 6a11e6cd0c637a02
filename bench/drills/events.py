"""The events of a drill: both lanes, several bots, workflows and conversations. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

BOTS = ("bot_a", "bot_b", "bot_c")
WORKFLOWS = ("flow_a", "flow_b")
# Several escalations of each conversation: later ones open new epochs and replace banners.
EVENTS_PER_CONVERSATION = 4


@dataclass(frozen=True, slots=True)
class Planned:
    """An event that the platform is going to report, under the id that it keeps when repeated."""

    webhook_id: str
    lane: str
    content: dict[str, Any]


def plan(prefix: str, count: int, now: datetime) -> list[Planned]:
    """`count` events, every one of which is pushed to all who subscribe to its source.

    `prefix` makes the ids of this drill different from those of all others.
    """
    return [_event(prefix, number, now + timedelta(milliseconds=number)) for number in range(count)]


def _event(prefix: str, number: int, at: datetime) -> Planned:
    make, lane = (
        (_human_requested, "escalation"),
        (_tool_linked, "default"),
        (_tone_escalated, "escalation"),
        (_run_started, "default"),
    )[number % 4]
    type, data = make(prefix, number)
    timestamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    content = {"type": type, "timestamp": timestamp, "data": data}
    return Planned(f"{prefix}-{number}", lane, content)


def _conversation(prefix: str, number: int) -> dict[str, Any]:
    bot = BOTS[number % len(BOTS)]
    conversation = number // EVENTS_PER_CONVERSATION
    return {
        "bot": {"id": bot, "name": f"Bot {bot}"},
        "conversation": {
            "id": f"{prefix}-{bot}-{conversation}",
            "customer": {"id": f"cus_{conversation}", "name": "Dana Reyes"},
        },
        "message": f"I want to talk to a human about refund {number}.",
    }


def _human_requested(prefix: str, number: int) -> tuple[str, dict[str, Any]]:
    return "conversation.human_requested", _conversation(prefix, number)


def _tone_escalated(prefix: str, number: int) -> tuple[str, dict[str, Any]]:
    return "conversation.tone_escalated", {
        **_conversation(prefix, number),
        "tone": "anger",
        "score": 0.9,
    }


def _tool_linked(prefix: str, number: int) -> tuple[str, dict[str, Any]]:
    bot = BOTS[number % len(BOTS)]
    return "bot.tool_linked", {
        "bot": {"id": bot, "name": f"Bot {bot}"},
        "tool": {"id": f"{prefix}-{number}", "name": f"Tool {number}"},
    }


def _run_started(prefix: str, number: int) -> tuple[str, dict[str, Any]]:
    workflow = WORKFLOWS[number % 8 // 4]
    return "workflow.run_started", {
        "workflow": {"id": workflow, "name": f"Flow {workflow}"},
        "run": {"id": f"{prefix}-{number}", "subject": f"contact {number}", "steps": 4},
    }
