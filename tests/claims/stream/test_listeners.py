from __future__ import annotations

import asyncio

from claims.stream.admission import Badge, Sight
from claims.stream.frames import Frame
from claims.stream.listeners import MOST_BYTES, Listener
from tests.claims.stream.listening import PATIENCE

BADGE = Badge(organization_id=1, membership_id=1, user_id=1)
ALL = Sight(None)


def frame(bot_id: int = 1, organization_id: int = 1, data: bytes = b"x") -> Frame:
    return Frame(event_id=1, organization_id=organization_id, bot_id=bot_id, data=data)


async def heard(one: Listener) -> bytes:
    """All that is sent until the stream ends."""
    async with asyncio.timeout(PATIENCE):
        return b"".join([piece async for piece in one])


def listener(loop: asyncio.AbstractEventLoop, sight: Sight = ALL) -> Listener:
    return Listener(BADGE, sight, loop=loop, ends_at=0, leave=lambda one: None)


def test_a_listener_hears_what_it_may_see_after_what_it_begins_with() -> None:
    async def scenario() -> bytes:
        one = listener(asyncio.get_running_loop(), Sight(frozenset({1})))
        one.tell([frame(data=b"a"), frame(bot_id=2)], before=5, bookmark=6)
        one.tell([frame(organization_id=2)], before=6, bookmark=7)
        one.begin_with(b"first\n\n")
        one.end()
        return await heard(one)

    assert asyncio.run(scenario()) == b"first\n\nid: 5\ndata: a\n\nid: 6\n\n"


def test_a_listener_waits_without_a_thread_and_is_woken() -> None:
    async def scenario() -> bytes:
        loop = asyncio.get_running_loop()
        one = listener(loop)
        loop.call_later(0.01, one.say, b"a")
        loop.call_later(0.02, one.end)
        return await heard(one)

    assert asyncio.run(scenario()) == b"a"


def test_who_does_not_read_holds_a_bounded_number_of_bytes() -> None:
    async def scenario() -> bytes:
        one = listener(asyncio.get_running_loop())
        for _ in range(1_000):
            one.say(b"x" * 1_024)
        return await heard(one)

    assert len(asyncio.run(scenario())) == MOST_BYTES
