"""Races: the same thing done by many threads at the same moment, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection, connections

T = TypeVar("T")


def at_once(count: int, do: Callable[[int], T]) -> list[T]:
    """The answers of `do(0)` to `do(count - 1)`, each from a thread and a connection of its own.

    What the threads are to see must be committed: use it with `django_db(transaction=True)`. Who
    waits for a lock that nobody gives up fails, instead of waiting for ever.
    """
    start = Barrier(count, timeout=20)

    def run(number: int) -> T:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '10s'")
            start.wait()
            return do(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
