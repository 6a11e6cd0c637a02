"""The tasks: a bell that is answered, and a sweep that needs no bell. Both may run any number of
times, at once, and be lost. Where none come, the worker looks after its lane by itself (`watch`).
"""

from __future__ import annotations

import gc
import time
from functools import cache, partial
from typing import Any

from celery import shared_task
from celery.concurrency.solo import TaskPool
from celery.signals import celeryd_after_setup, worker_shutdown
from django.conf import settings
from django.db import close_old_connections, connection
from django.utils import timezone

from channels_app import chores, doorbell, holds, orphans, sending
from channels_app.gateways.dispatch import Dispatcher, GatewayConfig
from channels_app.levels import Lane
from channels_app.sending import Sender
from channels_app.watch import Watch

# A worker that is asked to stop finishes its task first: none may last. Then it waits a little for
# the answers to what is under way: they would be asked for twice.
DRAIN_SECONDS = 5
FAREWELL_SECONDS = 3
# Members whose holds are released in one sweep, some ten milliseconds each.
RELEASE_LIMIT = 200
# In pauses between two sweeps: who waits longer has missed one.
PATIENCE = 1.5


@cache
def sender(lane: Lane) -> Sender:
    """The lane's sender of this process, made on first use: its connections last as long as it."""
    # A batch makes and drops thousands of small objects, none of them in cycles. With Python's own
    # thresholds the collector walks all of Django again and again: a quarter of the CPU of routing.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    return Sender(Dispatcher(GatewayConfig.from_settings(settings)))


@cache
def watch(lane: Lane) -> Watch:
    """The watch over a lane in this process."""
    return Watch(partial(_sweep, lane), patience=PATIENCE * settings.SWEEP_SECONDS)


@shared_task
def drain(lane: str, helping: bool = False) -> None:
    """Route and send what is due."""
    with watch(Lane(lane)).turn:
        if helping:
            doorbell.answer(Lane(lane), helping=True)
        _drain(Lane(lane), helping=helping)


@shared_task
def sweep(lane: str) -> None:
    """Find what no bell told of: rings that were lost, senders that died, tries that are due."""
    watch(Lane(lane)).look()


def _drain(lane: Lane, *, helping: bool) -> None:
    _reconnect()
    sending.drain(
        lane=lane,
        sender=sender(lane),
        clock=timezone.now,
        seconds=DRAIN_SECONDS,
        helping=helping,
    )


def _reconnect() -> None:
    """After a restart of the database the connection of the last task is a dead one."""
    close_old_connections()
    if connection.connection is not None and not connection.is_usable():
        connection.close()


def _sweep(lane: Lane) -> None:
    _reconnect()
    # First what this worker knows: after a long freeze its own leases are over, the answers here.
    sender(lane).finish(clock=timezone.now)
    orphans.take_back(lane=lane, now=timezone.now())
    if lane is Lane.DEFAULT:  # in which digests travel
        holds.release(now=timezone.now(), limit=RELEASE_LIMIT)
    chores.do(lane, clock=timezone.now)
    _drain(lane, helping=True)


@celeryd_after_setup.connect
def begin_watch(instance: Any, **_: Any) -> None:
    """A worker starts, perhaps without a broker. Its pool must be the one that does not fork."""
    if issubclass(instance.pool_cls, TaskPool):
        for lane in _lanes(instance):
            watch(lane).begin()


@worker_shutdown.connect
def end_watch(sender: Any, **_: Any) -> None:
    """A worker ends in order: what is under way is not left behind as lost."""
    for lane in _lanes(sender):
        watch(lane).end()
        _take_leave(lane)


def _lanes(worker: Any) -> list[Lane]:
    queues = worker.app.amqp.queues.consume_from
    return [lane for lane in Lane if lane.value in queues]


def _take_leave(lane: Lane) -> None:
    until = time.monotonic() + FAREWELL_SECONDS
    while not sender(lane).idle and time.monotonic() < until:
        sender(lane).collect(timeout=0.1, clock=timezone.now)
