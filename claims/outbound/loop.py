"""The sender's life: work until asked to stop, whatever fails meanwhile."""

from __future__ import annotations

import threading
import time

import structlog
from django.db import Error, connection
from django.utils import timezone

from channels_app.outages import is_outage
from claims.outbound.sender import LOOK_SECONDS, Sender, transport

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 1.0
"""Before the next look after a failure: the database is away, say."""
FAREWELL_SECONDS = 3.0
"""What is under way at the end has this long to be answered. What is not is sent again, under the
same id, by the next sender."""


class Loop:
    """A sender in a thread of its own, with connections of its own to PostgreSQL and receivers."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, name="outbound", daemon=True)

    def begin(self) -> None:
        """Send what is due, until `end`."""
        self._thread.start()

    def end(self) -> None:
        """Stop; returns when what was under way is answered, or has had its time."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _live(self) -> None:
        while not self._stop.is_set():
            sender = Sender(transport(), clock=timezone.now)
            # Nothing may end the loop. A sender that failed is not trusted any more: what it had in
            # hand is taken back when its leases are over.
            try:
                run(sender, stop=self._stop)
            except Exception:
                log.exception("outbound.failed")
                self._stop.wait(PAUSE_SECONDS)
            finally:
                sender.close()
        connection.close()


def run(sender: Sender, *, stop: threading.Event) -> None:
    """Send what is due until `stop` is set, and then wait a little for what is under way."""
    while not stop.is_set():
        try:
            if not sender.work():
                stop.wait(LOOK_SECONDS)
        except Error as error:
            _bear(error)
            stop.wait(PAUSE_SECONDS)
    until = time.monotonic() + FAREWELL_SECONDS
    while not sender.idle and time.monotonic() < until:
        try:
            sender.collect(seconds=0.1)
        except Error as error:
            _bear(error)
            return


def _bear(error: Error) -> None:
    """Go on without the database until it is back; whatever it found fault with is raised."""
    if not is_outage(error):
        raise error
    log.warning("outbound.database_unavailable", error=str(error).strip())
    connection.close()
