from __future__ import annotations

import json
import multiprocessing
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings

from channels_app.doorbell import Doorbell, Ring
from channels_app.levels import Lane


def wait_until(true: Callable[[], Any]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    """The broker, with nobody at any door: rings of earlier tests have come, and are forgotten."""
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        _silence(client)
        yield client
        _silence(client)


def _silence(client: redis.Redis) -> None:
    unchanged, before = 0, -1
    while unchanged < 10:
        now = sum(waiting(client, lane) for lane in Lane)
        unchanged, before = (unchanged + 1 if now == before else 0), now
        time.sleep(0.005)
    client.delete(*Lane, *(Ring(lane, helping).key for lane in Lane for helping in (False, True)))


def waiting(client: redis.Redis, lane: Lane) -> int:
    """How many drains lie in a lane's queue."""
    return int(client.llen(lane.value))


def test_a_ring_asks_for_a_drain_of_the_lane(broker: redis.Redis) -> None:
    Doorbell().ring(Lane.ESCALATION)
    wait_until(lambda: waiting(broker, Lane.ESCALATION) == 1)
    message = json.loads(broker.lindex("escalation", 0) or "")
    assert message["headers"]["task"] == "channels_app.tasks.drain"
    assert message["headers"]["argsrepr"] == "('escalation', False)"


def test_a_storm_of_rings_is_one_ring(broker: redis.Redis) -> None:
    bell = Doorbell()
    for _ in range(200):
        bell.ring(Lane.DEFAULT)
        time.sleep(0.0001)
    bell.ring(Lane.ESCALATION)  # one after the other: when this has come, all others have
    wait_until(lambda: waiting(broker, Lane.ESCALATION))
    assert waiting(broker, Lane.DEFAULT) == 1


def test_the_rings_of_many_processes_are_one_ring(broker: redis.Redis) -> None:
    for bell in [Doorbell(), Doorbell(), Doorbell()]:
        bell.ring(Lane.DEFAULT)
        bell.ring(Lane.ESCALATION)
        wait_until(lambda: waiting(broker, Lane.ESCALATION))
        broker.delete("escalation", Ring(Lane.ESCALATION).key)
    assert waiting(broker, Lane.DEFAULT) == 1


def test_who_answers_makes_room_for_the_next_ring(broker: redis.Redis) -> None:
    bell = Doorbell()
    bell.ring(Lane.DEFAULT)
    wait_until(lambda: waiting(broker, Lane.DEFAULT) == 1)
    bell.answer(Lane.DEFAULT)
    bell.ring(Lane.DEFAULT)
    wait_until(lambda: waiting(broker, Lane.DEFAULT) == 2)


def test_help_is_called_beside_whoever_drains_and_once(broker: redis.Redis) -> None:
    bell = Doorbell()
    bell.ring(Lane.DEFAULT)
    wait_until(lambda: waiting(broker, Lane.DEFAULT) == 1)
    bell.call_help(Lane.DEFAULT)
    wait_until(lambda: waiting(broker, Lane.DEFAULT) == 2)
    bell.call_help(Lane.DEFAULT)
    bell.ring(Lane.ESCALATION)
    wait_until(lambda: waiting(broker, Lane.ESCALATION))
    assert waiting(broker, Lane.DEFAULT) == 2


def test_when_a_helper_has_come_the_next_call_is_for_another(broker: redis.Redis) -> None:
    bell = Doorbell()
    bell.call_help(Lane.DEFAULT)
    wait_until(lambda: waiting(broker, Lane.DEFAULT) == 1)
    bell.answer(Lane.DEFAULT, helping=True)
    bell.call_help(Lane.DEFAULT)
    wait_until(lambda: waiting(broker, Lane.DEFAULT) == 2)


def test_to_answer_one_lane_says_nothing_of_the_other(broker: redis.Redis) -> None:
    bell = Doorbell()
    bell.ring(Lane.DEFAULT)
    wait_until(lambda: waiting(broker, Lane.DEFAULT))
    bell.answer(Lane.ESCALATION)
    assert broker.exists(Ring(Lane.DEFAULT).key)


def test_a_ring_that_nobody_answers_makes_room_in_a_few_seconds(broker: redis.Redis) -> None:
    Doorbell().ring(Lane.DEFAULT)
    wait_until(lambda: waiting(broker, Lane.DEFAULT))
    assert 0 < broker.pttl(Ring(Lane.DEFAULT).key) <= 5000


def test_a_process_that_was_forked_after_a_ring_can_ring(broker: redis.Redis) -> None:
    bell = Doorbell()
    bell.ring(Lane.DEFAULT)
    wait_until(lambda: waiting(broker, Lane.DEFAULT))
    child = multiprocessing.get_context("fork").Process(target=_ring_and_stay, args=(bell,))
    child.start()
    wait_until(lambda: waiting(broker, Lane.ESCALATION))
    child.terminate()
    child.join(10)


def _ring_and_stay(bell: Doorbell) -> None:
    bell.ring(Lane.ESCALATION)
    time.sleep(20)


@pytest.fixture
def frozen_broker() -> Iterator[str]:
    """An address where somebody takes the call and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def test_a_frozen_broker_delays_nobody_who_rings(frozen_broker: str, settings: Any) -> None:
    settings.REDIS_URL = frozen_broker
    bell = Doorbell()
    started = time.monotonic()
    for _ in range(100):
        bell.ring(Lane.DEFAULT)
    assert time.monotonic() - started < 2


def test_a_dead_broker_hurts_nobody(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
    bell = Doorbell()
    started = time.monotonic()
    bell.ring(Lane.DEFAULT)
    bell.answer(Lane.DEFAULT)
    bell.ring(Lane.DEFAULT)
    assert time.monotonic() - started < 2
