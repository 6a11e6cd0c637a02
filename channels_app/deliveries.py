"""The state machine of a delivery: lease and settle (and `orphans`, which takes leases back).

pending -> sending (leased) -> accepted | failed | expired | cancelled | unknown, or back to pending
when it is worth another try or its sender died. (A delivery whose worker sends it at once is born
leased: see `notifications`.) Each change is one conditional statement for a whole batch; a row that
another worker has moved on in the meantime is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from channels_app import arrays, backoff, dead_devices, shown, standing
from channels_app.dead_devices import Proof
from channels_app.event_types import EVENT_TYPES, Channel
from channels_app.gateways.pushes import Answer, Platform, Target, Verdict
from channels_app.leases import LEASE, Leased
from channels_app.levels import Lane, Level, Privacy
from channels_app.links import About
from channels_app.models import Delivery
from channels_app.prepared import Prepared
from channels_app.routing import OVERTAKEN
from channels_app.shown import Retraction
from channels_app.standing import Report

log = structlog.get_logger(__name__)

# A push that was sent and never answered (or whose sender died) this often is left alone: it has
# probably arrived, and it may be what kills the senders.
UNANSWERED_ATTEMPTS = 5

# The lease and the count of attempts are committed before anything goes to the network. Every
# organization has its turn before any has a second; SKIP LOCKED lets several workers do this at
# once.
TAKE = Prepared("""
    WITH due AS (
        SELECT id FROM (
            SELECT waiting.id, row_number() OVER (
                PARTITION BY organization.id ORDER BY waiting.due_at
            ) AS turn
            FROM chatbot_organization organization
            CROSS JOIN LATERAL (
                SELECT id, due_at FROM chatbot_delivery
                WHERE lane = %(lane)s::text AND organization_id = organization.id
                    AND state = 'pending' AND due_at <= %(now)s::timestamptz
                ORDER BY due_at LIMIT %(limit)s::int
                FOR UPDATE SKIP LOCKED
            ) waiting
        ) turns
        ORDER BY turn LIMIT %(limit)s::int
    )
    UPDATE chatbot_delivery delivery
    SET state = 'sending', attempts = attempts + 1, due_at = %(until)s::timestamptz,
        holder = %(holder)s::text
    FROM due WHERE delivery.id = due.id
    RETURNING delivery.id
