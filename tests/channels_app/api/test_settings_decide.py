"""What members set by the API is what decides, from the request to the recorded outcome."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from channels_app import holds
from channels_app.fan_out import fan_out
from channels_app.models import Bot, Event, Membership, Notification
from tests.api import client_for
from tests.crowds import agent
from tests.examples import SMALLEST
from tests.factories import BotFactory, EventFactory

pytestmark = pytest.mark.django_db

# A Monday.
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ESCALATED = "conversation.human_requested"
LINKED = "bot.tool_linked"


def happens(bot: Bot, type: str, at: datetime = NOON) -> None:
    event = EventFactory.create(
        connection__organization=bot.organization,
        source=bot,
        type=type,
        subject="conv_1" if type == ESCALATED else "",
        payload={"type": type, "data": SMALLEST[type]},
        received_at=at,
    )
    fan_out(event_ids=[event.pk], now=at, room=0)


def said(member: Membership, verb: str, path: str, body: Any = None) -> None:
    client = client_for(member.user)
    send = {"put": client.put, "patch": client.patch, "delete": client.delete}[verb]
    answer = send(f"/api/v1/{member.organization.slug}/{path}", body)
    assert answer.status_code in (200, 201, 204), answer.content


Said = tuple[str, str, Any]
SETTINGS: list[tuple[list[Said], str, str, str, str]] = [
    ([], ESCALATED, "pushed", "critical", "catalogue"),
    (
        [("put", "bots/bot_x/subscription/", {"level": "quiet"})],
        ESCALATED,
        "pushed",
        "quiet",
        "subscription",
    ),
    (
        [("put", "bots/bot_x/subscription/", {"level": "off"})],
        LINKED,
        "source_off",
        "off",
        "subscription",
    ),
    (
        [("put", f"preferences/types/{LINKED}/", {"level": "quiet"})],
        LINKED,
        "pushed",
        "quiet",
        "type_level",
    ),
    (
        [
            ("put", f"preferences/types/{LINKED}/", {"level": "off"}),
            ("put", f"preferences/types/{LINKED}/sources/bot/bot_x/", {"level": "loud"}),
        ],
        LINKED,
        "pushed",
        "loud",
        "source_level",
    ),
    (
        [("put", "snoozes/", {"what": {"everything": True}, "minutes": 60})],
        LINKED,
        "snoozed",
        "loud",
        "snooze",
    ),
    (
        [("put", "snoozes/", {"what": {"everything": True}, "minutes": 60})],
        ESCALATED,
        "pushed",
        "critical",
        "catalogue",
    ),
    (
        [
            ("put", "snoozes/", {"what": {"everything": True}, "minutes": 60}),
            ("patch", "preferences/channels/escalation/", {"overrides_quiet_hours": False}),
        ],
        ESCALATED,
        "snoozed",
        "critical",
        "snooze",
    ),
    (
        [("put", "snoozes/", {"what": {"bot": "bot_x", "conversation": "conv_1"}, "minutes": 5})],
        ESCALATED,
        "snoozed",
        "critical",
        "snooze",
    ),
    (
        [("put", "snoozes/", {"what": {"bot": "bot_x", "conversation": "conv_2"}, "minutes": 5})],
        ESCALATED,
        "pushed",
        "critical",
        "catalogue",
    ),
    (
        [
            (
                "put",
                "quiet-hours/",
                {"windows": [{"days": [1], "start": "12:00", "end": "12:01"}]},
            )
        ],
        LINKED,
        "held",
        "loud",
        "quiet_hours",
    ),
]


@pytest.mark.parametrize(("settings", "event_type", "outcome", "level", "decided_by"), SETTINGS)
@time_machine.travel(NOON, tick=False)
def test_what_a_member_sets_decides_what_they_are_told(
    settings: list[Said], event_type: str, outcome: str, level: str, decided_by: str
) -> None:
    bot = BotFactory.create(external_id="bot_x")
    alice = agent(bot=bot)
    for verb, path, body in settings:
        said(alice, verb, path, body)

    happens(bot, event_type)

    told = Notification.objects.get()
    assert (told.outcome, told.level, told.decided_by) == (outcome, level, decided_by)


def test_who_unsubscribes_is_told_nothing_more() -> None:
    bot = BotFactory.create(external_id="bot_x")
    said(agent(bot=bot), "delete", "bots/bot_x/subscription/")

    happens(bot, LINKED)

    assert {row.outcome for row in Notification.objects.all()} <= {"not_subscribed"}


def test_who_ends_their_quiet_hours_early_hears_at_once_of_what_was_held() -> None:
    bot = BotFactory.create(external_id="bot_x")
    alice = agent(bot=bot)
    with time_machine.travel(NOON, tick=False):
        night = {"days": [1, 2, 3, 4, 5, 6, 7], "start": "11:00", "end": "20:00"}
        said(alice, "put", "quiet-hours/", {"windows": [night]})
        happens(bot, LINKED)
    soon = NOON + timedelta(minutes=1)
    with time_machine.travel(soon, tick=False):
        before = holds.release(now=soon, limit=9)
        said(alice, "put", "quiet-hours/", {"windows": []})
        after = holds.release(now=soon, limit=9)

    assert (before, after) == (0, 1)
    assert Notification.objects.get(event__type=LINKED).outcome == "pushed"
    assert Event.objects.filter(type="member.digest").count() == 1


def test_who_moves_is_held_by_their_new_clock() -> None:
    bot = BotFactory.create(external_id="bot_x")
    alice = agent(bot=bot)
    with time_machine.travel(NOON, tick=False):
        noon = {"days": [1, 2, 3, 4, 5, 6, 7], "start": "11:30", "end": "12:30"}
        said(alice, "put", "quiet-hours/", {"windows": [noon]})
        happens(bot, LINKED)
        client_for(alice.user).patch("/api/v1/me/", {"time_zone": "Asia/Tokyo"})
        released = holds.release(now=NOON, limit=9)

    assert released == 1
    assert Notification.objects.get(event__type=LINKED).outcome == "pushed"
