"""Cases: stored events, each with what is the same for everyone who may be told of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from channels_app import banners, shown, standing
from channels_app.audience import Concern
from channels_app.banners import Banner
from channels_app.event_types import EVENT_TYPES, EventType, Subject
from channels_app.levels import Lane, Level, time_to_live
from channels_app.links import About
from channels_app.prepared import Prepared
from channels_app.shown import Retraction
from channels_app.standing import Report

# The state that an event knows of is the one that it found. After this it is looked at again.
FRESH = timedelta(seconds=1)


@dataclass(slots=True)
class Case:
    """One event to be judged."""

    event_id: int
    row: EventType
    data: Mapping[str, Any]
    facts: Mapping[str, Any]
    """What the state knew when the event came, and `state` as far as it is known now."""
    about: About
    lane: Lane
    source_id: int | None
    organization_id: int
    organization: str
    """The organization's slug."""
    claim_window: timedelta
    banners_per_minute: int | None
    occurred_at: datetime
    received_at: datetime
    whom: Mapping[int, frozenset[UUID] | None] | None = None
    """The memberships that it is for, and on which installations (None: on all of them); None:
    whoever follows its source."""
    _banners: dict[str, Banner] = field(default_factory=dict)

    @property
    def concern(self) -> Concern:
        """Who might be told."""
        return Concern(
            type=self.judged_as.name,
            organization_id=self.organization_id,
            source_id=self.source_id,
            members=None if self.whom is None else frozenset(self.whom),
        )

    @property
    def judged_as(self) -> EventType:
        """The type whose rules decide: a call that is told once more goes by those of the first."""
        return EVENT_TYPES[self.facts["as"]] if "as" in self.facts else self.row

    @property
    def retraction(self) -> Retraction | None:
        """What it takes back, if it does."""
        return shown.retraction(
            event_id=self.event_id,
            row=self.row,
            source_id=self.source_id,
            subject=self.about.subject,
            step=self.about.step,
            facts=self.facts,
        )

    @property
    def report(self) -> Report:
        """What those need who know how things stand."""
        return Report(
            event_id=self.event_id,
            type=self.row.name,
            organization_id=self.organization_id,
            source_id=self.source_id,
            subject=self.about.subject,
            occurred_at=self.occurred_at,
            step=self.about.step,
            facts=self.facts,
        )

    def banner(self, locale: str) -> Banner:
        """The banner in a language, worked out once."""
        if locale not in self._banners:
            self._banners[locale] = banners.render(
                type=self.row.name, data=self.data, facts=self.facts, locale=locale
            )
        return self._banners[locale]

    def expires_at(self, level: Level) -> datetime:
        """When a push of this level is worth nothing any more."""
        return self.received_at + time_to_live(level, claim_window=self.claim_window)


COLUMNS = """
    SELECT event.id, event.type, event.payload ->> 'data', event.facts::text, event.lane,
        event.source_id, COALESCE(source.external_id, ''), event.subject, event.organization_id,
        organization.slug, organization.claim_window, organization.banners_per_minute,
        event.occurred_at, event.received_at
    FROM chatbot_event event
    JOIN chatbot_organization organization ON organization.id = event.organization_id
    LEFT JOIN chatbot_source source ON source.id = event.source_id
"""
READ = Prepared(COLUMNS + " WHERE event.id = ANY(%(ids)s::bigint[]) ORDER BY event.id")
# In the order in which everyone locks.
LOCK = Prepared(
    COLUMNS
    + " WHERE event.id = ANY(%(ids)s::bigint[]) AND event.state = 'received'"
    + " ORDER BY event.id FOR UPDATE OF event"
)


def lock(event_ids: Sequence[int], *, now: datetime) -> list[Case]:
    """The events among these that nobody has routed yet, locked until the transaction ends."""
    cases = _read(LOCK, event_ids)
    # What takes others back has happened after them, however fresh they are.
    overtaking = any(case.row.retracts for case in cases)
    _look_again([case for case in cases if overtaking or now - case.received_at > FRESH])
    _address(cases)
    return cases


def read(event_ids: Sequence[int]) -> list[Case]:
    """Events that were routed before, with how things stand now."""
    cases = _read(READ, event_ids)
    _look_again(cases)
    _address(cases)
    return cases


def _look_again(cases: Sequence[Case]) -> None:
    if cases:
        states = standing.overtaken(case.report for case in cases)
        for case in cases:
            if case.event_id in states:
                case.facts = {**case.facts, "state": states[case.event_id]}


def _address(cases: Sequence[Case]) -> None:
    """Find out for whom those are that are not for whoever follows their source."""
    retractions = [found for case in cases if (found := case.retraction)]
    replaced = shown.find(retractions) if retractions else {}
    for case in cases:
        if case.row.retracts:
            case.whom = replaced.get(case.event_id, {})
        elif "members" in case.facts:
            case.whom = dict.fromkeys(case.facts["members"])
        elif case.row.subject is Subject.MEMBER:
            case.whom = {case.facts["membership"]: _installation(case.facts)}


def _installation(facts: Mapping[str, Any]) -> frozenset[UUID] | None:
    """The only device that it is for, if there is one."""
    return frozenset({UUID(facts["installation"])}) if "installation" in facts else None


def _read(query: Prepared, event_ids: Sequence[int]) -> list[Case]:
    return [_case(*row) for row in query.all({"ids": list(event_ids)})]


def _case(*row: Any) -> Case:
    (event_id, type, data, facts, lane, source_id, source, subject) = row[:8]
    (organization_id, slug, claim_window, banners_per_minute, occurred_at, received_at) = row[8:]
    content = json.loads(data)
    step = content.get("step")
    catalogued = EVENT_TYPES[type]
    return Case(
        event_id=event_id,
        row=catalogued,
        data=content,
        facts=json.loads(facts),
        about=About(
            row=catalogued,
            organization_id=organization_id,
            event_id=event_id,
            source=source,
            subject=subject,
            step=str(step["index"]) if step else "",
        ),
        lane=Lane(lane),
        source_id=source_id,
        organization_id=organization_id,
        organization=slug,
        claim_window=claim_window,
        banners_per_minute=banners_per_minute,
        occurred_at=occurred_at,
        received_at=received_at,
    )
