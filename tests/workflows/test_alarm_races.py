"""One alarm for each step: two finders, one that dies, and the platform, at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from channels_app.models import Notification
from tests.races import at_once
from tests.workflows.platform import (
    RESUMED,
    STUCK,
    Platform,
    find,
    learn,
    move,
    route,
    said,
    the_step,
    told,
)
from workflows.models import Baseline, Step

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = 12
DUE = 1800


class Died(Exception):
    """The process is gone before it could commit."""


def all_at_once(*work: Callable[[], Any]) -> None:
    at_once(len(work), lambda number: work[number]())


def running() -> Platform:
    platform = Platform()
    for index in range(1, STEPS + 1):
        platform.started(0, index)
    return platform


def alarms() -> dict[int, int]:
    """How many banners the follower was shown of each step."""
    route(DUE + 10)
    pushed = Notification.objects.filter(event__type=STUCK, outcome="pushed")
    indexes = [row.event.payload["data"]["step"]["index"] for row in pushed.select_related("event")]
    return {index: indexes.count(index) for index in range(1, STEPS + 1)}


ONCE = dict.fromkeys(range(1, STEPS + 1), 1)


def test_two_finders_at_once_say_it_once() -> None:
    running()
    all_at_once(*[lambda: find(DUE)] * 4)
    find(DUE + 3)
    assert alarms() == ONCE
    assert len(said(STUCK)) == STEPS


@pytest.mark.parametrize("round", range(3))
def test_two_finders_and_the_platform_at_the_same_moment_are_one_banner(round: int) -> None:
    platform = running()
    all_at_once(
        lambda: find(DUE),
        lambda: [platform.stuck(DUE, index) for index in range(1, STEPS + 1)],
        lambda: find(DUE),
        lambda: [platform.stuck(DUE, index) for index in range(STEPS, 0, -1)],
    )
    find(DUE + 3)
    assert alarms() == ONCE


def test_the_platform_by_two_connections_at_once_is_one_banner() -> None:
    platform = running()
    all_at_once(*[lambda: platform.stuck(DUE, 1)] * 6)
    assert alarms()[1] == 1


def test_a_finder_that_dies_leaves_its_alarms_to_the_next() -> None:
    running()
    with pytest.raises(Died), transaction.atomic():
        find(DUE)
        raise Died
    assert said(STUCK) == []
    all_at_once(lambda: find(DUE + 1), lambda: find(DUE + 1))
    assert alarms() == ONCE


def test_the_same_after_a_restart_in_between() -> None:
    platform = running()
    find(DUE)
    # The platform says the same of half of them, then another process goes on.
    for index in range(1, STEPS // 2):
        platform.stuck(DUE + 1, index)
    all_at_once(lambda: find(DUE + 2), lambda: find(DUE + 2))
    assert alarms() == ONCE


def test_an_end_at_the_same_moment_leaves_no_banner_that_is_not_taken_back() -> None:
    platform = running()
    all_at_once(
        lambda: find(DUE),
        lambda: [platform.completed(DUE, index) for index in range(1, STEPS + 1)],
        lambda: find(DUE),
    )
    find(DUE + 3)
    move(DUE + 3)
    assert len(said(STUCK)) == len(said(RESUMED))
    assert not Step.objects.exclude(alarm__in=["none", "settled"]).exists()


def test_the_end_of_the_run_at_the_same_moment_likewise() -> None:
    platform = running()
    all_at_once(lambda: find(DUE), lambda: platform.finished(DUE), lambda: find(DUE))
    find(DUE + 3)
    move(DUE + 3)
    assert len(said(STUCK)) == len(said(RESUMED))
    assert not Step.objects.exclude(due_at=None).exists()


def test_that_it_moves_again_is_said_once_by_two_at_once() -> None:
    platform = running()
    find(DUE)
    route(DUE)
    for index in range(1, STEPS + 1):
        platform.completed(DUE + 1, index)
    all_at_once(*[lambda: move(DUE + 3)] * 4)
    assert len(said(RESUMED)) == STEPS


def test_sweeps_and_webhooks_at_once_lose_nothing() -> None:
    platform = running()
    all_at_once(
        lambda: [platform.completed(60, index) for index in range(1, STEPS + 1)],
        lambda: [learn() for _ in range(20)],
        lambda: [platform.completed(60, index) for index in range(STEPS, 0, -1)],
        lambda: [learn() for _ in range(20)],
    )
    learn()
    assert sum(known.completed for known in Baseline.objects.all()) == STEPS
    assert the_step(1).due_at is None
    assert told() == []
