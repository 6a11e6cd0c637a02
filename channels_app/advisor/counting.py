"""What went out since a moment, counted by the database: a fixed number of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count

from channels_app.advisor.tallies import Alarm, Call, Group, Sent, Tally
from channels_app.event_types import EVENT_TYPES, Channel
from channels_app.levels import Level
from channels_app.models import Event

# What people are told. Not what only takes a banner back, and not the push that they ask for
# themselves, to see whether it comes.
TOLD: Sequence[str] = [
    row.name
    for row in EVENT_TYPES.values()
    if row.channel is not None and not row.retracts and row.name != "device.test"
]
ESCALATIONS: Sequence[str] = [
    row.name for row in EVENT_TYPES.values() if row.channel is Channel.ESCALATION
]
# Of a week that had more than that, the newest are judged.
MOST_CALLS = 5_000
MOST_ALARMS = 2_000


@dataclass(frozen=True, slots=True)
class Window:
    """The events of an organization that came since a moment."""

    organization_id: int
    since: datetime


# One row for each banner of a person, then one for each person, type, source and level, of which
# the rest is made: that is what keeps it quick. `known`: their app told of some banner that week.
SENT = """
    WITH told AS (
        SELECT event.type, event.source_id, notification.membership_id, notification.level,
            count(*) AS pushed,
            count(*) FILTER (WHERE shown.banners > 0) AS told,
            sum(shown.banners) AS banners,
            count(*) FILTER (WHERE shown.opened) AS opened,
            count(*) FILTER (
                WHERE shown.opened OR shown.banners > 0 AND notification.read_at IS NOT NULL
            ) AS read,
            bool_or(shown.opened IS NOT NULL) AS reported
        FROM chatbot_event event
        JOIN chatbot_notification notification ON notification.event_id = event.id
        CROSS JOIN LATERAL (
            SELECT count(*) AS banners, bool_or(receipt.opened) AS opened
            FROM chatbot_delivery delivery
            CROSS JOIN LATERAL (
                SELECT bool_or(receipt.kind IN ('opened', 'action')) AS opened
                FROM chatbot_receipt receipt WHERE receipt.delivery_id = delivery.id
            ) receipt
            WHERE delivery.notification_id = notification.id AND delivery.state = 'accepted'
        ) shown
        WHERE event.organization_id = %(organization)s AND event.received_at >= %(since)s
            AND event.type = ANY(%(types)s) AND notification.outcome = 'pushed'
        GROUP BY 1, 2, 3, 4
    ), judged AS (
        SELECT told.*,
            CASE WHEN bool_or(reported) OVER (PARTITION BY membership_id)
                THEN told ELSE 0 END AS known,
            EXISTS (
                SELECT FROM chatbot_preference preference
                WHERE preference.membership_id = told.membership_id
                    AND preference.event_type = told.type
                    AND (preference.source_id IS NULL OR preference.source_id = told.source_id)
            ) AS own,
            COALESCE((
                SELECT subscription.level FROM chatbot_subscription subscription
                WHERE subscription.source_id = told.source_id
                    AND subscription.membership_id = told.membership_id
            ), '') AS subscription
        FROM told
    )
    SELECT GROUPING(type, source_id, level), type, source_id, level, own, subscription,
        COALESCE(sum(pushed), 0)::int,
        COALESCE(sum(told), 0)::int,
        count(DISTINCT membership_id) FILTER (WHERE told > 0),
        COALESCE(sum(banners), 0)::int,
        COALESCE(sum(banners) FILTER (WHERE level IN ('loud', 'critical')), 0)::int,
        COALESCE(sum(known), 0)::int,
        COALESCE(sum(opened), 0)::int,
        COALESCE(sum(read) FILTER (WHERE known > 0), 0)::int
    FROM judged
    GROUP BY GROUPING SETS (
        (type, source_id, level, own, subscription), (type, source_id), (type), (source_id), ()
    )
