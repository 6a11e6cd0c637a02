from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_app.models import Membership, Snooze
from channels_app.snoozes import MOST
from tests.api import PROBLEM, client_for, pointers
from tests.factories import (
    BotFactory,
    MembershipFactory,
    NotificationFactory,
    SnoozeFactory,
    WorkflowFactory,
)
from tests.races import at_once

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVERYTHING = {
    "everything": True,
    "bot": None,
    "conversation": None,
    "workflow": None,
    "run": None,
}


def snoozes(member: Membership, snooze_id: object = None) -> str:
    address = f"/api/v1/{member.organization.slug}/snoozes/"
    return address if snooze_id is None else f"{address}{snooze_id}/"


def somebody() -> Membership:
    """With the bot `bot_1` and the workflow `wf_1` in their organization."""
    me = MembershipFactory.create()
    BotFactory.create(organization=me.organization, external_id="bot_1", name="Bot X")
    WorkflowFactory.create(organization=me.organization, external_id="wf_1", name="Digest")
    return me


@time_machine.travel(NOON, tick=False)
def test_everything_is_snoozed_for_some_minutes() -> None:
    me = somebody()
    client = client_for(me.user)

    answer = client.put(snoozes(me), {"what": {"everything": True}, "minutes": 60})

    assert answer.status_code == 201
    assert answer.json() == {
        "id": Snooze.objects.get().pk,
        "what": EVERYTHING,
        "name": None,
        "until": "2026-11-23T13:00:00Z",
        "created_at": "2026-11-23T12:00:00Z",
    }
    assert client.get(snoozes(me)).json()["results"] == [answer.json()]


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ({"bot": "bot_1"}, "Bot X"),
        ({"bot": "bot_1", "conversation": "conv/1 "}, "Bot X"),
        ({"workflow": "wf_1"}, "Digest"),
        ({"workflow": "wf_1", "run": "run_1", "everything": False, "bot": None}, "Digest"),
    ],
)
def test_a_source_is_snoozed_or_one_thing_of_it(what: dict[str, Any], name: str) -> None:
    me = somebody()

    answer = client_for(me.user).put(
        snoozes(me), {"what": what, "until": timezone.now() + timedelta(days=1)}
    )

    assert answer.status_code == 201
    assert answer.json()["what"] == {**EVERYTHING, "everything": False, **what}
    assert answer.json()["name"] == name


def test_snoozing_again_moves_the_end() -> None:
    me = somebody()
    client = client_for(me.user)
    what = {"bot": "bot_1"}

    with time_machine.travel(NOON, tick=False):
        first = client.put(snoozes(me), {"what": what, "minutes": 60})
        again = client.put(snoozes(me), {"what": what, "until": "2026-11-23T15:30:00+02:00"})

    assert [first.status_code, again.status_code] == [201, 200]
    assert again.json() == {**first.json(), "until": "2026-11-23T13:30:00Z"}


def test_a_bot_and_its_conversations_are_snoozed_apart() -> None:
    me = somebody()
    client = client_for(me.user)
    for what in ({"bot": "bot_1"}, {"bot": "bot_1", "conversation": "a"}, {"everything": True}):
        client.put(snoozes(me), {"what": what, "minutes": 5})

    assert Snooze.objects.count() == 3


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({"minutes": 5}, {"/what"}),
        ({"minutes": 5, "what": {}}, {"/what"}),
        ({"minutes": 5, "what": "everything"}, {"/what"}),
        ({"minutes": 5, "what": {"everything": False}}, {"/what"}),
        ({"minutes": 5, "what": {"everything": True, "bot": "bot_1"}}, {"/what"}),
        ({"minutes": 5, "what": {"bot": "bot_1", "workflow": "wf_1"}}, {"/what"}),
        ({"minutes": 5, "what": {"conversation": "conv_1"}}, {"/what/conversation"}),
        ({"minutes": 5, "what": {"bot": "bot_1", "run": "run_1"}}, {"/what/run"}),
        ({"minutes": 5, "what": {"bot": ""}}, {"/what/bot"}),
        ({"minutes": 5, "what": {"bot": "x" * 129}}, {"/what/bot"}),
        ({"minutes": 5, "what": {"robot": "bot_1"}}, {"/what/robot"}),
        ({"minutes": 5, "what": {"bot": "wf_1"}}, {"/what/bot"}),
        ({"minutes": 5, "what": {"bot": "bot_theirs"}}, {"/what/bot"}),
        ({"minutes": 5, "what": {"workflow": "nothing"}}, {"/what/workflow"}),
        ({"what": {"everything": True}}, {""}),
        ({"what": {"everything": True}, "minutes": 5, "until": "2026-11-23T13:00:00Z"}, {""}),
        ({"what": {"everything": True}, "minutes": 0}, {"/minutes"}),
        ({"what": {"everything": True}, "minutes": 10081}, {"/minutes"}),
        ({"what": {"everything": True}, "minutes": "soon"}, {"/minutes"}),
        ({"what": {"everything": True}, "minutes": None}, {"/minutes"}),
        ({"what": {"everything": True}, "until": "2026-11-23T12:00:00Z"}, {"/until"}),
        ({"what": {"everything": True}, "until": "2026-11-30T12:00:01Z"}, {"/until"}),
        ({"what": {"everything": True}, "until": "2026-11-23T13:00:00"}, {"/until"}),
        ({"what": {"everything": True}, "until": "0001-01-01T00:00:00+23:00"}, {"/until"}),
        ({"what": {"everything": True}, "until": "9999-12-31T23:59:59-23:00"}, {"/until"}),
        ({"what": {"everything": True}, "until": "2026-11-23"}, {"/until"}),
        ({"what": {"everything": True}, "until": 5}, {"/until"}),
        ([], {""}),
    ],
)
@time_machine.travel(NOON, tick=False)
def test_what_cannot_be_snoozed_is_named(body: Any, places: set[str]) -> None:
    me = somebody()
    BotFactory.create(external_id="bot_theirs")

    answer = client_for(me.user).put(snoozes(me), body)

    assert answer.status_code == 400
    assert pointers(answer) == places
    assert not Snooze.objects.exists()


