"""One thread of each web process reads the log for everybody who listens there.

What it costs does not grow with those who listen: one small query a quarter of a second, and five
to ask again who may. While nobody listens there is no thread, and nothing is read.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from django.db import Error, connection
from django.utils import timezone

from claims.stream import admission, frames, log
from claims.stream.admission import Badge, Sight
from claims.stream.bookmarks import Tail
from claims.stream.frames import Frame
from claims.stream.listeners import Listener
from claims.stream.log import Entry

logger = structlog.get_logger(__name__)

MOST_OF_A_PERSON = 20
MOST_OF_A_PROCESS = 1_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How often things are done, in seconds.

    Attributes:
        poll: half of it is what an event waits on average; "within a second" leaves room for a
            busy machine.
        heartbeat: something is sent at least so often.
        ask_again: whoever may not listen any more hears nothing after so long; where that cannot
            be asked, nobody hears anything after twice as long.
        shortest, longest: how long a stream goes on, so that those which began together do not
            come back together.
    """

    poll: float = 0.25
    heartbeat: float = 15.0
    ask_again: float = 20.0
    shortest: float = 480.0
    longest: float = 600.0


class TooMany(Exception):
    """This person has as many streams here as one may have."""


class Full(Exception):
    """This process has as many streams as it may have."""


@dataclass(slots=True)
class Clock:
    """When something was done that is done every so often (monotonic)."""

    every: float
    last: float

    def is_due(self, now: float) -> bool:
        if now - self.last < self.every:
            return False
        self.last = now
        return True


class Hub:
    """Those who listen in this process, and the thread that reads for them.

    `compose` makes of events what is sent, once for all.

    Attributes:
        bookmark: up to where all has been read, while somebody listens.
    """

    def __init__(
        self, compose: Callable[[Sequence[Entry]], list[Frame]], *, pace: Pace | None = None
    ) -> None:
        self._compose = compose
        self._pace = pace or Pace()
        self._lock = threading.Lock()
        self._listeners: set[Listener] = set()
        self._reading = False
        self.bookmark = 0

    def join(self, badge: Badge, sight: Sight, *, loop: asyncio.AbstractEventLoop) -> Listener:
        """From now on all that becomes visible in the log is told, on this loop.

        The caller then reads what is visible already, if anything was missed: so nothing is lost
        in between, and some may be told twice.

        Raises:
            TooMany, Full.
        """
        listener = Listener(
            badge,
            sight,
            loop=loop,
            ends_at=time.monotonic() + random.uniform(self._pace.shortest, self._pace.longest),
            leave=self._leave,
        )
        tail: Tail | None = None
        while not self._is_in(listener, tail):
            tail = log.begin(now=time.monotonic())
        return listener

    def _is_in(self, listener: Listener, tail: Tail | None) -> bool:
        """Whether the listener was taken in; False: `tail` is needed to begin with."""
        with self._lock:
            self._check_room(listener.badge)
            if not self._reading:
                if tail is None:
                    return False
                self._reading, self.bookmark = True, tail.bookmark
                threading.Thread(target=self._run, args=(tail,), name="stream", daemon=True).start()
            self._listeners.add(listener)
            return True

    def _check_room(self, badge: Badge) -> None:
        if len(self._listeners) >= MOST_OF_A_PROCESS:
            raise Full
        own = sum(one.badge.user_id == badge.user_id for one in self._listeners)
        if own >= MOST_OF_A_PERSON:
            raise TooMany

    def _leave(self, listener: Listener) -> None:
        with self._lock:
            self._listeners.discard(listener)

    def _here(self) -> list[Listener]:
        with self._lock:
            return list(self._listeners)

    def _goes_on(self) -> bool:
        """Whether somebody listens. If not the thread ends, and another one begins anew."""
        with self._lock:
            self._reading = bool(self._listeners)
            return self._reading

    def _run(self, tail: Tail) -> None:
        """The thread. What must not happen ends all streams: their apps come back, to another."""
        try:
            self._read(tail)
        except Exception:
            logger.exception("stream.failed")
            with self._lock:
                self._reading = False
                _end(self._listeners)
        finally:
            connection.close()

    def _read(self, tail: Tail) -> None:
        began = time.monotonic()
        beat, asked = Clock(self._pace.heartbeat, began), Clock(self._pace.ask_again, began)
        answered = began
        while self._goes_on():
            here, now, more = self._here(), time.monotonic(), False
            try:
                more = self._tell_news(tail, now)
                if asked.is_due(now):
                    self._ask_again(here)
                    answered = now
                if beat.is_due(now):
                    _post(here, partial(_say, frames.mark(tail.bookmark)))
            except Error as error:
                logger.warning("stream.unread", error=str(error))
                connection.close()
            nobody_knows = now - answered > 2 * self._pace.ask_again
            _end(one for one in here if nobody_knows or now > one.ends_at)
            if not more:
                time.sleep(self._pace.poll)

    def _tell_news(self, tail: Tail, now: float) -> bool:
        """Read once, and tell; answer whether there is more at once."""
        before = tail.bookmark
        # Taken before the reading that it is to judge.
        snapshot = log.snapshot() if tail.missing else None
        news = log.news(tail)
        # Whoever is not among them joined after the reading, and finds there what it found.
        here = self._here()
        organizations = {one.badge.organization_id for one in here}
        wanted = [number for number, of in news.wanted if of in organizations]
        told = self._compose(log.entries(wanted))
        tail.see(news.ids, now=now)
        if snapshot is not None:
            tail.settle(oldest=snapshot.oldest, following=snapshot.following, now=now)
        self.bookmark = tail.bookmark
        if told:
            _post(here, partial(_tell, told, before, tail.bookmark))
        return news.more

    def _ask_again(self, here: Sequence[Listener]) -> None:
        """End the streams of those who may not listen any more."""
        seen = admission.sights({one.badge for one in here}, now=timezone.now())
        for one in here:
            if (sight := seen.get(one.badge)) is not None:
                one.sight = sight
        _end(one for one in here if one.badge not in seen)


def _say(piece: bytes, listener: Listener) -> None:
    listener.say(piece)


def _tell(told: Sequence[Frame], before: int, bookmark: int, listener: Listener) -> None:
    listener.tell(told, before=before, bookmark=bookmark)


def _end(listeners: Iterable[Listener]) -> None:
    _post(list(listeners), Listener.end)


def _post(listeners: Sequence[Listener], do: Callable[[Listener], None]) -> None:
    """Let each loop do this with those that are on it, all at once."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[Listener]] = defaultdict(list)
    for one in listeners:
        by_loop[one.loop].append(one)
    for loop, those in by_loop.items():
        try:
            loop.call_soon_threadsafe(_each, those, do)
        except RuntimeError:
            # The server stops, and its loop is closed.
            logger.debug("stream.loop_closed", listeners=len(those))


def _each(listeners: Sequence[Listener], do: Callable[[Listener], None]) -> None:
    for one in listeners:
        do(one)