"""
# What GROUPING(type, source_id, level) says of a row: a bit for each that it is not grouped by.
GROUP, OF_BOTH, OF_TYPE, OF_SOURCE, TOTAL = 0b000, 0b001, 0b011, 0b101, 0b111


def sent(window: Window) -> Sent:
    """What was told of these events."""
    groups: list[Group] = []
    tallies: dict[int, dict[Any, Tally]] = {OF_BOTH: {}, OF_TYPE: {}, OF_SOURCE: {}, TOTAL: {}}
    rows = _rows(SENT, window, types=list(TOLD))
    for grouping, type, source_id, level, own, subscription, *counts in rows:
        tally = Tally(*counts)
        if grouping == GROUP:
            word = Level(subscription) if subscription else None
            groups.append(Group(type, source_id, Level(level), own, word, tally.banners))
        else:
            key = {OF_BOTH: (type, source_id), OF_TYPE: type, OF_SOURCE: source_id, TOTAL: None}
            tallies[grouping][key[grouping]] = tally
    return Sent(
        total=tallies[TOTAL][None],
        of_type=tallies[OF_TYPE],
        of_source=tallies[OF_SOURCE],
        of_both=tallies[OF_BOTH],
        groups=tuple(groups),
    )


def events(window: Window) -> Mapping[tuple[str, int | None], int]:
    """How many there were by type and source, whether anybody was told of them or not."""
    rows = Event.objects.filter(
        organization=window.organization_id, received_at__gte=window.since, type__in=TOLD
    ).values_list("type", "source")
    return {(type, source): count for type, source, count in rows.annotate(Count("pk"))}


CALLS = """
    SELECT event.source_id, event.type,
        (event.payload->'data'->>'consecutive_unanswered')::float AS unanswered,
        (event.payload->'data'->>'score')::float AS score,
        event.received_at, later.claimed, later.settled, shown.opened, shown.banners
    FROM chatbot_event event
    CROSS JOIN LATERAL (
        SELECT COALESCE(bool_or(later.type = 'conversation.claimed'), false) AS claimed,
            COALESCE(bool_or(later.type <> 'conversation.claimed'), false) AS settled
        FROM chatbot_event later
        WHERE later.source_id = event.source_id AND later.subject = event.subject
            AND later.occurred_at >= event.occurred_at
            AND later.type IN (
                'conversation.claimed', 'conversation.handed_back', 'conversation.resolved'
            )
    ) later
    CROSS JOIN LATERAL (
        SELECT count(*) AS banners, COALESCE(bool_or(receipt.opened), false) AS opened
        FROM chatbot_notification notification
        JOIN chatbot_delivery delivery ON delivery.notification_id = notification.id
        CROSS JOIN LATERAL (
            SELECT bool_or(receipt.kind IN ('opened', 'action')) AS opened
            FROM chatbot_receipt receipt WHERE receipt.delivery_id = delivery.id
        ) receipt
        WHERE notification.event_id = event.id AND delivery.state = 'accepted'
    ) shown
    WHERE event.organization_id = %(organization)s AND event.received_at >= %(since)s
        AND event.type = ANY(%(types)s) AND event.source_id IS NOT NULL
    ORDER BY event.received_at DESC LIMIT %(most)s
"""


def calls(window: Window) -> list[Call]:
    """The escalations, and how each went on."""
    rows = _rows(CALLS, window, types=list(ESCALATIONS), most=MOST_CALLS)
    return [
        Call(source_id, type, unanswered if unanswered is not None else score, *rest)
        for source_id, type, unanswered, score, *rest in rows
    ]


# Our own alarms: no setting of ours keeps back what the platform calls stuck. A step is over when
# it is completed, or when its run is; a run that failed did not complete it.
ALARMS = """
    SELECT event.source_id, told.running,
        CASE WHEN ended.completed
            THEN told.running + EXTRACT(epoch FROM ended.occurred_at - event.occurred_at)::float
        END,
        shown.banners
    FROM chatbot_event event
    CROSS JOIN LATERAL (
        SELECT event.payload->'data'->'step'->'index' AS index,
            (event.payload->'data'->'step'->>'running_seconds')::float AS running
    ) told
    LEFT JOIN LATERAL (
        SELECT later.occurred_at,
            later.payload->'data'->>'status' IS DISTINCT FROM 'failure' AS completed
        FROM chatbot_event later
        WHERE later.source_id = event.source_id AND later.subject = event.subject
            AND later.occurred_at >= event.occurred_at
            AND (
                later.type = 'workflow.run_finished'
                OR later.type = 'workflow.step_completed'
                AND later.payload->'data'->'step'->'index' = told.index
            )
        ORDER BY later.occurred_at LIMIT 1
    ) ended ON true
    CROSS JOIN LATERAL (
        SELECT count(*) AS banners
        FROM chatbot_notification notification
        JOIN chatbot_delivery delivery ON delivery.notification_id = notification.id
        WHERE notification.event_id = event.id AND delivery.state = 'accepted'
    ) shown
    WHERE event.organization_id = %(organization)s AND event.received_at >= %(since)s
        AND event.type = 'workflow.step_stuck' AND event.connection_id IS NULL
        AND event.source_id IS NOT NULL
    ORDER BY event.received_at DESC LIMIT %(most)s
"""


def alarms(window: Window) -> list[Alarm]:
    """The steps that Pushbridge found stuck, and how each went on."""
    return [Alarm(*row) for row in _rows(ALARMS, window, most=MOST_ALARMS)]


def _rows(sql: str, window: Window, **more: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"organization": window.organization_id, "since": window.since, **more})
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
