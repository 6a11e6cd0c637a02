from __future__ import annotations

import pytest

from channels_app import cases
from channels_app.links import identity
from channels_app.models import Delivery, Event, Notification
from tests.workflows.platform import (
    RESUMED,
    STUCK,
    Platform,
    at,
    find,
    move,
    route,
    said,
    the_step,
    told,
)
from workflows.moving import FORGOTTEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform(db: None) -> Platform:
    return Platform()


def show() -> None:
    """Everything that was to be pushed stands on the phones."""
    Delivery.objects.filter(settled_at=None).update(
        state=Delivery.State.ACCEPTED, attempts=1, settled_at=at(0)
    )


def alarmed(platform: Platform) -> None:
    """Step 3 was found stuck after half an hour, and the follower's phone shows it."""
    platform.started(0, name="Collect metrics")
    find(1800)
    route(1800)
    show()


def test_what_was_stuck_and_is_completed_moves_again(platform: Platform) -> None:
    alarmed(platform)
    platform.completed(2100)
    assert move(2102) == 1
    assert said(RESUMED) == [
        {
            "workflow": {"id": "wf_kpi", "name": "Daily KPI digest"},
            "run": {"id": "run_900", "subject": ""},
            "step": {"index": 3, "name": "Collect metrics", "duration_seconds": 2100},
        }
    ]
    step = the_step()
    assert (step.alarm, step.moved_at) == ("settled", at(2100))


def test_its_banner_is_replaced_silently_where_it_is_shown(platform: Platform) -> None:
    alarmed(platform)
    platform.completed(2100)
    move(2102)
    route(2102)
    assert told(RESUMED) == [
        ("✅ Workflow moving again: Daily KPI digest", "Step 3 moving again after 35 min.")
    ]
    replacement = Notification.objects.get(event__type=RESUMED)
    assert (replacement.level, Delivery.objects.filter(settled_at=None).count()) == ("quiet", 1)


def test_who_was_never_told_is_not_told_this_either(platform: Platform) -> None:
    platform.started(0)
    find(1800)
    platform.completed(1801)
    route(1802)
    move(1803)
    route(1803)
    assert told() == []


def test_the_same_after_the_platforms_own_word(platform: Platform) -> None:
    platform.stuck(1000, running=900)
    platform.completed(1420)
    assert move(1422) == 1
    assert said(RESUMED)[0]["step"]["duration_seconds"] == 1320


def test_it_is_said_once(platform: Platform) -> None:
    alarmed(platform)
    platform.completed(2100)
    assert (move(2102), move(2103)) == (1, 0)
    platform.completed(2100)
    platform.finished(2200)
    assert (move(2203), len(said(RESUMED))) == (0, 1)


def test_nothing_is_said_while_it_is_stuck(platform: Platform) -> None:
    alarmed(platform)
    platform.completed(1, 2)
    platform.started(2000, 3)
    assert (move(100_000), said(RESUMED)) == (0, [])


def test_nothing_is_said_of_what_was_never_stuck(platform: Platform) -> None:
    platform.started(0)
    platform.completed(10)
    platform.finished(20)
    assert (move(30), said(RESUMED)) == (0, [])


def test_the_end_of_its_run_ends_it_too(platform: Platform) -> None:
    alarmed(platform)
    platform.finished(2400)
    assert move(2402) == 1
    (data,) = said(RESUMED)
    assert (data["step"]["duration_seconds"], data.get("status")) == (2400, None)


def test_a_failure_rings_and_replaces_what_was_stuck_silently(platform: Platform) -> None:
    alarmed(platform)
    platform.finished(2400, "failure")
    move(2402)
    route(2402)
    levels = Notification.objects.order_by("pk").values_list("event__type", "level", "outcome")
    assert list(levels) == [
        (STUCK, "loud", "pushed"),
        ("workflow.run_finished", "loud", "pushed"),
        (RESUMED, "quiet", "pushed"),
    ]
    assert told(RESUMED) == [("❌ Workflow finished: Daily KPI digest", "Status: failure.")]


def test_a_loop_that_goes_on_at_once_has_moved(platform: Platform) -> None:
    alarmed(platform)
    platform.completed(2100)
    platform.started(2100.5)
    assert move(2102) == 1
    assert said(RESUMED)[0]["step"]["duration_seconds"] == 2100


def test_what_is_stuck_again_is_not_said_to_move(platform: Platform) -> None:
    alarmed(platform)
    platform.completed(2100)
    move(2101)
    platform.started(2102)
    platform.stuck(5000)
    route(5001)
    assert Notification.objects.filter(event__type=RESUMED, outcome="pushed").count() == 0
    assert len(told(STUCK)) == 2


def test_each_try_that_was_stuck_moves_again(platform: Platform) -> None:
    for start in (0, 10_000):
        platform.started(start)
        find(start + 1800)
        platform.completed(start + 2000)
        move(start + 2001)
    assert [data["step"]["duration_seconds"] for data in said(RESUMED)] == [2000, 2000]


def test_what_nobody_hears_of_any_more_is_forgotten_silently(platform: Platform) -> None:
    alarmed(platform)
    late = 1800 + FORGOTTEN.total_seconds()
    assert (move(late - 1), move(late), said(RESUMED)) == (0, 1, [])
    assert (the_step().alarm, the_step().moved_at) == ("settled", None)


def test_our_clock_may_be_ahead_of_the_platforms(platform: Platform) -> None:
    platform.started(0)
    find(1800)
    # Completed after the alarm, by a clock that is ten seconds behind ours.
    platform.completed(1795, received=1805)
    assert move(1806) == 1


def test_the_word_has_its_event_like_any_other(platform: Platform) -> None:
    alarmed(platform)
    platform.completed(2100)
    move(2102)
    event = Event.objects.get(type=RESUMED)
    assert (event.connection, event.subject, event.occurred_at) == (None, "run_900", at(2102))


def test_its_banner_is_the_one_that_it_replaces(platform: Platform) -> None:
    alarmed(platform)
    platform.completed(2100)
    move(2102)
    events = Event.objects.filter(type__in=[STUCK, RESUMED]).order_by("pk")
    stuck, resumed = (identity(case.about) for case in cases.read([one.pk for one in events]))
    assert stuck == resumed
