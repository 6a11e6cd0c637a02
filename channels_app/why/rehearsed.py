"""What if: an event that nobody sent, at a moment that is not now. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from channels_app.models import Bot, Installation, Membership, Organization, Source
from channels_app.problems import Fault
from channels_app.routing import WAITING, Candidate
from channels_app.why import devices
from channels_app.why.answers import Answer, Holding, NoOutcome
from channels_app.why.composing import Finding, Matter, Person, compose
from channels_app.why.imagined import NotImaginable, imagine
from channels_app.why.judging import Judgement, judge, judge_everyone

# Nobody knows what clocks will show much later.
MOST_AWAY = timedelta(days=366)


def rehearse(
    *,
    membership: Membership,
    source: Source,
    type: str,
    at: datetime,
    now: datetime,
    data: Mapping[str, Any] | None = None,
    oneself: bool = False,
) -> Answer:
    """Whether this member would be told, if this event came at this moment, and why.

    The rules are those that are set now, whatever the moment; the event is new, and nothing has
    overtaken it.

    Args:
        membership: its `user` and `organization` are loaded.
        source: of the same organization.
        at: the moment of the decision, at most `MOST_AWAY` from now.
        data: fields of the event's data; those that are left out are as usual.
        oneself: the person asks themselves, and is spoken to.

    Raises:
        NotImaginable: no such event could come from this source.
    """
    organization = membership.organization
    case = imagine(type=type, source=source, organization=organization, at=at, data=data)
    if abs(at - now) > MOST_AWAY:
        raise NotImaginable([Fault("/at", "must be within a year from now")])
    matter = Matter(type, case.data, organization, source)
    judgement = judge(case, membership_id=membership.pk, at=at)
    finding = rehearsed(judgement, at=at)
    person = Person(membership.user, membership, oneself)
    return compose(matter, person, finding, judgement=judgement, now=now)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would become of an imagined event for one of those whom it concerns."""

    membership: Membership
    """Its `user` is loaded."""
    candidate: Candidate
    answer: Answer


def rehearse_for_everyone(
    *, bot: Bot, organization: Organization, type: str, now: datetime
) -> list[Rehearsal]:
    """What would become of an event, if a bot sent it now, for everyone who might be told of it.

    By a constant number of queries.

    Args:
        organization: that of the bot.
    """
    case = imagine(type=type, source=bot, organization=organization, at=now)
    judgements = judge_everyone(case, at=now)
    members = Membership.objects.select_related("user").in_bulk(
        [judgement.candidate.membership_id for judgement in judgements]
    )
    installations = Installation.objects.in_bulk(
        [device.installation_id for one in judgements for device in one.candidate.devices]
    )
    matter = Matter(type, case.data, organization, bot)
    rehearsals = []
    for judgement in judgements:
        membership = members.get(judgement.candidate.membership_id)
        if membership is None:  # deleted meanwhile
            continue
        finding = rehearsed(judgement, at=now, known=installations)
        person = Person(membership.user, membership, oneself=False)
        answer = compose(matter, person, finding, judgement=judgement, now=now)
        rehearsals.append(Rehearsal(membership, judgement.candidate, answer))
    return rehearsals


def rehearsed(
    judgement: Judgement | None,
    *,
    at: datetime,
    known: Mapping[UUID, Installation] | None = None,
) -> Finding:
    """What a judgement would come to. `known` are installations that are loaded already."""
    if judgement is None:
        return Finding(NoOutcome.NOT_A_CANDIDATE, at, imagined=True)
    decision = judgement.decision
    waits = decision.outcome in WAITING and decision.until is not None
    return Finding(
        outcome=decision.outcome,
        at=at,
        imagined=True,
        level=decision.level,
        decided_by=str(decision.decided_by),
        until=decision.until,
        devices=tuple(devices.imagined(judgement.candidate, decision, known)),
        holding=Holding(decision.until, None, None, 0) if waits and decision.until else None,
    )
