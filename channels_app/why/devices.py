"""What became of an event on each device of a person, or what would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext, pgettext

from channels_app import spoken
from channels_app.levels import Level
from channels_app.models import Attempt, Delivery, Installation, Notification, Receipt
from channels_app.routing import Candidate, Decision, Outcome
from channels_app.why.answers import AttemptReport, DeviceReport, Imagined, ReceiptReport
from channels_app.why.reasons import named


def delivered(notifications: Sequence[Notification], *, since: datetime) -> list[DeviceReport]:
    """The deliveries of these notifications, by three queries; `since` is when the event came."""
    deliveries = (
        Delivery.objects.filter(notification__in=notifications)
        .select_related("installation")
        .prefetch_related("tries", "receipts")
        .order_by("pk")
    )
    return [_delivered(delivery, since) for delivery in deliveries]


def _delivered(delivery: Delivery, since: datetime) -> DeviceReport:
    name = called(delivery.installation)
    accepted = delivery.state == Delivery.State.ACCEPTED and delivery.settled_at is not None
    took = delivery.settled_at - since if accepted and delivery.settled_at else None
    return DeviceReport(
        installation_id=delivery.installation_id,
        name=name,
        state=delivery.state,
        sentence=_sentence(delivery, name, took),
        delivery_id=delivery.pk,
        attempts=tuple(_attempts(delivery.tries.all())),
        reason=delivery.reason,
        downgraded=delivery.downgraded,
        created_at=delivery.created_at,
        settled_at=delivery.settled_at,
        milliseconds=None if took is None else round(took / timedelta(milliseconds=1)),
        receipts=tuple(_receipts(delivery.receipts.all())),
    )


def _attempts(tries: Iterable[Attempt]) -> list[AttemptReport]:
    return [
        AttemptReport(
            number=one.number,
            verdict=one.verdict,
            status=one.status,
            reason=one.reason,
            sent_at=one.sent_at,
            answered_at=one.answered_at,
        )
        for one in sorted(tries, key=lambda one: one.number)
    ]


def _receipts(receipts: Iterable[Receipt]) -> list[ReceiptReport]:
    return [
        ReceiptReport(kind=one.kind, action=one.action, occurred_at=one.occurred_at)
        for one in sorted(receipts, key=lambda one: (one.occurred_at, one.pk))
    ]


def called(installation: Installation | None) -> str:
    """What a device is called on screen."""
    if installation is None:
        return gettext("a device that is gone")
    return installation.name or installation.get_platform_display()


def _sentence(delivery: Delivery, name: str, took: timedelta | None) -> str:
    match delivery.state:
        case Delivery.State.ACCEPTED if took is not None:
            text = gettext("%(device)s accepted after %(took)s")
        case Delivery.State.FAILED:
            text = gettext("%(device)s failed (%(reason)s)")
        case Delivery.State.EXPIRED:
            text = gettext("%(device)s expired before it could be sent")
        case Delivery.State.CANCELLED:
            text = gettext("%(device)s cancelled before it left (%(reason)s)")
        case Delivery.State.UNKNOWN:
            text = gettext("%(device)s sent, but never answered")
        case _:
            text = gettext("%(device)s not sent yet")
    return text % {
        "device": named(name),
        "took": duration(took) if took is not None else "",
        "reason": named(delivery.reason or gettext("no reason given")),
    }


def duration(took: timedelta) -> str:
    """`41 ms`, `3.2 s`, `4 min`."""
    seconds = max(took.total_seconds(), 0)
    if seconds < 1:
        return pgettext("duration", "%(count)s ms") % {"count": round(seconds * 1000)}
    return spoken.rough_duration(seconds)


def imagined(
    candidate: Candidate, decision: Decision, known: Mapping[UUID, Installation] | None = None
) -> list[DeviceReport]:
    """Where it would go; where it would not although there is a device, and why not.

    `known` are the installations, if somebody has loaded them.
    """
    if decision.outcome not in (Outcome.PUSHED, Outcome.NO_DEVICE):
        return []
    ids = [device.installation_id for device in candidate.devices]
    installations = Installation.objects.in_bulk(ids) if known is None else known
    rings = {device.installation_id for device in decision.devices}
    reports = []
    for device in candidate.devices:
        pk = device.installation_id
        name = called(installations.get(pk))
        lowered = decision.level is Level.CRITICAL and not device.critical_sounds
        if pk in rings:
            reports.append(_would(pk, name, downgraded=lowered))
        elif not device.allowed:
            text = gettext("%(device)s passed over: its system shows no banners of the app")
            reports.append(_would_not(pk, name, Imagined.NOT_ALLOWED, text))
        elif candidate.phone_only and not device.phone:
            text = gettext("%(device)s passed over: it is not a phone")
            reports.append(_would_not(pk, name, Imagined.NOT_A_PHONE, text))
        else:
            text = gettext("%(device)s passed over: it is muted")
            reports.append(_would_not(pk, name, Imagined.MUTED, text))
    return reports


def _would(pk: UUID, name: str, *, downgraded: bool) -> DeviceReport:
    text = gettext("%(device)s (below critical)") if downgraded else "%(device)s"
    return DeviceReport(
        pk, name, Imagined.WOULD_PUSH, text % {"device": named(name)}, downgraded=downgraded
    )


def _would_not(pk: UUID, name: str, state: str, text: str) -> DeviceReport:
    return DeviceReport(pk, name, state, text % {"device": named(name)})
