from __future__ import annotations

import asyncio
import threading

import pytest

from pushbridge.pools import Full, Pool

PATIENCE = 30.0


def test_a_full_pool_takes_nothing_more_until_a_thread_is_done() -> None:
    pool, released = Pool("test", threads=1, limit=2), threading.Event()

    async def scenario() -> None:
        async with asyncio.timeout(PATIENCE):
            running = pool.submit(lambda: _wait(released), afterwards=_nothing)
            waiting = pool.submit(_nothing, afterwards=_nothing)
            with pytest.raises(Full):
                pool.submit(_nothing, afterwards=_nothing)
            released.set()
            await asyncio.gather(running, waiting)
            await pool.submit(_nothing, afterwards=_nothing)

    asyncio.run(scenario())


def test_a_request_whose_client_has_gone_counts_until_its_thread_is_done() -> None:
    pool, released = Pool("test", threads=1, limit=1), threading.Event()

    async def scenario() -> None:
        ended = asyncio.Event()
        async with asyncio.timeout(PATIENCE):
            pool.submit(lambda: _wait(released), afterwards=ended.set).cancel()
            with pytest.raises(Full):
                pool.submit(_nothing, afterwards=_nothing)
            assert not ended.is_set()
            released.set()
            await ended.wait()
            await pool.submit(_nothing, afterwards=_nothing)

    asyncio.run(scenario())


def _wait(event: threading.Event) -> None:
    event.wait(PATIENCE)


def _nothing() -> None:
    pass
