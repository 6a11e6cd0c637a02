from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels_app.models import Membership, QuietWindow
from tests.api import PROBLEM, client_for, pointers
from tests.factories import (
    MembershipFactory,
    NotificationFactory,
    QuietWindowFactory,
    UserFactory,
)
from tests.races import at_once

pytestmark = pytest.mark.django_db

# A Monday; Vienna is an hour ahead of UTC.
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]
NIGHT = {"days": EVERY_DAY, "start": "22:00", "end": "07:00"}
SUNDAY = {"days": [7], "start": "00:00", "end": "00:00"}


def quiet_hours(member: Membership) -> str:
    return f"/api/v1/{member.organization.slug}/quiet-hours/"


def in_vienna() -> Membership:
    return MembershipFactory.create(user=UserFactory.create(time_zone="Europe/Vienna"))


@time_machine.travel(NOON, tick=False)
def test_windows_are_set_and_shown_as_they_were_sent() -> None:
    me = in_vienna()
    client = client_for(me.user)
    days = [5, 1, 1, 3]
    odd = {"days": days, "start": "12:30", "end": "13:00"}

    answer = client.put(quiet_hours(me), {"windows": [SUNDAY, odd]})

    assert answer.status_code == 200
    assert answer.json() == client.get(quiet_hours(me)).json()
    assert answer.json() == {
        "time_zone": "Europe/Vienna",
        "windows": [SUNDAY, {**odd, "days": [1, 3, 5]}],
        "quiet_now": False,
        "until": None,
        "next_change": "2026-11-25T11:30:00Z",
    }


@pytest.mark.parametrize(
    ("windows", "at", "quiet", "until", "next_change"),
    [
        ([], NOON, False, None, None),
        ([NIGHT], NOON, False, None, "2026-11-23T21:00:00Z"),
        (
            [NIGHT],
            NOON + timedelta(hours=10),
            True,
            "2026-11-24T06:00:00Z",
            "2026-11-24T06:00:00Z",
        ),
        ([{"days": EVERY_DAY, "start": "00:00", "end": "00:00"}], NOON, True, None, None),
    ],
)
def test_it_says_whether_it_is_quiet_now_and_when_that_changes(
    windows: list[Any], at: datetime, quiet: bool, until: str | None, next_change: str | None
) -> None:
    me = in_vienna()
    client_for(me.user).put(quiet_hours(me), {"windows": windows})

    with time_machine.travel(at, tick=False):
        told = client_for(me.user).get(quiet_hours(me)).json()

    assert (told["quiet_now"], told["until"], told["next_change"]) == (quiet, until, next_change)


def test_the_time_zone_is_the_persons_and_not_changed_here() -> None:
    me = in_vienna()

    answer = client_for(me.user).put(
        quiet_hours(me), {"time_zone": "Asia/Tokyo", "windows": [], "quiet_now": True}
    )

    assert answer.json()["time_zone"] == "Europe/Vienna"
    me.user.refresh_from_db()
    assert me.user.time_zone == "Europe/Vienna"


def test_who_never_said_where_they_are_is_in_utc() -> None:
    me = MembershipFactory.create()

    assert client_for(me.user).get(quiet_hours(me)).json()["time_zone"] == "UTC"


