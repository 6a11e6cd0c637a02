"""An answer, put together from what was found, recorded or rehearsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from channels_app import quiet_hours
from channels_app.event_types import EVENT_TYPES, Subject
from channels_app.levels import Level
from channels_app.models import Membership, Organization, Source, User
from channels_app.routing import Outcome, Snooze, Thresholds
from channels_app.why.answers import Answer, DeviceReport, Holding, NoOutcome, Place
from channels_app.why.judging import Judgement
from channels_app.why.ladder import ladder, levels
from channels_app.why.places import Whereabouts, place
from channels_app.why.reasons import Facts
from channels_app.why.sentences import Told, sentence


@dataclass(frozen=True, slots=True)
class Matter:
    """An event, stored or imagined."""

    type: str
    data: Mapping[str, Any]
    organization: Organization
    source: Source | None
    event_id: int | None = None
    claimant: str = ""
    """Who is known to have its conversation."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the answer is about."""

    user: User
    membership: Membership | None
    """In the event's organization, if they have one there."""
    oneself: bool
    """They ask themselves."""

    @property
    def name(self) -> str:
        return self.user.get_full_name() or self.user.username

    @property
    def zone(self) -> ZoneInfo:
        """That of their quiet hours."""
        try:
            return quiet_hours.zone_info(self.user.time_zone or "UTC")
        except ZoneInfoNotFoundError:
            return ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was decided, when, and what came of it."""

    outcome: Outcome | NoOutcome
    at: datetime
    imagined: bool = False
    level: Level | None = None
    decided_by: str = ""
    until: datetime | None = None
    notification_id: int | None = None
    devices: tuple[DeviceReport, ...] = ()
    holding: Holding | None = None
    held_as: Outcome | None = None
    """Why it was held at first, where it is not any more and that can still be known."""


def compose(
    matter: Matter,
    person: Person,
    finding: Finding,
    *,
    judgement: Judgement | None,
    now: datetime,
    instead: Answer | None = None,
) -> Answer:
    """The answer in the active language.

    Args:
        judgement: the rules as they are set now, where they have a say in it.
        instead: what would be decided now.
    """
    facts = _facts(matter, person, finding, judgement, now=now)
    told = Told(
        person=person.name,
        oneself=person.oneself,
        imagined=finding.imagined,
        event_id=matter.event_id,
        outcome=finding.outcome,
        level=finding.level,
        at=finding.at,
        facts=facts,
        devices=finding.devices,
        holding=finding.holding,
        held_as=finding.held_as,
    )
    return Answer(
        imagined=finding.imagined,
        event_id=matter.event_id,
        type=matter.type,
        data=matter.data,
        organization=matter.organization.slug,
        source=matter.source.external_id if matter.source else "",
        source_name=matter.source.name if matter.source else "",
        username=person.user.username,
        person=person.name,
        membership_id=person.membership.pk if person.membership else None,
        notification_id=finding.notification_id,
        at=finding.at.astimezone(UTC),
        time_zone=facts.zone.key or "UTC",
        outcome=finding.outcome,
        level=finding.level,
        sentence=sentence(told),
        place=_place(matter, person, finding),
        ladder=ladder(finding.outcome),
        levels=levels(judgement.occasion, judgement.candidate, facts) if judgement else (),
        devices=finding.devices,
        holding=finding.holding,
        now=instead,
    )


def _place(matter: Matter, person: Person, finding: Finding) -> Place | None:
    if person.membership is None:
        return None
    row = EVENT_TYPES.get(matter.type)
    where = Whereabouts(
        organization=matter.organization,
        membership=person.membership,
        source=matter.source,
        event_type=matter.type,
        channel=row.channel.value if row and row.channel else "",
    )
    return place(finding.outcome, finding.decided_by, where)


def _facts(
    matter: Matter, person: Person, finding: Finding, judgement: Judgement | None, *, now: datetime
) -> Facts:
    row = EVENT_TYPES.get(matter.type)
    membership = person.membership
    joined_at = membership.created_at if membership and membership.created_at > finding.at else None
    return Facts(
        type=matter.type,
        organization=matter.organization.name,
        zone=person.zone,
        now=now,
        source=matter.source.name if matter.source else "",
        channel=row.channel if row else None,
        subject=row.subject if row else Subject.BOT,
        data=matter.data,
        decided_by=finding.decided_by,
        until=finding.until,
        snooze=_snooze(judgement, finding.until),
        thresholds=judgement.occasion.thresholds if judgement else Thresholds(),
        claimant=matter.claimant,
        banners_per_minute=matter.organization.banners_per_minute,
        joined_at=joined_at,
    )


def _snooze(judgement: Judgement | None, until: datetime | None) -> Snooze | None:
    """The one that is over at that moment, if it is still as it was."""
    if judgement is None or until is None:
        return None
    covering = (one for one in judgement.candidate.snoozes if one.covers(judgement.occasion))
    return next((one for one in covering if one.until == until), None)
