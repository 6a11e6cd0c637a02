"""Races: the same thing done by many threads at the same moment, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def at_once(count: int, do: Callable[[int], T]) -> list[T]:
    """The answers of `do(0)` to `do(count - 1)`, each from a thread and a connection of its own.

    What the threads are to see must be committed: use it with `django_db(transaction=True)`.
    """
    start = Barrier(count, timeout=20)

    def run(number: int) -> T:
        try:
            start.wait()
            return do(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
