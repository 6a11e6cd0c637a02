from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from channels_app.watch import Watch

# Long enough for a thread to have its turn on any machine.
PATIENCE_SECONDS = 10.0


@contextmanager
def watching(look: Callable[[], None], patience: float = 0.0) -> Iterator[Watch]:
    watch = Watch(look, patience=patience, pause=0.001)
    watch.begin()
    try:
        yield watch
    finally:
        watch.end()


def test_a_lane_that_nobody_looks_after_is_looked_after() -> None:
    looked = threading.Event()
    with watching(looked.set):
        assert looked.wait(PATIENCE_SECONDS)


def test_while_tasks_look_the_watch_does_not() -> None:
    looks: list[str] = []
    with watching(lambda: looks.append(threading.current_thread().name), patience=60) as watch:
        watch.look()
    assert looks == [threading.current_thread().name]


def test_nobody_looks_while_another_works_on_the_lane() -> None:
    looked = threading.Event()
    with watching(looked.set) as watch:
        with watch.turn:
            looked.clear()
            assert not looked.wait(0.1)
        assert looked.wait(PATIENCE_SECONDS)


def test_a_look_that_fails_is_followed_by_another() -> None:
    looks = threading.Semaphore(0)

    def look() -> None:
        looks.release()
        raise RuntimeError("the database is away")

    with watching(look):
        assert looks.acquire(timeout=PATIENCE_SECONDS)
        assert looks.acquire(timeout=PATIENCE_SECONDS)


def test_after_its_end_a_watch_does_not_look() -> None:
    looked = threading.Event()
    with watching(looked.set):
        assert looked.wait(PATIENCE_SECONDS)
    looked.clear()
    assert not looked.wait(0.1)


def test_a_watch_that_never_began_can_end() -> None:
    Watch(lambda: None, patience=0).end()
