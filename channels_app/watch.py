"""The watch: looks after a lane from within its worker when neither bell nor sweep comes.

Both come through the broker, and the sweep from the scheduler. Either may be frozen or gone for
longer than an escalation is worth anything. And pushes that a task has left under way want their
answers read in time, whoever gets the next task.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

# While the watch stands in for the tasks it looks this often.
LOOK_SECONDS = 1.0


class Watch:
    """Lets tasks look after one lane in this process, and does it itself when none come."""

    def __init__(
        self, look: Callable[[], None], *, patience: float, pause: float = LOOK_SECONDS
    ) -> None:
        """A watch that has not begun.

        Args:
            look: finds and does all that is due; may fail, and is called again.
            patience: seconds without a look after which the watch takes one.
            pause: seconds between its looks from then on, until a task looks again.
        """
        self._look = look
        self._patience = patience
        self._pause = pause
        self._due_at = time.monotonic() + patience
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.turn = threading.Lock()
        """To be held by whoever works on the lane: a sender is for one thread at a time."""

    def begin(self) -> None:
        """Watch, until `end`."""
        self._thread.start()

    def end(self) -> None:
        """Stop watching; returns when a look that is under way is over."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def look(self) -> None:
        """Look, as a task that was asked to."""
        with self.turn:
            self._look()
        self._due_at = time.monotonic() + self._patience

    def _run(self) -> None:
        while not self._ended.wait(self._pause):
            if time.monotonic() < self._due_at:
                continue
            # Anything may fail while servers come and go, and nothing may end the watch.
            try:
                with self.turn:
                    self._look()
            except Exception as error:
                log.warning("watch.failed", error=f"{type(error).__name__}: {error}")
