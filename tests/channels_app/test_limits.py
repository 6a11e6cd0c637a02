from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import redis
from django.conf import settings

from channels_app import limits
from channels_app.limits import OWN_KEYS, PREFIX, Limit, Limiter, OwnCount

NOBODY_LISTENS = "redis://127.0.0.1:1/0"
SECOND = 1_000_000


@pytest.fixture
def limiter() -> Limiter:
    return Limiter(settings.REDIS_URL)


@pytest.fixture
def alone() -> Limiter:
    return Limiter(NOBODY_LISTENS)


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """Takes connections, and never answers: a Redis that was frozen."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        yield server


def a_limit(count: int, seconds: int = 3600) -> Limit:
    return Limit(f"test-{uuid.uuid4()}", count, seconds)


def let_through(limiter: Limiter, limit: Limit, *, requests: int) -> int:
    """How many of so many requests got through that came at once, each in a thread of its own."""
    start = Barrier(requests, timeout=20)

    def ask(_: int) -> bool:
        start.wait()
        (meter,) = limiter.take([(limit, "alice")])
        return not meter.retry_after

    with ThreadPoolExecutor(requests) as pool:
        return sum(pool.map(ask, range(requests)))


def test_of_many_requests_at_once_exactly_the_limit_gets_through(limiter: Limiter) -> None:
    assert let_through(limiter, a_limit(10), requests=64) == 10


def test_so_it_is_when_several_processes_count_together() -> None:
    limit = a_limit(10)

    # Each has connections and scripts of its own, as a process has.
    got_through = [let_through(Limiter(settings.REDIS_URL), limit, requests=16) for _ in range(3)]

    assert got_through == [10, 0, 0]


def test_without_redis_exactly_the_limit_gets_through_each_process(alone: Limiter) -> None:
    assert let_through(alone, a_limit(10), requests=64) == 10


@pytest.mark.parametrize("count", [1, 3, 7, 600, 12_000])
@pytest.mark.parametrize("url", ["redis", NOBODY_LISTENS])
def test_a_fresh_limit_says_how_much_is_left(url: str, count: int) -> None:
    limiter = Limiter(settings.REDIS_URL if url == "redis" else url)
    limit = a_limit(count)

    (meter,) = limiter.take([(limit, "alice")])

    assert (meter.limit, meter.remaining, meter.retry_after) == (limit, count - 1, 0)
    assert meter.reset_after == pytest.approx(3600 / count, rel=0.01)


def test_who_is_refused_is_told_when_to_ask_again(limiter: Limiter) -> None:
    limit = a_limit(2, seconds=60)
    for _ in range(2):
        limiter.take([(limit, "alice")])

    (meter,) = limiter.take([(limit, "alice")])

    assert meter.remaining == 0
    assert 25 < meter.retry_after <= 30
    assert 55 < meter.reset_after <= 60


def test_everybody_has_a_limit_of_their_own(limiter: Limiter) -> None:
    limit = a_limit(1)

    meters = [limiter.take([(limit, person)])[0] for person in ("alice", "bob")]

    assert [meter.retry_after for meter in meters] == [0, 0]


@pytest.mark.parametrize("url", ["redis", NOBODY_LISTENS])
def test_who_is_refused_by_one_limit_uses_up_no_other(url: str) -> None:
    limiter = Limiter(settings.REDIS_URL if url == "redis" else url)
    wide, narrow = a_limit(10), a_limit(1)
    limiter.take([(wide, "alice"), (narrow, "alice")])

    refused = limiter.take([(wide, "alice"), (narrow, "alice")])
    (after,) = limiter.take([(wide, "alice")])

    assert [bool(meter.retry_after) for meter in refused] == [False, True]
    assert after.remaining == 8


def test_what_is_used_up_leaves_redis_when_it_is_whole_again(limiter: Limiter) -> None:
    limit = a_limit(10, seconds=1000)

    limiter.take([(limit, "alice")])

    left = redis.Redis.from_url(settings.REDIS_URL).pttl(f"{PREFIX}{limit.name}:alice")
    assert 0 < left <= 100_000


def test_a_frozen_redis_delays_one_request_and_no_other(silent_server: socket.socket) -> None:
    limiter = Limiter(f"redis://127.0.0.1:{silent_server.getsockname()[1]}/0")
    limit = a_limit(2)

    refused = [bool(limiter.take([(limit, "alice")])[0].retry_after) for _ in range(4)]

    assert refused == [False, False, True, True]
    silent_server.accept()[0].close()
    silent_server.settimeout(0.1)
    with pytest.raises(TimeoutError):
        silent_server.accept()


def test_a_limit_that_is_counted_alone_comes_back_evenly() -> None:
    count, minute = OwnCount(), [(20 * SECOND, 60 * SECOND)]

    waits = [count.take(["k"], minute, now * SECOND)[0][1] for now in (0, 0, 0, 0, 19, 20, 20)]

    assert [wait // SECOND for wait in waits] == [0, 0, 0, 20, 1, 0, 20]


def test_counting_alone_needs_no_more_memory_however_many_ask() -> None:
    count = OwnCount()

    for number in range(OWN_KEYS + 100):
        count.take([f"k{number}"], [(SECOND, 60 * SECOND)], 0)

    assert len(count) == OWN_KEYS


def test_a_limit_that_would_let_nothing_through_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="lets nothing by"):
        Limit("none", 0, 60)


def test_no_limits_let_everything_through() -> None:
    assert limits.take([]) == []
