from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from channels_app import schedules
from channels_app.models import QuietWindow
from channels_app.quiet_hours import MAXIMUM_WINDOWS, Schedule, Window
from channels_app.schedules import BadSchedule, Hush
from tests.factories import MembershipFactory, NotificationFactory, QuietWindowFactory
from tests.races import at_once

EVERY_DAY = frozenset(range(1, 8))
NIGHT = Window(EVERY_DAY, time(22), time(7))
NOON = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)


@pytest.mark.django_db
def test_a_schedule_is_kept_in_its_order() -> None:
    me = MembershipFactory.create()
    lunch = Window(frozenset({1, 5}), time(12), time(13))
    schedule = Schedule("Europe/Vienna", (NIGHT, lunch))

    schedules.replace(membership=me, schedule=schedule, now=NOON)

    assert schedules.of(me, time_zone="Europe/Vienna") == schedule


@pytest.mark.django_db
def test_what_was_there_before_is_gone_and_what_is_anothers_stays() -> None:
    me, other = MembershipFactory.create_batch(2)
    QuietWindowFactory.create_batch(3, membership=me)
    QuietWindowFactory.create(membership=other)

    schedules.replace(membership=me, schedule=Schedule("UTC", ()), now=NOON)

    assert QuietWindow.objects.get().membership == other


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("schedule", "pointer"),
    [
        (Schedule("Europe/Atlantis", (NIGHT,)), "/time_zone"),
        (Schedule("UTC", (NIGHT,) * (MAXIMUM_WINDOWS + 1)), "/windows"),
        (Schedule("UTC", (Window(frozenset(), time(1), time(2)),)), "/windows/0/days"),
    ],
)
def test_what_cannot_be_kept_is_named_and_changes_nothing(schedule: Schedule, pointer: str) -> None:
    before = QuietWindowFactory.create()

    with pytest.raises(BadSchedule) as refused:
        schedules.replace(membership=before.membership, schedule=schedule, now=NOON)

    assert [fault.pointer for fault in refused.value.faults] == [pointer]
    assert QuietWindow.objects.get() == before


@pytest.mark.django_db
def test_what_is_held_for_this_member_is_judged_again() -> None:
    me, other = MembershipFactory.create_batch(2)
    later = NOON + timedelta(hours=9)
    mine, theirs = (
        NotificationFactory.create(
            membership=member,
            event__organization=member.organization,
            outcome="held",
            held_until=later,
        )
        for member in (me, other)
    )

    schedules.replace(membership=me, schedule=Schedule("UTC", ()), now=NOON)

    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.held_until, theirs.held_until) == (NOON, later)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_kept_whole() -> None:
    me = MembershipFactory.create()
    wanted = [
        Schedule("UTC", (Window(frozenset({day}), time(day), time(day + 1)),) * 3)
        for day in range(1, 7)
    ]

    at_once(6, lambda n: schedules.replace(membership=me, schedule=wanted[n], now=NOON))

    assert schedules.of(me, time_zone="UTC") in wanted


@pytest.mark.parametrize(
    ("windows", "at", "hush"),
    [
        ((), NOON, Hush(quiet=False)),
        (
            (NIGHT,),
            NOON,
            Hush(quiet=False, next_change=datetime(2026, 11, 23, 22, tzinfo=UTC)),
        ),
        (
            (NIGHT,),
            NOON + timedelta(hours=12),
            Hush(
                quiet=True,
                until=datetime(2026, 11, 24, 7, tzinfo=UTC),
                next_change=datetime(2026, 11, 24, 7, tzinfo=UTC),
            ),
        ),
        ((Window(EVERY_DAY, time(0), time(0)),), NOON, Hush(quiet=True)),
    ],
)
def test_a_schedule_says_how_it_stands(
    windows: tuple[Window, ...], at: datetime, hush: Hush
) -> None:
    assert schedules.at(Schedule("UTC", windows), now=at) == hush
