"""What a worker of the default lane does beside its tasks: it tells the platform (`outbound`).

In a thread of its own, so that neither waits for the other, and without the broker. Why in that
worker: docs/decisions/outbound.md.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import structlog
from celery.concurrency.solo import TaskPool
from celery.signals import celeryd_after_setup, worker_shutdown

from channels_app.levels import Lane
from claims.outbound.loop import Loop

log = structlog.get_logger(__name__)


@cache
def loop() -> Loop:
    """The loop of this process."""
    return Loop()


@celeryd_after_setup.connect
def begin_loop(instance: Any, **_: Any) -> None:
    """A worker starts, perhaps without a broker. Its pool must be the one that does not fork."""
    if not _serves_default_lane(instance):
        return
    if issubclass(instance.pool_cls, TaskPool):
        loop().begin()
    else:
        log.error("outbound.not_started", pool=instance.pool_cls.__name__, needed="solo")


@worker_shutdown.connect
def end_loop(sender: Any, **_: Any) -> None:
    """A worker ends in order: what is under way is not left behind as lost."""
    if _serves_default_lane(sender):
        loop().end()


def _serves_default_lane(worker: Any) -> bool:
    return Lane.DEFAULT.value in worker.app.amqp.queues.consume_from
