from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.db import OperationalError, connection
from django.utils import timezone

from channels_app import deliveries, orphans, sending
from channels_app.doorbell import Ring
from channels_app.gateways.pushes import Verdict
from channels_app.leases import LEASE
from channels_app.levels import Lane
from channels_app.models import Attempt, Delivery, Event
from channels_app.sending import Sender
from tests.channels_app.push_services import PushServices
from tests.crowds import agent
from tests.factories import BotFactory, DeliveryFactory, EventFactory
from tests.races import at_once


def clock() -> Callable[[], datetime]:
    """A clock that moves by 10 ms whenever it is read: no test depends on a machine's speed."""
    ticks, start = count(), timezone.now()
    return lambda: start + next(ticks) * timedelta(milliseconds=10)


def drain(sender: Sender, lane: Lane = Lane.ESCALATION, *, seconds: float = 60) -> None:
    sending.drain(lane=lane, sender=sender, clock=clock(), seconds=seconds)


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def due(**fields: Any) -> Delivery:
    """A delivery of an update, which asks for no permission."""
    return DeliveryFactory.create(
        **{"notification__event__type": "bot.tool_linked", "notification__level": "loud", **fields}
    )


@pytest.mark.django_db
def test_what_is_received_is_routed_and_sent() -> None:
    bot, services = BotFactory.create(), PushServices()
    agent(bot=bot, devices=3)
    EventFactory.create(connection__organization=bot.organization, source=bot)
    drain(services.sender())
    assert states() == ["accepted"] * 3
    assert Event.objects.get().state == "routed"
    assert len(services.pushes) == Attempt.objects.count() == 3


@pytest.mark.django_db
def test_what_is_due_is_sent() -> None:
    services = PushServices()
    delivery = due()
    drain(services.sender(), Lane.DEFAULT)
    assert states() == ["accepted"]
    assert [push.delivery_id for push in services.pushes] == [delivery.pk]


@pytest.mark.django_db
def test_a_drain_ends_when_nothing_is_due() -> None:
    due(due_at=timezone.now() + timedelta(hours=1))
    drain(PushServices().sender(), Lane.DEFAULT, seconds=3600)
    assert states() == ["pending"]


@pytest.mark.django_db
def test_the_other_lane_is_left_to_others() -> None:
    due()
    drain(PushServices().sender(), Lane.ESCALATION)
    assert states() == ["pending"]


@pytest.mark.django_db
def test_what_must_not_be_sent_any_more_is_settled_unsent() -> None:
    services = PushServices()
    due(expires_at=timezone.now()), due()
    drain(services.sender(), Lane.DEFAULT)
    assert states() == ["expired", "accepted"]
    assert len(services.pushes) == 1


@pytest.mark.django_db
def test_a_delivery_that_cannot_be_built_stops_no_other() -> None:
    # Since a release that pushes no banner for this type any more.
    dropped = due(**{"notification__event__type": "workflow.step_started"})
    due()
    drain(PushServices().sender(), Lane.DEFAULT)
    assert states() == ["cancelled", "accepted"]
    assert Delivery.objects.get(pk=dropped.pk).reason == "unbuildable"


@pytest.mark.django_db
def test_what_is_worth_another_try_gets_it() -> None:
    services = PushServices()
    services.verdicts = {due().pk: [Verdict.RETRY, Verdict.RETRY]}
    for _ in range(3):
        drain(services.sender(), Lane.DEFAULT)
        Delivery.objects.filter(state="pending").update(due_at=timezone.now())
    tries = Attempt.objects.order_by("number").values_list("number", "verdict")
    assert list(tries) == [(1, "retry"), (2, "retry"), (3, "accepted")]


@pytest.mark.django_db
def test_no_more_is_under_way_than_the_push_services_have_room_for() -> None:
    services = PushServices(capacity=2)
    bot = BotFactory.create()
    agent(bot=bot, devices=7)
    EventFactory.create(connection__organization=bot.organization, source=bot)
    drain(services.sender())
    assert states() == ["accepted"] * 7
    assert services.most_in_flight == 2


@pytest.mark.django_db
def test_a_device_that_hangs_holds_up_no_other() -> None:
    services, stuck = PushServices(), due()
    others = [due() for _ in range(5)]
    services.hangs = lambda push: push.delivery_id == stuck.pk
    drain(services.sender(), Lane.DEFAULT, seconds=0.2)
    assert states() == ["sending"] + ["accepted"] * len(others)