""")

# A call for a human is for those who may answer it.
GUARDED = ", ".join(
    f"'{row.name}'" for row in EVENT_TYPES.values() if row.channel is Channel.ESCALATION
)
# What may have changed since the fan-out is read again here, in the moment of sending.
READ = Prepared(f"""
    SELECT delivery.id, delivery.attempts, delivery.expires_at, notification.id, membership.id,
        delivery.installation_id, notification.level, notification.title, notification.body,
        person.locale, organization.id, organization.slug,
        event.id, event.type, COALESCE(source.external_id, ''), event.subject,
        COALESCE(event.payload #>> '{{data,step,index}}', ''), event.facts::text,
        installation.platform,
        COALESCE(apns.application_id, fcm.application_id, webpush.application_id, ''),
        COALESCE(apns.registration_id, fcm.registration_id, webpush.registration_id),
        COALESCE(webpush.p256dh, ''), COALESCE(webpush.auth, ''), installation.critical_allowed,
        organization.privacy, membership.privacy, installation.privacy,
        event.source_id, event.occurred_at,
        CASE
            WHEN delivery.expires_at <= %(now)s::timestamptz THEN 'expired'
            WHEN installation.user_id IS DISTINCT FROM person.id THEN 'device_gone'
            WHEN installation.dead_since IS NOT NULL
                OR NOT COALESCE(apns.active, fcm.active, webpush.active) THEN 'device_dead'
            WHEN NOT (person.is_active AND membership.active) THEN 'inactive'
            WHEN event.type IN ({GUARDED}) AND NOT (
                EXISTS (
                    SELECT FROM chatbot_botuserpermission held
                    JOIN auth_permission permission ON permission.id = held.permission_id
                    WHERE held.user_id = person.id AND held.content_object_id = event.source_id
                        AND permission.codename = 'respond'
                ) OR EXISTS (
                    SELECT FROM chatbot_botgrouppermission held
                    JOIN auth_permission permission ON permission.id = held.permission_id
                    JOIN chatbot_user_groups has ON has.group_id = held.group_id
                    WHERE has.user_id = person.id AND held.content_object_id = event.source_id
                        AND permission.codename = 'respond'
                )
            ) THEN 'no_permission'
        END
    FROM chatbot_delivery delivery
    JOIN chatbot_notification notification ON notification.id = delivery.notification_id
    JOIN chatbot_event event ON event.id = notification.event_id
    JOIN chatbot_organization organization ON organization.id = event.organization_id
    JOIN chatbot_membership membership ON membership.id = notification.membership_id
    JOIN chatbot_user person ON person.id = membership.user_id
    LEFT JOIN chatbot_source source ON source.id = event.source_id
    LEFT JOIN chatbot_installation installation ON installation.id = delivery.installation_id
    LEFT JOIN push_notifications_apnsdevice apns ON apns.id = installation.apns_id
    LEFT JOIN push_notifications_gcmdevice fcm ON fcm.id = installation.fcm_id
    LEFT JOIN push_notifications_webpushdevice webpush ON webpush.id = installation.webpush_id
    WHERE delivery.id = ANY(%(ids)s::bigint[])
""")


TYPE = 13  # the place of event.type among these columns


@dataclass(slots=True)
class Taken:
    """What a lease brought: deliveries to send, and those that must not be sent any more."""

    leased: list[Leased] = field(default_factory=list)
    objections: list[tuple[int, str]] = field(default_factory=list)
    """Delivery and reason."""


def lease(*, lane: Lane, now: datetime, limit: int) -> Taken:
    """Take up to `limit` deliveries that are due in a lane."""
    taken = Taken()
    reports: list[Report] = []
    due = TAKE.all(
        {
            "lane": lane.value,
            "now": now,
            "until": now + LEASE,
            "holder": settings.LEASE_HOLDER,
            "limit": limit,
        }
    )
    if not due:
        return taken
    unread = {pk for (pk,) in due}
    for *row, objection in READ.all({"ids": list(unread), "now": now}):
        unread.discard(row[0])
        if row[TYPE] not in EVENT_TYPES:
            # A newer release was here, and was taken back.
            taken.objections.append((row[0], "unknown_type"))
        elif objection:
            taken.objections.append((row[0], objection))
        else:
            *known, source_id, occurred_at = row
            leased = _leased(*known)
            taken.leased.append(leased)
            reports.append(_report(leased, source_id, occurred_at))
    # Whoever or whatever it was about has been deleted in the meantime.
    taken.objections += [(pk, "gone") for pk in unread]
    _object(taken, standing.overtaken(reports))
    _wait_for_banners(taken, {report.event_id: report for report in reports}, now=now)
    return taken


def _report(leased: Leased, source_id: int | None, occurred_at: datetime) -> Report:
    about = leased.about
    return Report(
        event_id=about.event_id,
        type=about.row.name,
        organization_id=about.organization_id,
        source_id=source_id,
        subject=about.subject,
        occurred_at=occurred_at,
        step=about.step,
        facts=leased.facts,
    )


def _object(taken: Taken, states: Mapping[int, str]) -> None:
    """What has been overtaken since it was decided is not sent any more."""
    if not states:
        return
    for leased in taken.leased:
        state = states.get(leased.about.event_id)
        if state is not None:
            taken.objections.append((leased.delivery_id, OVERTAKEN[state].value))
    taken.leased = [one for one in taken.leased if one.about.event_id not in states]


def _wait_for_banners(taken: Taken, reports: Mapping[int, Report], *, now: datetime) -> None:
    """What replaces a banner is sent once that is there, and not at all if it never came."""
    replacing = [
        (retraction, leased.delivery_id)
        for leased in taken.leased
        if leased.about.row.retracts
        and (retraction := _retraction(leased, reports[leased.about.event_id]))
    ]
    look = shown.look(replacing)
    if look.early or look.needless:
        shown.postpone(look.early, now=now)
        taken.objections += [(pk, "not_shown") for pk in look.needless]
        away = look.early | look.needless
        taken.leased = [one for one in taken.leased if one.delivery_id not in away]


def _retraction(leased: Leased, report: Report) -> Retraction | None:
    return shown.retraction(
        event_id=report.event_id,
        row=leased.about.row,
        source_id=report.source_id,
        subject=report.subject,
        step=report.step,
        facts=leased.facts,
    )


def _leased(*row: Any) -> Leased:
    (id, attempt, expires_at, notification_id, membership_id, installation_id) = row[:6]
    (level, title, body, locale, organization_id, organization) = row[6:12]
    (event_id, type, source, subject, step, facts) = row[12:18]
    (platform, application_id, registration_id, p256dh, auth, critical_allowed) = row[18:24]
    return Leased(
        delivery_id=id,
        attempt=attempt,
        expires_at=expires_at,
        notification_id=notification_id,
        membership_id=membership_id,
        installation_id=installation_id,
        target=Target(
            platform=Platform(platform),
            application_id=application_id,
            registration_id=registration_id,
            p256dh=p256dh,
            auth=auth,
            critical_allowed=critical_allowed,
        ),
        level=Level(level),
        title=title,
        body=body,
        locale=locale or settings.LANGUAGE_CODE,
        about=About(
            row=EVENT_TYPES[type],
            organization_id=organization_id,
            event_id=event_id,
            source=source,
            subject=subject,
            step=step,
        ),
        organization=organization,
        facts=json.loads(facts),
        privacy=Privacy.narrowest(*row[24:]),
    )


# Most answers of a batch are alike, so what they mean (their kind) travels once. Whose delivery was
# taken back meanwhile, and not yet sent again, is still answered; after the next lease it is not.
# The UPDATE hands each answer on: PostgreSQL expects one row of it, and would find the answers of
# hundreds by as many walks through all of them.
SETTLE = Prepared("""
    WITH kind AS (
        SELECT * FROM unnest(
            %(state)s::text[], %(due_at)s::timestamptz[], %(verdict)s::text[], %(status)s::int[],
            %(reason)s::text[]
        ) WITH ORDINALITY kind (state, due_at, verdict, status, reason, kind)
    ), answer AS (
        SELECT * FROM unnest(
            %(id)s::bigint[], %(number)s::int[], %(kind)s::int[], %(gateway_id)s::text[],
            %(sent_at)s::float8[], %(answered_at)s::float8[]
        ) answer (id, number, kind, gateway_id, sent_at, answered_at)
        JOIN kind USING (kind)
    ), settled AS (
        UPDATE chatbot_delivery delivery SET
            state = answer.state, reason = answer.reason,
            due_at = COALESCE(answer.due_at, delivery.due_at),
            settled_at = CASE WHEN answer.state = 'pending' THEN NULL ELSE %(now)s::timestamptz END
        FROM answer
        WHERE delivery.id = answer.id AND delivery.attempts = answer.number
            AND delivery.settled_at IS NULL
        RETURNING answer.*
    )
    INSERT INTO chatbot_attempt (
        delivery_id, number, verdict, status, reason, gateway_id, sent_at, answered_at
    )
    SELECT id, number, verdict, status, reason, gateway_id,
        to_timestamp(sent_at), to_timestamp(answered_at)
    FROM settled
    ON CONFLICT (delivery_id, number) DO UPDATE SET
        verdict = EXCLUDED.verdict, status = EXCLUDED.status, reason = EXCLUDED.reason,
        gateway_id = EXCLUDED.gateway_id, sent_at = EXCLUDED.sent_at,
        answered_at = EXCLUDED.answered_at
    WHERE chatbot_attempt.verdict = 'lost'
""")
KIND_COLUMNS = ("state", "due_at", "verdict", "status", "reason")

Kind = tuple[str, datetime | None, str, int | None, str]


def settle(results: Sequence[tuple[Leased, Answer]], *, now: datetime) -> None:
    """Write down what the push services answered: an attempt, and the delivery's new state."""
    if not results:
        return
    kinds: dict[Kind, int] = {}  # numbered from 1, as SQL counts
    numbers = [
        kinds.setdefault(_kind(leased, answer, now=now), len(kinds) + 1)
        for leased, answer in results
    ]
    dead = [_proof(*result) for result in results if result[1].verdict is Verdict.DEAD]
    with transaction.atomic() if dead else nullcontext():
        SETTLE.run(
            {
                "now": now,
                **_columns(KIND_COLUMNS, kinds),
                "id": arrays.plain(answer.delivery_id for _, answer in results),
                "number": arrays.plain(leased.attempt for leased, _ in results),
                "kind": arrays.plain(numbers),
                "gateway_id": arrays.texts(answer.gateway_id[:200] for _, answer in results),
                "sent_at": arrays.plain(answer.sent_at for _, answer in results),
                "answered_at": arrays.plain(answer.answered_at for _, answer in results),
            }
        )
        if dead:
            dead_devices.bury(dead)


def _columns(names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> dict[str, list[Any]]:
    columns = map(list, zip(*rows, strict=True))
    return dict(zip(names, columns, strict=True))


def _kind(leased: Leased, answer: Answer, *, now: datetime) -> Kind:
    state, due_at = after(answer, attempt=leased.attempt, level=leased.level, now=now)
    if due_at is not None and due_at >= leased.expires_at:
        state, due_at = Delivery.State.EXPIRED, None
    return state.value, due_at, answer.verdict.value, answer.status, answer.reason[:100]


def after(
    answer: Answer, *, attempt: int, level: Level, now: datetime
) -> tuple[Delivery.State, datetime | None]:
    """The state that an answer leads to and, if that is pending, when to try again. Pure."""
    match answer.verdict:
        case Verdict.ACCEPTED:
            return Delivery.State.ACCEPTED, None
        case Verdict.DEAD | Verdict.REJECTED:
            return Delivery.State.FAILED, None
        case Verdict.CREDENTIALS:
            return Delivery.State.PENDING, now + backoff.CREDENTIALS
        case Verdict.UNKNOWN if attempt >= UNANSWERED_ATTEMPTS:
            return Delivery.State.UNKNOWN, None
        case Verdict.UNKNOWN | Verdict.RETRY:
            wait = backoff.delay(attempt=attempt, level=level, retry_after=answer.retry_after)
            return Delivery.State.PENDING, now + wait


def _proof(leased: Leased, answer: Answer) -> Proof:
    sent_at = datetime.fromtimestamp(answer.sent_at, UTC)
    return Proof(
        delivery_id=leased.delivery_id,
        token=leased.target.registration_id,
        since=answer.dead_since or sent_at,
    )


def drop(objections: Sequence[tuple[int, str]], *, now: datetime) -> None:
    """Settle leased deliveries that must not be sent any more, each with its reason."""
    for reason in {reason for _, reason in objections}:
        Delivery.objects.filter(
            pk__in=[pk for pk, why in objections if why == reason], state=Delivery.State.SENDING
        ).update(
            state=Delivery.State.EXPIRED if reason == "expired" else Delivery.State.CANCELLED,
            reason=reason,
            settled_at=now,
        )
