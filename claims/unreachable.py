"""Bots of which nobody can be told: the operators are to know it before a customer does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import connection, transaction

from channels_app import doorbell, events
from channels_app.event_types import EVENT_TYPES, Channel
from claims.ladder import DEFAULT, Audience, seeks_out
from claims.waves import operators

UNREACHABLE = "bot.unreachable"
# All bots are looked at this often.
CHECK_EVERY = timedelta(minutes=1)
# A bot that the platform has just named is given time to be set up.
SETTING_UP = timedelta(minutes=5)

# As `reachability.is_able`, for all bots at once: for each the search ends with the first who is.
UNABLE = f"""
    SELECT bot.id, bot.organization_id, bot.external_id, bot.name
    FROM chatbot_source bot
    LEFT JOIN claims_ladder ladder ON ladder.id = COALESCE(
        (SELECT id FROM claims_ladder WHERE bot_id = bot.id),
        (SELECT id FROM claims_ladder
            WHERE organization_id = bot.organization_id AND bot_id IS NULL)
    )
    WHERE bot.kind = 'bot' AND bot.created_at <= %(known_since)s
        AND NOT EXISTS (
            SELECT FROM chatbot_channelpolicy policy
            WHERE policy.organization_id = bot.organization_id
                AND channel = '{Channel.ESCALATION.value}' AND NOT enabled
        )
        AND NOT EXISTS (
            SELECT FROM (
                SELECT user_id FROM chatbot_botuserpermission JOIN respond USING (permission_id)
                WHERE content_object_id = bot.id
                UNION ALL
                SELECT user_id FROM chatbot_botgrouppermission JOIN respond USING (permission_id)
                JOIN chatbot_user_groups USING (group_id)
                WHERE content_object_id = bot.id
            ) responder
            JOIN chatbot_user person ON person.id = responder.user_id AND person.is_active
            JOIN chatbot_membership membership ON membership.user_id = person.id
                AND membership.organization_id = bot.organization_id AND membership.active
            WHERE EXISTS (
                SELECT FROM chatbot_installation installation
                LEFT JOIN push_notifications_apnsdevice apns ON apns.id = apns_id
                LEFT JOIN push_notifications_gcmdevice fcm ON fcm.id = fcm_id
                LEFT JOIN push_notifications_webpushdevice webpush ON webpush.id = webpush_id
                WHERE installation.user_id = person.id AND dead_since IS NULL
                    AND os_permission <> 'denied'
                    AND COALESCE(apns.active, fcm.active, webpush.active)
            )
            AND (
                EXISTS (
                    SELECT FROM chatbot_subscription
                    WHERE source_id = bot.id AND membership_id = membership.id
                )
                OR ladder.id IS NULL AND {seeks_out(DEFAULT, ())}
                OR EXISTS (
                    SELECT FROM claims_wave wave
                    LEFT JOIN chatbot_role role ON role.id = wave.role_id
                    LEFT JOIN chatbot_user_groups held ON held.group_id = role.group_id
                        AND held.user_id = person.id
                    WHERE wave.ladder_id = ladder.id AND (
                        audience = '{Audience.RESPONDERS.value}'
                        OR audience = '{Audience.ROLE.value}' AND held.user_id IS NOT NULL
                    )
                )
            )
        )
"""
RESPOND = """
    SELECT permission.id AS permission_id FROM auth_permission permission
    JOIN django_content_type type ON type.id = content_type_id AND app_label = 'chatbot'
    WHERE codename = 'respond'
"""
FORGET = f"""
    WITH respond AS ({RESPOND}), unable AS ({UNABLE})
    DELETE FROM claims_unreachable WHERE bot_id NOT IN (SELECT id FROM unable)
"""
# Of two workers that find the same bot, one remembers it.
REMEMBER = f"""
    WITH respond AS ({RESPOND}), unable AS ({UNABLE}), found AS (
        INSERT INTO claims_unreachable (bot_id, since)
        SELECT id, %(now)s FROM unable
        WHERE id NOT IN (SELECT bot_id FROM claims_unreachable)
        ORDER BY id LIMIT %(limit)s
        ON CONFLICT DO NOTHING
        RETURNING bot_id
    )
    SELECT unable.* FROM unable JOIN found ON found.bot_id = unable.id ORDER BY unable.id
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A bot that nobody can be told of, from now on."""

    bot_id: int
    organization_id: int
    external_id: str
    name: str


def alarm(*, now: datetime, limit: int) -> int:
    """Tell the operators of up to `limit` bots of which nobody can be told any more; of how many.

    Once each: it is remembered until somebody is able again.
    """
    with transaction.atomic():
        found = _find(now=now, limit=limit)
        told = operators({one.organization_id for one in found}) if found else {}
        for one in found:
            _publish(one, told.get(one.organization_id, ()), now=now)
        if found:
            transaction.on_commit(partial(doorbell.ring, EVENT_TYPES[UNREACHABLE].lane))
    return len(found)


def _find(*, now: datetime, limit: int) -> list[Found]:
    moment = {"now": now, "known_since": now - SETTING_UP}
    with connection.cursor() as cursor:
        cursor.execute(FORGET, moment)
        cursor.execute(REMEMBER, {**moment, "limit": limit})
        return [Found(*row) for row in cursor.fetchall()]


def _publish(found: Found, members: Iterable[int], *, now: datetime) -> None:
    data = {"bot": {"id": found.external_id, "name": found.name}}
    events.publish(
        organization_id=found.organization_id,
        connection_id=None,
        webhook_id=f"unreachable-{found.bot_id}-{now.isoformat()}",
        type=UNREACHABLE,
        payload={"type": UNREACHABLE, "timestamp": now.isoformat(), "data": data},
        occurred_at=now,
        now=now,
        source_id=found.bot_id,
        facts={"members": sorted(members)},
    )


class Check:
    """The chore: sweeps come every few seconds, and all bots are looked at once a minute.

    Each worker counts for itself: what one has found the others do not find again.
    """

    def __init__(self) -> None:
        self._checked_at: datetime | None = None

    def __call__(self, *, now: datetime, limit: int) -> int:
        if self._checked_at is not None and abs(now - self._checked_at) < CHECK_EVERY:
            return 0
        found = alarm(now=now, limit=limit)
        if found < limit:
            self._checked_at = now
        return found


check = Check()
