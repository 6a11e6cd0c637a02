"""The tasks: a bell that is answered, and a sweep that needs no bell. Both may run any number of
times, at once, and be lost."""

from __future__ import annotations

import gc
from functools import cache

from celery import shared_task
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from channels_app import orphans, sending
from channels_app.gateways.dispatch import Dispatcher, GatewayConfig
from channels_app.levels import Lane
from channels_app.sending import Sender

# A worker that is asked to stop finishes its task first: none may last.
DRAIN_SECONDS = 5


@cache
def sender(lane: Lane) -> Sender:
    """The lane's sender of this process, made on first use: its connections last as long as it."""
    # A batch makes and drops thousands of small objects, none of them in cycles. With Python's own
    # thresholds the collector walks all of Django again and again: a quarter of the CPU of routing.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    return Sender(Dispatcher(GatewayConfig.from_settings(settings)))


@shared_task
def drain(lane: str) -> None:
    """Route and send what is due."""
    # After a restart of the database the connection of the last task is a dead one.
    close_old_connections()
    sending.drain(
        lane=Lane(lane), sender=sender(Lane(lane)), clock=timezone.now, seconds=DRAIN_SECONDS
    )


@shared_task
def sweep(lane: str) -> None:
    """Find what no bell told of: rings that were lost, senders that died, tries that are due."""
    close_old_connections()
    # First what this worker knows: after a long freeze its own leases are over, the answers here.
    sender(Lane(lane)).finish(clock=timezone.now)
    orphans.take_back(lane=Lane(lane), now=timezone.now())
    drain(lane)