def test_what_is_over_is_not_shown_and_is_forgotten_at_the_next_change() -> None:
    me = somebody()
    over = SnoozeFactory.create(membership=me, until=timezone.now() - timedelta(seconds=1))
    SnoozeFactory.create(until=timezone.now() - timedelta(seconds=1))
    client = client_for(me.user)

    assert client.get(snoozes(me)).json()["results"] == []
    assert client.delete(snoozes(me, over.pk)).status_code == 404
    client.put(snoozes(me), {"what": {"bot": "bot_1"}, "minutes": 5})

    assert [row.source_id is None for row in Snooze.objects.filter(membership=me)] == [False]


def test_a_snooze_that_is_over_is_made_anew() -> None:
    me = somebody()
    SnoozeFactory.create(membership=me, until=timezone.now() - timedelta(hours=1))

    answer = client_for(me.user).put(snoozes(me), {"what": {"everything": True}, "minutes": 5})

    assert answer.status_code == 201


def test_a_snooze_is_ended_before_its_time() -> None:
    me = somebody()
    snooze = SnoozeFactory.create(membership=me)
    client = client_for(me.user)

    assert [client.delete(snoozes(me, snooze.pk)).status_code for _ in range(2)] == [204, 404]
    assert client.get(snoozes(me)).json()["results"] == []


@pytest.mark.parametrize("change", ["snoozed", "ended"])
def test_what_is_held_is_judged_again_when_a_snooze_changes(change: str) -> None:
    me = somebody()
    snooze = SnoozeFactory.create(membership=me)
    held = NotificationFactory.create(
        membership=me,
        event__organization=me.organization,
        outcome="snoozed",
        held_until=snooze.until,
    )
    client = client_for(me.user)

    if change == "ended":
        client.delete(snoozes(me, snooze.pk))
    else:
        client.put(snoozes(me), {"what": {"everything": True}, "minutes": 5})

    held.refresh_from_db()
    assert held.held_until is not None and held.held_until <= timezone.now()


def test_a_snooze_counts_in_one_organization() -> None:
    me = somebody()
    elsewhere = MembershipFactory.create(user=me.user)
    client_for(me.user).put(snoozes(me), {"what": {"everything": True}, "minutes": 5})

    assert client_for(me.user).get(snoozes(elsewhere)).json()["results"] == []


def test_what_is_anothers_is_not_found_on_any_verb() -> None:
    me = somebody()
    theirs = SnoozeFactory.create()
    colleagues = SnoozeFactory.create(membership__organization=me.organization)
    client = client_for(me.user)

    answers = [
        client.delete(snoozes(me, theirs.pk)),
        client.delete(snoozes(me, colleagues.pk)),
        client.delete(snoozes(me, 10**30)),
        client.delete(snoozes(theirs.membership, theirs.pk)),
        client.get(snoozes(theirs.membership)),
        client.put(snoozes(theirs.membership), {"what": {"everything": True}, "minutes": 5}),
    ]

    assert {(answer.status_code, answer["Content-Type"]) for answer in answers} == {(404, PROBLEM)}
    assert Snooze.objects.count() == 2


def test_more_snoozes_take_no_more_queries() -> None:
    counts = set()
    for count in (1, 20):
        me = MembershipFactory.create()
        for bot in BotFactory.create_batch(count, organization=me.organization):
            SnoozeFactory.create(membership=me, source=bot)
        with CaptureQueriesContext(connection) as queries:
            client_for(me.user).get(snoozes(me))
        counts.add(len(queries))

    assert counts == {2}


def test_beyond_a_limit_one_must_end_first() -> None:
    me = somebody()
    bot = BotFactory.create(organization=me.organization, external_id="bot_many")
    until = timezone.now() + timedelta(hours=1)
    Snooze.objects.bulk_create(
        Snooze(membership=me, source=bot, subject=f"conv_{n}", until=until) for n in range(MOST)
    )
    client = client_for(me.user)

    one_more = client.put(snoozes(me), {"what": {"everything": True}, "minutes": 5})
    known = client.put(
        snoozes(me), {"what": {"bot": "bot_many", "conversation": "conv_7"}, "minutes": 5}
    )

    assert (one_more.status_code, one_more["Content-Type"]) == (409, PROBLEM)
    assert known.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_many_at_once_leave_one_snooze() -> None:
    me = somebody()

    statuses = at_once(
        8,
        lambda n: (
            client_for(me.user)
            .put(snoozes(me), {"what": {"bot": "bot_1"}, "minutes": n + 1})
            .status_code
        ),
    )

    assert sorted(statuses) == [200] * 7 + [201]
    assert Snooze.objects.count() == 1
