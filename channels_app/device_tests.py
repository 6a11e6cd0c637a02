"""Test pushes: the way of every push, to one device of the person who asks, and what came of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from django.db import transaction
from django.db.models import Min

from channels_app import doorbell, events, why
from channels_app.event_types import EVENT_TYPES
from channels_app.installations import Unregistered
from channels_app.models import Attempt, Delivery, Event, Installation, Membership, Receipt, User
from channels_app.routing import Outcome

TYPE = "device.test"


class Homeless(Exception):
    """The person is an active member of no organization: no banner goes to them at all."""


class UnknownTest(LookupError):
    """The person sent no such test to this installation."""


class State(StrEnum):
    """How far a test push has come. The first two may change by themselves."""

    WAITING = "waiting"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DISPLAYED = "displayed"
    NOT_TOLD = "not_told"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


OF_DELIVERY = {
    Delivery.State.PENDING: State.WAITING,
    Delivery.State.SENDING: State.SENDING,
    Delivery.State.ACCEPTED: State.ACCEPTED,
    Delivery.State.FAILED: State.FAILED,
    Delivery.State.EXPIRED: State.EXPIRED,
    Delivery.State.CANCELLED: State.CANCELLED,
    Delivery.State.UNKNOWN: State.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of a test push until now.

    Attributes:
        id: that of its event.
        organization: the slug of the one that it went through.
        notification_id: what receipts of it name; None: not yet routed.
        sentence: the same as `state`, with the reason, in the active language.
        reason: the push service's own word, or ours, for the last try.
        accepted_ms: from the request until the push service's answer.
        displayed_ms: from the request until the app's word that it was shown (or tapped) was here:
            the whole round, by our clock alone.
    """

    id: int
    organization: str
    notification_id: int | None
    requested_at: datetime
    state: State
    sentence: str
    reason: str = ""
    attempts: int = 0
    accepted_ms: int | None = None
    displayed_ms: int | None = None


def send(*, user: User, installation_id: uuid.UUID, now: datetime) -> Progress:
    """Send a test push to an installation of this person, through their first organization.

    Raises:
        Unregistered, Homeless
    """
    device = Installation.objects.filter(pk=installation_id, user=user).first()
    if device is None:
        raise Unregistered(installation_id)
    membership = Membership.objects.filter(user=user, active=True).order_by("pk").first()
    if membership is None:
        raise Homeless
    with transaction.atomic():
        event_id = events.publish(
            organization_id=membership.organization_id,
            connection_id=None,
            webhook_id=f"device-test-{uuid.uuid4()}",
            type=TYPE,
            payload={
                "type": TYPE,
                "timestamp": now.isoformat(),
                "data": {"device": device.name or device.get_platform_display()},
            },
            occurred_at=now,
            now=now,
            facts={"membership": membership.pk, "installation": str(installation_id)},
        )
        transaction.on_commit(partial(doorbell.ring, EVENT_TYPES[TYPE].lane))
    return progress(user=user, installation_id=installation_id, test_id=event_id, now=now)


def progress(*, user: User, installation_id: uuid.UUID, test_id: int, now: datetime) -> Progress:
    """How far a test push has come.

    Raises:
        UnknownTest
    """
    event = _event(user, installation_id, test_id)
    answer = why.explain(event_id=event.pk, user=user, now=now, oneself=True)
    delivery = (
        Delivery.objects.filter(notification=answer.notification_id).order_by("pk").first()
        if answer.notification_id is not None
        else None
    )
    accepted_ms = _accepted_ms(event, delivery)
    displayed_ms = _displayed_ms(event, delivery)
    return Progress(
        id=event.pk,
        organization=answer.organization,
        notification_id=answer.notification_id,
        requested_at=event.received_at,
        state=State.DISPLAYED if displayed_ms is not None else _state(answer.outcome, delivery),
        sentence=answer.sentence,
        reason=delivery.reason if delivery else "",
        attempts=delivery.attempts if delivery else 0,
        accepted_ms=accepted_ms,
        displayed_ms=displayed_ms,
    )


def _event(user: User, installation_id: uuid.UUID, test_id: int) -> Event:
    event = Event.objects.filter(pk=test_id, type=TYPE, connection=None).first()
    if (
        event is None
        or event.facts["installation"] != str(installation_id)
        or not Membership.objects.filter(pk=event.facts["membership"], user=user).exists()
    ):
        raise UnknownTest(test_id)
    return event


def _state(outcome: Outcome | why.NoOutcome, delivery: Delivery | None) -> State:
    if delivery is not None:
        return OF_DELIVERY[Delivery.State(delivery.state)]
    match outcome:
        case why.NoOutcome.NOT_ROUTED:
            return State.WAITING
        case why.NoOutcome.QUARANTINED:
            return State.FAILED
    return State.NOT_TOLD


def _accepted_ms(event: Event, delivery: Delivery | None) -> int | None:
    if delivery is None:
        return None
    tries = Attempt.objects.filter(delivery=delivery, verdict=Attempt.Verdict.ACCEPTED)
    return _since(event, tries.values_list("answered_at", flat=True).first())


def _displayed_ms(event: Event, delivery: Delivery | None) -> int | None:
    if delivery is None:
        return None
    # Who tapped it has seen it, and a phone whose app is closed may be able to say no more.
    told = Receipt.objects.filter(delivery=delivery).aggregate(first=Min("received_at"))
    return _since(event, told["first"])


def _since(event: Event, at: datetime | None) -> int | None:
    if at is None:
        return None
    return max(0, round((at - event.received_at) / timedelta(milliseconds=1)))
