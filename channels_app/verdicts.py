"""Verdicts: what is decided of a batch of events, for everyone who might be told of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from channels_app import audience, crowding, routing
from channels_app.audience import Audience
from channels_app.cases import Case
from channels_app.crowding import Crowd
from channels_app.event_types import Channel
from channels_app.levels import Lane, Level
from channels_app.routing import LISTED, Candidate, Decision, Occasion, Policy, Thresholds


@dataclass(slots=True)
class Verdict:
    """What was decided of one event for one person."""

    case: Case
    candidate: Candidate
    decision: Decision

    @property
    def listed(self) -> bool:
        """Whether it stands in the person's inbox. What only tells of other things does not."""
        return self.decision.outcome in LISTED and self.case.row.channel is not Channel.NOTICE

    @property
    def has_banner(self) -> bool:
        """Whether there is anything to be shown, now or later."""
        return self.decision.outcome in LISTED

    @property
    def expires_at(self) -> datetime:
        """When it is worth nothing any more."""
        level = self.decision.level
        return self.case.expires_at(Level.QUIET if level is Level.OFF else level)


def judge(
    cases: Sequence[Case],
    *,
    now: datetime,
    members: Collection[int] | None = None,
    crowded: bool = True,
) -> tuple[list[Verdict], Audience]:
    """The verdicts on a batch of events of one lane, by a constant number of queries.

    Call it in a transaction.

    Args:
        members: the memberships to judge for; None is everyone.
        crowded: whether a banner needs room on the devices; if not, the lanes do not matter.
    """
    people = audience.gather([case.concern for case in cases], members=members)
    crowd = _crowd(cases, people, now=now) if crowded else None
    verdicts = [verdict for case in cases for verdict in _judge(case, people, crowd, now=now)]
    return verdicts, people


def _crowd(cases: Sequence[Case], people: Audience, *, now: datetime) -> Crowd | None:
    """None in the fast lane: nothing there is ever collected, so nothing waits to be counted."""
    if all(case.lane is Lane.ESCALATION for case in cases):
        return None
    return crowding.load(
        (candidate for case in cases for candidate in people.candidates(case.concern)),
        limits={case.organization_id: case.banners_per_minute for case in cases},
        now=now,
    )


def occasion(case: Case, people: Audience, *, at: datetime) -> Occasion:
    """The event as the decision wants it."""
    rules = people.rules
    return Occasion(
        row=case.judged_as,
        data=case.data,
        at=at,
        facts=case.facts,
        source_id=case.source_id,
        subject=case.about.subject,
        thresholds=rules.thresholds.get(case.source_id or 0, Thresholds()),
        policy=rules.policies.get(case.organization_id, Policy()),
    )


def _judge(
    case: Case, people: Audience, crowd: Crowd | None, *, now: datetime
) -> Iterator[Verdict]:
    what = occasion(case, people, at=now)
    for candidate in people.candidates(case.concern):
        who = _only(candidate, case)
        if crowd is None:
            yield Verdict(case, who, routing.decide(what, who))
            continue
        room_at = crowd.room_at(who, limit=case.banners_per_minute, now=now)
        who = replace(who, crowded_until=room_at) if room_at else who
        decision = routing.decide(what, who)
        crowd.note(who, decision, now=now)
        yield Verdict(case, who, decision)


def _only(candidate: Candidate, case: Case) -> Candidate:
    """What is for certain devices goes to no other."""
    wanted = case.whom and case.whom.get(candidate.membership_id)
    if wanted is None:
        return candidate
    devices = tuple(d for d in candidate.devices if d.installation_id in wanted)
    return replace(candidate, devices=devices)
