"""What the events of the platform do to conversations: part of the statement that stores them."""

from __future__ import annotations

from collections.abc import Mapping

from channels_app.events import Change
from claims import escalations, reports

# By type of event.
CHANGES: Mapping[str, Change] = {
    "conversation.human_requested": escalations.ESCALATED,
    "conversation.unanswered": escalations.ESCALATED,
    "conversation.tone_escalated": escalations.ESCALATED,
    "conversation.message": reports.WROTE,
    "conversation.claimed": reports.CLAIMED,
    "conversation.released": reports.RELEASED,
    "conversation.handed_back": reports.HANDED_BACK,
    "conversation.resolved": reports.RESOLVED,
}
