"""Threads that answer requests, and never more requests than a limit."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class Full(Exception):
    """The pool holds as many requests as it may."""


class Pool:
    """Threads, and a limit to the requests that they hold, running or waiting.

    A request counts until its thread is done with it, also when its client has long gone: until
    then its body is in memory. Everything but `_run` belongs to the event loop's thread.
    """

    def __init__(self, name: str, *, threads: int, limit: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._limit = limit
        self._held = 0

    def submit(
        self, work: Callable[[], None], *, afterwards: Callable[[], None]
    ) -> asyncio.Future[None]:
        """Let a thread do the work, and the event loop `afterwards`, whoever still waits for it.

        Raises Full.
        """
        if self._held >= self._limit:
            raise Full
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._executor.submit(self._run, work, loop, functools.partial(self._end, afterwards, done))
        self._held += 1
        return done

    @staticmethod
    def _run(
        work: Callable[[], None], loop: asyncio.AbstractEventLoop, end: Callable[[], None]
    ) -> None:
        """In a thread."""
        try:
            work()
        finally:
            loop.call_soon_threadsafe(end)

    def _end(self, afterwards: Callable[[], None], done: asyncio.Future[None]) -> None:
        self._held -= 1
        afterwards()
        # Cancelled, when the client has gone in the meantime.
        if not done.done():
            done.set_result(None)