@pytest.mark.django_db
def test_what_comes_while_a_device_hangs_is_sent() -> None:
    services, stuck = PushServices(), due()
    sender = services.sender()
    services.hangs = lambda push: push.delivery_id == stuck.pk
    drain(sender, Lane.DEFAULT, seconds=0.2)
    due()
    drain(sender, Lane.DEFAULT, seconds=0.2)
    assert states() == ["sending", "accepted"]


@pytest.mark.django_db
def test_what_is_answered_when_the_time_is_over_is_written_down() -> None:
    services, stuck = PushServices(), due()
    services.hangs = lambda push: push.delivery_id == stuck.pk
    due()
    drain(services.sender(), Lane.DEFAULT, seconds=0.015)  # by this clock: one round
    assert states() == ["sending", "accepted"]


@pytest.mark.django_db
def test_an_answer_that_comes_after_the_drain_is_written_down_by_the_next() -> None:
    services = PushServices()
    sender = services.sender()
    due()
    services.hangs = lambda push: True
    drain(sender, Lane.DEFAULT, seconds=0.2)
    services.hangs = lambda push: False
    drain(sender, Lane.DEFAULT)
    assert states() == ["accepted"]
    assert sender.idle


@pytest.mark.django_db
def test_whoever_leaves_something_under_way_rings_for_the_next() -> None:
    services = PushServices()
    services.hangs = lambda push: True
    due()
    drain(services.sender(), Lane.DEFAULT, seconds=0.2)
    with redis.Redis.from_url(django_settings.REDIS_URL) as broker:
        until = time.monotonic() + 10
        while not broker.exists(Ring(Lane.DEFAULT).key):
            assert time.monotonic() < until
            time.sleep(0.005)


@pytest.mark.django_db
def test_a_delivery_whose_lease_ran_out_on_the_way_is_settled_by_its_first_answer() -> None:
    services, later = PushServices(), timezone.now() + 2 * LEASE
    sender, _ = services.sender(), due()
    services.hangs = lambda push: True
    drain(sender, Lane.DEFAULT, seconds=0.2)
    orphans.take_back(lane=Lane.DEFAULT, now=later)
    again = deliveries.lease(lane=Lane.DEFAULT, now=later, limit=1).leased
    sender.send(again, now=later)
    services.hangs = lambda push: False
    drain(sender, Lane.DEFAULT)
    assert len(services.pushes) == 2
    assert (states(), sender.idle) == (["accepted"], True)


def cut_off(_: int, *, backend: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [backend])


@pytest.mark.django_db(transaction=True)
def test_an_answer_outlives_a_database_that_is_away_for_a_moment() -> None:
    due()
    sender = PushServices().sender()
    taken = deliveries.lease(lane=Lane.DEFAULT, now=timezone.now(), limit=1).leased
    sender.send(taken, now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    at_once(1, lambda number: cut_off(number, backend=backend))
    with pytest.raises(OperationalError):
        sender.collect(timeout=0, clock=timezone.now)
    connection.close()
    sender.collect(timeout=0, clock=timezone.now)
    assert (states(), sender.idle) == (["accepted"], True)


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_push_each_delivery_once() -> None:
    bot, services = BotFactory.create(), [PushServices(capacity=3) for _ in range(4)]
    agent(bot=bot, devices=5)
    for _ in range(6):
        EventFactory.create(connection__organization=bot.organization, source=bot)
    at_once(4, lambda number: drain(services[number].sender()))
    pushed = [push.delivery_id for each in services for push in each.pushes]
    assert len(pushed) == len(set(pushed)) == 30
    assert states() == ["accepted"] * 30


@pytest.mark.django_db
def test_who_helps_takes_what_there_is_whatever_it_found_before() -> None:
    services, bot = PushServices(), BotFactory.create()
    agent(bot=bot)
    sender = services.sender()
    for number in range(1, 4):
        EventFactory.create(connection__organization=bot.organization, source=bot)
        sending.drain(lane=Lane.ESCALATION, sender=sender, clock=clock(), seconds=60, helping=True)
        assert states() == ["accepted"] * number
