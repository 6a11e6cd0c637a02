from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from channels_app import events, notifications
from channels_app.levels import Lane
from channels_app.models import Bot, Delivery, Event, Notification
from channels_app.notifications import ROUTE_LEASE, Routed
from tests.crowds import agent, follower
from tests.examples import SMALLEST
from tests.factories import BotFactory, EventFactory, WorkflowFactory
from tests.races import at_once
from workflows.models import Workflow

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def call(bot: Bot, **fields: Any) -> Event:
    """A customer asks for a human: the escalation lane."""
    fields = {"received_at": NOW, **fields}
    return EventFactory.create(connection__organization=bot.organization, source=bot, **fields)


def stuck(workflow: Workflow, **step: Any) -> Event:
    """A step takes too long: the default lane."""
    data = {**SMALLEST["workflow.step_stuck"], "step": step or {"index": 3, "running_seconds": 9}}
    return EventFactory.create(
        connection__organization=workflow.organization,
        source=workflow,
        type="workflow.step_stuck",
        payload={"data": data},
        received_at=NOW,
    )


def poison(workflow: Workflow) -> Event:
    """An event as a release before this one might have taken it in: without `running_seconds`."""
    return stuck(workflow, index=3)


def route(
    lane: Lane = Lane.DEFAULT, *, after: timedelta = timedelta(), limit: int = 100, room: int = 0
) -> Routed:
    return notifications.route(lane=lane, now=NOW + after, limit=limit, room=room)


def states(*rows: Event) -> list[str]:
    found = dict(Event.objects.values_list("pk", "state"))
    return [found[row.pk] for row in rows]


@pytest.fixture
def bot() -> Bot:
    bot = BotFactory.create()
    agent(bot=bot)
    return bot


@pytest.fixture
def workflow() -> Workflow:
    workflow = WorkflowFactory.create()
    follower(workflow=workflow)
    return workflow


def test_what_waits_is_routed(workflow: Workflow) -> None:
    waiting = [stuck(workflow), stuck(workflow)]
    assert route().events == 2
    assert states(*waiting) == ["routed", "routed"]
    assert Notification.objects.count() == 2


def test_nothing_to_route_is_no_work() -> None:
    assert route() == Routed(events=0)


def test_each_lane_is_routed_by_itself(bot: Bot, workflow: Workflow) -> None:
    customer, step = call(bot), stuck(workflow)
    route(Lane.ESCALATION)
    assert states(customer, step) == ["routed", "received"]


def test_an_event_is_not_routed_before_its_time(bot: Bot) -> None:
    call(bot, route_at=NOW + SECOND)
    assert route(Lane.ESCALATION).events == 0
    assert route(Lane.ESCALATION, after=SECOND).events == 1


def test_the_caller_gets_what_it_has_room_for(workflow: Workflow) -> None:
    for _ in range(3):
        stuck(workflow)
    assert len(route(room=2).leased) == 2
    assert Delivery.objects.filter(state="pending").count() == 1


def test_one_organizations_storm_leaves_the_others_their_turn(bot: Bot) -> None:
    storm = [call(bot) for _ in range(9)]
    late = call(BotFactory.create(), received_at=NOW + SECOND)
    route(Lane.ESCALATION, after=SECOND, limit=3)
    assert states(late) == ["routed"]
    assert states(*storm).count("routed") == 2


def test_of_one_organization_the_oldest_come_first(bot: Bot) -> None:
    second = call(bot, received_at=NOW - SECOND)
    first = call(bot, received_at=NOW - 2 * SECOND)
    route(Lane.ESCALATION, limit=1)
    assert states(first, second) == ["routed", "received"]


def test_of_those_that_were_tried_before_one_is_taken_at_a_time_the_least_tried_first(
    bot: Bot,
) -> None:
    often, once = call(bot, route_attempts=2), call(bot, route_attempts=1)
    fresh = call(bot)
    route(Lane.ESCALATION)
    assert states(often, once, fresh) == ["received", "routed", "routed"]


def test_an_event_whose_worker_died_is_taken_again_when_its_lease_is_over(bot: Bot) -> None:
    left = call(bot, route_attempts=1, route_at=NOW + ROUTE_LEASE)
    assert route(Lane.ESCALATION, after=ROUTE_LEASE - SECOND).events == 0
    assert route(Lane.ESCALATION, after=ROUTE_LEASE).events == 1
    assert states(left) == ["routed"]


def test_a_poisonous_event_takes_no_neighbour_along(workflow: Workflow) -> None:
    before, bad, after = stuck(workflow), poison(workflow), stuck(workflow)
    assert route().events == 3
    assert states(before, bad, after) == ["routed", "received", "routed"]


def test_the_neighbours_of_a_poisonous_event_are_sent_as_far_as_there_is_room(
    workflow: Workflow,
) -> None:
    for make in (stuck, poison, stuck, stuck):
        make(workflow)
    assert len(route(room=2).leased) == 2


def test_why_an_event_could_not_be_routed_is_kept_with_it(workflow: Workflow) -> None:
    bad = poison(workflow)
    route()
    bad.refresh_from_db()
    assert bad.route_error.startswith("TypeError: ")


def test_an_event_that_fails_is_tried_three_times_and_then_quarantined(
    workflow: Workflow,
) -> None:
    bad = poison(workflow)
    for number in range(3):
        assert route(after=number * ROUTE_LEASE).events == 1
        assert states(bad) == ["received"]
    route(after=3 * ROUTE_LEASE)
    assert states(bad) == ["quarantined"]
    assert route(after=4 * ROUTE_LEASE).events == 0


def test_a_quarantined_event_is_routed_once_its_fault_is_mended(workflow: Workflow) -> None:
    bad = poison(workflow)
    for number in range(4):
        route(after=number * ROUTE_LEASE)
    Event.objects.filter(pk=bad.pk).update(payload=stuck(workflow).payload)
    assert events.requeue(event_ids=[bad.pk], now=NOW) == 1
    route()
    assert states(bad) == ["routed"]


def test_an_event_that_killed_its_worker_three_times_is_not_tried_again(bot: Bot) -> None:
    deadly = call(bot, route_attempts=3)
    route(Lane.ESCALATION)
    assert states(deadly) == ["quarantined"]
    assert not Notification.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_route_each_event_once() -> None:
    workflow = WorkflowFactory.create()
    for _ in range(2):
        follower(workflow=workflow)
    for _ in range(20):
        stuck(workflow)
    routed = at_once(4, lambda _: route(limit=7, room=4))
    left = route()
    assert sum(each.events for each in routed) + left.events == 20
    assert Notification.objects.count() == Delivery.objects.count() == 40
    leased = [delivery.delivery_id for each in routed for delivery in each.leased]
    assert len(leased) == len(set(leased)) == Delivery.objects.filter(state="sending").count()


@pytest.mark.django_db(transaction=True)
def test_an_event_in_another_workers_hands_is_passed_over() -> None:
    workflow = WorkflowFactory.create()
    held, free = stuck(workflow), stuck(workflow)
    with transaction.atomic():
        Event.objects.select_for_update().get(pk=held.pk)
        assert at_once(1, lambda _: route().events) == [1]
    assert states(held, free) == ["received", "routed"]