def test_those_of_one_organization_do_not_count_in_another() -> None:
    me = in_vienna()
    elsewhere = MembershipFactory.create(user=me.user)
    QuietWindowFactory.create(membership=elsewhere)

    client_for(me.user).put(quiet_hours(me), {"windows": []})

    assert client_for(me.user).get(quiet_hours(me)).json()["windows"] == []
    assert QuietWindow.objects.get().membership == elsewhere


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, {"/windows"}),
        ({"windows": None}, {"/windows"}),
        ({"windows": NIGHT}, {"/windows"}),
        ({"windows": [[]]}, {"/windows/0"}),
        ({"windows": [NIGHT, {}]}, {"/windows/1/days", "/windows/1/start", "/windows/1/end"}),
        ({"windows": [{**NIGHT, "days": []}]}, {"/windows/0/days"}),
        ({"windows": [{**NIGHT, "days": [1, 8]}]}, {"/windows/0/days/1"}),
        ({"windows": [{**NIGHT, "days": [0]}]}, {"/windows/0/days/0"}),
        ({"windows": [{**NIGHT, "days": ["Monday"]}]}, {"/windows/0/days/0"}),
        ({"windows": [{**NIGHT, "days": 1}]}, {"/windows/0/days"}),
        ({"windows": [{**NIGHT, "start": "24:00"}]}, {"/windows/0/start"}),
        ({"windows": [{**NIGHT, "start": "7:00"}]}, {"/windows/0/start"}),
        ({"windows": [{**NIGHT, "start": "22:00:30"}]}, {"/windows/0/start"}),
        ({"windows": [{**NIGHT, "end": "07:00+01:00"}]}, {"/windows/0/end"}),
        ({"windows": [{**NIGHT, "end": "٠٧:٠٠"}]}, {"/windows/0/end"}),
        ({"windows": [{**NIGHT, "end": "07:00\n"}]}, {"/windows/0/end"}),
        ({"windows": [{**NIGHT, "end": 700}]}, {"/windows/0/end"}),
        ({"windows": [{**NIGHT, "until": "07:00"}]}, {"/windows/0/until"}),
        ({"windows": [NIGHT] * 29}, {"/windows"}),
        ([], {""}),
    ],
)
def test_a_window_that_does_not_exist_is_named(body: Any, places: set[str]) -> None:
    me = MembershipFactory.create()
    QuietWindowFactory.create(membership=me)

    answer = client_for(me.user).put(quiet_hours(me), body)

    assert answer.status_code == 400
    assert pointers(answer) == places
    assert QuietWindow.objects.get().start == time(22)


def test_what_is_held_is_judged_again_when_quiet_hours_change() -> None:
    me = MembershipFactory.create()
    until = datetime.now(UTC) + timedelta(hours=8)
    held = NotificationFactory.create(
        membership=me, event__organization=me.organization, outcome="held", held_until=until
    )

    client_for(me.user).put(quiet_hours(me), {"windows": []})

    held.refresh_from_db()
    assert held.held_until is not None and held.held_until <= datetime.now(UTC)


def test_more_windows_take_no_more_queries() -> None:
    counts = set()
    for count in (1, 20):
        me = MembershipFactory.create()
        QuietWindowFactory.create_batch(count, membership=me)
        with CaptureQueriesContext(connection) as queries:
            client_for(me.user).get(quiet_hours(me))
        counts.add(len(queries))

    assert counts == {2}


def test_an_outsider_sees_and_changes_nothing() -> None:
    member, outsider = MembershipFactory.create_batch(2)
    QuietWindowFactory.create(membership=member)
    client = client_for(outsider.user)

    answers = [
        client.get(quiet_hours(member)),
        client.put(quiet_hours(member), {"windows": []}),
    ]

    assert {(answer.status_code, answer["Content-Type"]) for answer in answers} == {(404, PROBLEM)}
    assert QuietWindow.objects.count() == 1


def test_a_change_that_was_based_on_something_older_is_refused() -> None:
    me = MembershipFactory.create()
    client = client_for(me.user)
    with time_machine.travel(NOON, tick=False):
        seen = {"If-Match": client.get(quiet_hours(me))["ETag"]}
        changed = client.put(quiet_hours(me), {"windows": [NIGHT]}, headers=seen)
        too_late = client.put(quiet_hours(me), {"windows": []}, headers=seen)

    assert [changed.status_code, too_late.status_code] == [200, 412]
    assert QuietWindow.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_the_windows_of_one_stand_afterwards() -> None:
    me = MembershipFactory.create()
    wanted = [[{"days": [day], "start": "01:00", "end": "02:00"}] * day for day in EVERY_DAY]

    statuses = at_once(
        7, lambda n: client_for(me.user).put(quiet_hours(me), {"windows": wanted[n]}).status_code
    )

    assert set(statuses) == {200}
    assert client_for(me.user).get(quiet_hours(me)).json()["windows"] in wanted
