"""The doorbell: tells a lane's workers that something is due. It may be lost; the sweep finds all.

One ring is outstanding per lane at most, from when it is rung until the worker that came finds
nothing more: so one worker does what there is in large batches, until it calls another for help.

Ringing costs the caller nothing: a thread of this process talks to the broker, and a storm of
events becomes one ring after another, not one each. A broker that is frozen or gone delays that
thread and nobody else.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import redis
import structlog
from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

from channels_app.levels import Lane

log = structlog.get_logger(__name__)

# A ring that nobody answered (its worker died, say) makes room for another after this long.
OUTSTANDING_SECONDS = 2
# Asking the broker costs as much as storing an event: in a storm it is asked this often at most.
PAUSE_SECONDS = 0.005
DRAIN = "channels_app.tasks.drain"


@dataclass(frozen=True, order=True)
class Ring:
    """What a worker is asked for: to drain a lane, or to help whoever does until it is enough."""

    lane: Lane
    helping: bool = False

    @property
    def key(self) -> str:
        """The broker key that says: the bell has been rung, and whoever comes is not done yet."""
        return f"pushbridge:{'help' if self.helping else 'doorbell'}:{self.lane.value}"


class Doorbell:
    """Rings in a thread of its own."""

    def __init__(self) -> None:
        self._rung: set[Ring] = set()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._redis = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5
        )

    def ring(self, lane: Lane) -> None:
        """Ask for a drain of the lane. Returns at once, never raises."""
        self._ask(Ring(lane))

    def call_help(self, lane: Lane) -> None:
        """Ask for a second worker beside the one that drains. Returns at once, never raises."""
        self._ask(Ring(lane, helping=True))

    def answer(self, lane: Lane, *, helping: bool = False) -> None:
        """From now on the next ring counts again: a worker is about to look for the last time, or
        the one that was called for help is there.
        """
        try:
            self._redis.delete(Ring(lane, helping).key)
        except redis.RedisError as error:
            log.warning("doorbell.unanswered", lane=lane.value, error=str(error))

    def _ask(self, ring: Ring) -> None:
        # Rung already, and not yet taken up: that ring comes after this one's reason, too. Most of
        # a storm ends here, where it wakes nobody.
        if ring in self._rung and self._thread is not None and self._thread.is_alive():
            return
        with self._wake:
            # Threads do not survive a fork, so the first ring in each process starts one.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
                self._thread.start()
            self._rung.add(ring)
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: bool(self._rung))
                rung, self._rung = self._rung, set()
            for ring in sorted(rung):
                self._ring(ring)
            time.sleep(PAUSE_SECONDS)

    def _ring(self, ring: Ring) -> None:
        try:
            if self._redis.set(ring.key, "1", nx=True, ex=OUTSTANDING_SECONDS):
                arguments = (ring.lane.value, ring.helping)
                current_app.send_task(DRAIN, args=arguments, queue=ring.lane.value)
        except (redis.RedisError, OperationalError, OSError) as error:
            log.warning("doorbell.lost", lane=ring.lane.value, error=str(error))


_doorbell = Doorbell()
ring = _doorbell.ring
answer = _doorbell.answer
call_help = _doorbell.call_help
