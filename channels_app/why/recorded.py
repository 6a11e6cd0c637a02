"""Why: what was recorded of an event for a person, and what would be decided now."""

from __future__ import annotations

from datetime import datetime

from channels_app import cases
from channels_app.event_types import EVENT_TYPES, Channel
from channels_app.levels import Level
from channels_app.models import Event, Membership, Notification, User
from channels_app.routing import Outcome
from channels_app.why import devices
from channels_app.why.answers import Answer, Holding, NoOutcome
from channels_app.why.composing import Finding, Matter, Person, compose
from channels_app.why.judging import Judgement, judge
from channels_app.why.rehearsed import rehearsed

# Where there is no outcome, what the event's own state says about it.
OF_STATE = {
    Event.State.RECEIVED: NoOutcome.NOT_ROUTED,
    Event.State.QUARANTINED: NoOutcome.QUARANTINED,
    Event.State.RECORDED: NoOutcome.TELLS_NOBODY,
    Event.State.IGNORED: NoOutcome.UNKNOWN_TYPE,
    Event.State.ROUTED: NoOutcome.NOT_A_CANDIDATE,
}


def explain(*, event_id: int, user: User, now: datetime, oneself: bool = False) -> Answer:
    """Why this person was told of this event as they were, or was not. Writes nothing.

    What was recorded is told, not worked out anew; where it would be decided otherwise now, that is
    added. Whether the reader may know of event and person is the caller's question.

    Args:
        oneself: the person asks themselves, and is spoken to.

    Raises:
        Event.DoesNotExist
    """
    event = Event.objects.select_related("organization", "source").get(pk=event_id)
    matter = _matter(event)
    membership = (
        Membership.objects.select_related("user")
        .filter(user=user.pk, organization=event.organization_id)
        .first()
    )
    person = Person(user, membership, oneself)
    if membership is None:
        finding = Finding(NoOutcome.OTHER_ORGANIZATION, event.received_at)
        return compose(matter, person, finding, judgement=None, now=now)
    notification = (
        Notification.objects.select_related("event", "digest")
        .filter(event=event.pk, membership=membership.pk)
        .first()
    )
    judgement = _judge_now(event, membership, now=now)
    if notification is None:
        at = event.routed_at or event.received_at
        finding = Finding(OF_STATE[Event.State(event.state)], at)
    else:
        finding = _recorded(event, notification)
    instead = None
    if event.state == Event.State.ROUTED and _is_judged(event):
        instead = _instead(matter, person, finding, judgement, now=now)
    return compose(matter, person, finding, judgement=judgement, now=now, instead=instead)


def _matter(event: Event) -> Matter:
    return Matter(
        type=event.type,
        data=event.payload.get("data", {}),
        organization=event.organization,
        source=event.source,
        event_id=event.pk,
        claimant=_claimant(event),
    )


def _is_judged(event: Event) -> bool:
    """Whether its type is one that the rules are asked about. Our own notices keep their hour."""
    row = EVENT_TYPES.get(event.type)
    return row is not None and row.channel not in (None, Channel.NOTICE)


def _judge_now(event: Event, membership: Membership, *, now: datetime) -> Judgement | None:
    if not _is_judged(event):
        return None
    (case,) = cases.read([event.pk])
    return judge(case, membership_id=membership.pk, at=now)


def _instead(
    matter: Matter, person: Person, before: Finding, judgement: Judgement | None, *, now: datetime
) -> Answer | None:
    """What would be decided now, if that is something else."""
    finding = rehearsed(judgement, at=now)
    if (finding.outcome, finding.level) == (before.outcome, before.level):
        return None
    return compose(matter, person, finding, judgement=judgement, now=now)


def _recorded(event: Event, notification: Notification) -> Finding:
    told = [notification]
    since = event.received_at
    digest = notification.digest
    if digest is not None:
        told = list(
            Notification.objects.filter(event=digest.pk, membership=notification.membership_id)
        )
        since = digest.received_at
    return Finding(
        outcome=Outcome(notification.outcome),
        at=notification.created_at,
        level=Level(notification.level),
        decided_by=notification.decided_by,
        until=notification.held_until,
        notification_id=notification.pk,
        devices=tuple(devices.delivered(told, since=since)),
        holding=_holding(notification),
        held_as=Outcome(notification.held_as) if notification.held_as else None,
    )


def _holding(notification: Notification) -> Holding | None:
    if notification.held_until is None:
        return None
    digest = notification.digest
    return Holding(
        until=notification.held_until,
        released_at=notification.released_at,
        digest_id=notification.digest_id,
        count=digest.payload["data"]["count"] if digest else 0,
    )


def _claimant(event: Event) -> str:
    """Who claimed the event's conversation last, as far as the platform's events tell."""
    if not event.subject or event.source_id is None:
        return ""
    claim = (
        Event.objects.filter(
            source=event.source_id, subject=event.subject, type="conversation.claimed"
        )
        .order_by("-occurred_at", "-pk")
        .first()
    )
    if claim is None:
        return ""
    data = claim.payload["data"]
    agent = data.get("agent") or data.get("actor") or {}
    member = (
        Membership.objects.select_related("user")
        .exclude(external_id="")
        .filter(organization=event.organization_id, external_id=agent.get("id", ""))
        .first()
    )
    if member is not None:
        return member.user.get_full_name() or member.user.username
    return str(agent.get("name") or agent.get("id") or "")
