"""One event of every type: the golden ones of `docs/examples`, and the smallest that are valid."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

FOLDER = Path(settings.BASE_DIR, "docs", "examples")


@dataclass(frozen=True, slots=True)
class Example:
    """An event and the banner that it must give, word for word."""

    name: str
    type: str
    data: dict[str, Any]
    title: str
    body: str


def _read(path: Path) -> Example:
    content = json.loads(path.read_text(encoding="utf-8"))
    event, banner = content["event"], content["banner"]
    return Example(path.stem, event["type"], event["data"], banner["title"], banner["body"])


EXAMPLES = [_read(path) for path in sorted(FOLDER.glob("*.json"))]

_BOT = {"bot": {"id": "bot_x", "name": "Bot X"}}
_CONVERSATION = {**_BOT, "conversation": {"id": "conv_1"}}
_RUN = {"workflow": {"id": "wf_kpi", "name": "Daily KPI digest"}, "run": {"id": "run_1"}}

# Every field here is one without which the event is refused.
SMALLEST: Mapping[str, dict[str, Any]] = {
    "conversation.human_requested": _CONVERSATION,
    "conversation.unanswered": {**_CONVERSATION, "consecutive_unanswered": 3},
    "conversation.tone_escalated": {**_CONVERSATION, "tone": "anger", "score": 0.93},
    "conversation.message": {**_CONVERSATION, "message": "Hello?"},
    "conversation.claimed": _CONVERSATION,
    "conversation.released": _CONVERSATION,
    "conversation.handed_back": _CONVERSATION,
    "conversation.resolved": _CONVERSATION,
    "bot.knowledge_added": {**_BOT, "chunks": 12, "document": "supplier-spec-2026.pdf"},
    "bot.retrained": {**_BOT, "pages": 5, "source": "docs.example.com"},
    "bot.prompt_tuned": {**_BOT, "cause": "low_csat"},
    "bot.tool_linked": {**_BOT, "tool": {"id": "tool_9", "name": "Stripe refunds"}},
    "workflow.run_started": _RUN,
    "workflow.step_started": {**_RUN, "step": {"index": 3}},
    "workflow.step_completed": {**_RUN, "step": {"index": 3}},
    "workflow.run_finished": {**_RUN, "status": "success"},
    "workflow.step_stuck": {**_RUN, "step": {"index": 3, "running_seconds": 900}},
}
