"""A conversation's ladder, as its page shows it: what was rung, what comes next, what is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count

from channels_app.admin import cells
from channels_app.admin.words import Tone, Word
from channels_app.event_types import CALLS
from channels_app.models import Event, Notification, Role
from claims import ladder, ladders
from claims.ladder import Audience, Rung
from claims.models import Conversation

AUDIENCES: Mapping[str, str] = {
    Audience.AWAKE: "Subscribers who are awake",
    Audience.SUBSCRIBERS: "All subscribers who may respond",
    Audience.RESPONDERS: "Everyone who may respond",
    Audience.ROLE: "The role “{role}”",
    Audience.OPERATORS: "The operators",
}
RUNG = Word("Rung", Tone.GOOD)
NOBODY = Word("Nobody", Tone.WARN, "Nobody's phone could ring: the next one follows at once.")
NEXT = Word("Next", Tone.BUSY)
TO_COME = Word("To come", Tone.CALM)
PASSED = Word("Left out", Tone.CALM, "Nobody could be told: the same people are not told again.")
NEEDLESS = Word("Not needed", Tone.CALM)


@dataclass(frozen=True, slots=True)
class Step:
    """A rung of the ladder, and what became of it."""

    word: Word
    whom: str
    note: str
    """When, or how long after the one before."""
    event: str = ""
    """The page of the event that told them."""
    told: int | None = None
    """How many people it was pushed to; None: it was not rung, or not yet routed."""


def whom(audience: str, role: str = "") -> str:
    """Whom a wave is for, in words."""
    return AUDIENCES.get(audience, audience).format(role=role or "a role that is gone")


def told(events: Iterable[Event]) -> dict[int, int]:
    """To how many people each of these was pushed."""
    pushed = Notification.objects.filter(event__in=[event.pk for event in events], outcome="pushed")
    counted = pushed.order_by().values("event").annotate(people=Count("pk"))
    return dict(counted.values_list("event", "people"))


def steps(conversation: Conversation, *, now: datetime) -> list[Step]:
    """The whole ladder of the present round, by a constant number of queries."""
    rung = _rung(conversation)
    pushed = told(rung.values())
    settings = ladders.of_bots({conversation.bot_id: conversation.organization_id})
    rungs = ladder.rungs(settings[conversation.bot_id])
    roles = dict(
        Role.objects.filter(
            pk__in=[one.wave.role_id for one in rungs if one.wave.role_id]
        ).values_list("pk", "name")
    )
    past = [
        _past(number, rung.get(number), rungs, roles, pushed)
        for number in range(1, conversation.wave + 1)
    ]
    return past + _ahead(conversation, rungs, roles, now=now)


def _rung(conversation: Conversation) -> dict[int, Event]:
    """The events of this round's rungs, by number. The first may be the platform's own call."""
    found = Event.objects.filter(
        source=conversation.bot_id,
        subject=conversation.external_id,
        type__in=CALLS,
        facts__epoch=conversation.epoch,
    ).order_by("pk")
    rung: dict[int, Event] = {}
    for event in found:
        rung.setdefault(event.payload["data"].get("wave", {}).get("number", 1), event)
    return rung


def _past(
    number: int,
    event: Event | None,
    rungs: Sequence[Rung],
    roles: Mapping[int, str],
    pushed: Mapping[int, int],
) -> Step:
    if event is None:
        ahead = rungs[number - 1] if number <= len(rungs) else None
        return Step(PASSED, _whom(ahead, roles) if ahead else "", PASSED.sentence)
    # As it was set then: operators may have changed the ladder since.
    wave = event.payload["data"].get("wave")
    people = None if event.state == Event.State.RECEIVED else pushed.get(event.pk, 0)
    return Step(
        word=NOBODY if people == 0 else RUNG,
        whom=whom(wave["audience"], wave.get("role", "")) if wave else _whom(rungs[0], roles),
        note=cells.instant(event.occurred_at),
        event=cells.page(event),
        told=people,
    )


def _ahead(
    conversation: Conversation, rungs: Sequence[Rung], roles: Mapping[int, str], *, now: datetime
) -> list[Step]:
    """What was not rung until now."""
    left = []
    for index in range(conversation.wave, len(rungs)):
        if conversation.next_wave_at is None:
            word, note = NEEDLESS, ""
        elif index == conversation.wave:
            word, note = NEXT, _due(conversation.next_wave_at, now)
        else:
            rest = cells.took(rungs[index].after - rungs[index - 1].after)
            word, note = TO_COME, f"{rest} after the one before"
        left.append(Step(word, _whom(rungs[index], roles), note))
    return left


def _due(at: datetime, now: datetime) -> str:
    return f"in {cells.took(at - now)}" if at > now else "now"


def _whom(rung: Rung, roles: Mapping[int, str]) -> str:
    text = whom(rung.wave.audience, roles.get(rung.wave.role_id or 0, ""))
    if rung.alarm:
        return f"{text}: nobody came"
    return f"{text}, again" if rung.repeated else text


def shown(step: Step) -> dict[str, Any]:
    """A step, as the template wants it."""
    return {
        "word": step.word,
        "whom": step.whom,
        "note": step.note,
        "event": step.event,
        "told": "" if step.told is None else _people(step.told),
    }


def _people(count: int) -> str:
    return {0: "nobody told", 1: "1 person told"}.get(count, f"{count} people told")
