"""What happened to a conversation, in words: a line for each of its events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from channels_app import history
from channels_app.admin import cells, words
from channels_app.admin.words import Tone, Word
from channels_app.event_types import EVENT_TYPES
from channels_app.models import Event
from claims.admin import climbs
from claims.models import Conversation

Data = Mapping[str, Any]


def _tone(data: Data) -> str:
    return f"The customer's tone: {data.get('tone', '')} ({data.get('score', '')})".replace(
        "_", " "
    )


def _unanswered(data: Data) -> str:
    return f"The bot had no answer {data.get('consecutive_unanswered', '')} times in a row"


def _wave(data: Data) -> str:
    wave = data.get("wave", {})
    begin = {"released": "Given back", "lapsed": "The claim lapsed"}.get(data.get("reason", ""))
    told = f"Wave {wave.get('number', '')}: {_whom(wave)}"
    return f"{begin}. {told}" if begin else told


def _alarm(data: Data) -> str:
    waited = cells.took(timedelta(seconds=data.get("waited_seconds", 0)))
    return f"Alarm to the operators: waiting for {waited}"


def _whom(wave: Data) -> str:
    text = climbs.whom(wave.get("audience", ""), wave.get("role", ""))
    return text[:1].lower() + text[1:]


def _released(data: Data) -> str:
    if data.get("reason") == "lapsed":
        return f"{_agent(data) or 'An agent'} did nothing for so long: the claim lapsed"
    return _by("Released")(data)


def _agent(data: Data) -> str:
    agent = data.get("agent") or data.get("actor") or {}
    return str(agent.get("name") or agent.get("id") or "")


def _by(text: str) -> Callable[[Data], str]:
    def words_of(data: Data) -> str:
        who = _agent(data)
        return f"{text} by {who}" if who else text

    return words_of


SAID: Mapping[str, Callable[[Data], str]] = {
    "conversation.human_requested": lambda data: "The customer asked for a human",
    "conversation.unanswered": _unanswered,
    "conversation.tone_escalated": _tone,
    "conversation.message": _by("A message"),
    "conversation.claimed": _by("Claimed"),
    "conversation.released": _released,
    "conversation.handed_back": _by("Handed back to the bot"),
    "conversation.resolved": _by("Resolved"),
    "conversation.reply": _by("A reply"),
    "conversation.still_waiting": _wave,
    "conversation.unanswered_alarm": _alarm,
}
OURS = Word("Pushbridge", Tone.CALM, "Pushbridge itself published it.")


def said(event: Event) -> str:
    """What an event says, in a line."""
    data = event.payload.get("data", {})
    return SAID[event.type](data) if event.type in SAID else event.type


def lines(conversation: Conversation, most: int) -> list[dict[str, Any]]:
    """The last events of a conversation, newest first, each with how many people were told."""
    happened = history.read_of_conversation(
        organization_id=conversation.organization_id, subject=conversation.external_id
    )
    newest = happened.events[::-1][:most]
    told = climbs.told(newest)
    return [_line(event, told.get(event.pk, 0)) for event in newest]


def _line(event: Event, told: int) -> dict[str, Any]:
    message = event.payload.get("data", {}).get("message", "")
    row = EVENT_TYPES.get(event.type)
    rings = row is not None and row.channel is not None
    return {
        "at": cells.instant(event.occurred_at),
        "said": said(event),
        "type": event.type,
        "address": cells.page(event),
        "message": message if event.connection_id or event.type == "conversation.reply" else "",
        "ours": OURS if event.connection_id is None else None,
        "state": None
        if event.state in (Event.State.ROUTED, Event.State.RECORDED)
        else words.word(words.EVENT_STATES, event.state),
        "told": told,
        "rings": rings and event.state == Event.State.ROUTED,
        "notifications": cells.listing("chatbot_notification", q=event.pk),
    }
