"""The doorbell: tells a lane's workers that something is due. It may be lost; the sweep finds all.

One ring is outstanding per lane at most. Ringing costs the caller nothing: a thread of this process
talks to the broker, and a storm of events becomes one ring after another, not one each. A broker
that is frozen or gone delays that thread and nobody else.
"""

from __future__ import annotations

import threading
import time

import redis
import structlog
from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

from channels_app.levels import Lane

log = structlog.get_logger(__name__)

# A ring that no worker answered (the broker lost it, say) makes room for another after this long.
OUTSTANDING_SECONDS = 5
# Asking the broker costs as much as storing an event: in a storm it is asked this often at most.
PAUSE_SECONDS = 0.005
DRAIN = "channels_app.tasks.drain"


def key(lane: Lane) -> str:
    """The broker key that says: this lane's bell has been rung, and nobody has come yet."""
    return f"pushbridge:doorbell:{lane.value}"


class Doorbell:
    """Rings in a thread of its own."""

    def __init__(self) -> None:
        self._rung: set[Lane] = set()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._redis = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5
        )

    def ring(self, lane: Lane) -> None:
        """Ask for a drain of the lane. Returns at once, never raises."""
        with self._wake:
            # Threads do not survive a fork, so the first ring in each process starts one.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
                self._thread.start()
            self._rung.add(lane)
            self._wake.notify()

    def answer(self, lane: Lane) -> None:
        """A worker has come to the door: from now on the next ring counts again."""
        try:
            self._redis.delete(key(lane))
        except redis.RedisError as error:
            log.warning("doorbell.unanswered", lane=lane.value, error=str(error))

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: bool(self._rung))
                rung, self._rung = self._rung, set()
            for lane in sorted(rung):
                self._ring(lane)
            time.sleep(PAUSE_SECONDS)

    def _ring(self, lane: Lane) -> None:
        try:
            if self._redis.set(key(lane), "1", nx=True, ex=OUTSTANDING_SECONDS):
                current_app.send_task(DRAIN, args=(lane.value,), queue=lane.value)
        except (redis.RedisError, OperationalError, OSError) as error:
            log.warning("doorbell.lost", lane=lane.value, error=str(error))


_doorbell = Doorbell()
ring = _doorbell.ring
answer = _doorbell.answer
