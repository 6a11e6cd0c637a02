from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from django.db import connections
from django.utils import timezone

from channels_app.models import Bot, BotUserPermission, Membership
from claims.models import Conversation
from claims.stream import admission
from claims.stream.admission import Badge, Sight
from claims.stream.frames import Frame
from claims.stream.hub import MOST_OF_A_PERSON, MOST_OF_A_PROCESS, Full, Hub, Pace, TooMany
from claims.stream.listeners import Listener
from claims.stream.log import Entry
from tests.claims.stream.listening import PATIENCE, conversation, happened
from tests.factories import BotFactory, MembershipFactory, permit

pytestmark = pytest.mark.django_db(transaction=True)

FAST = Pace(poll=0.01, heartbeat=60.0, ask_again=60.0, shortest=60.0, longest=60.0)
ALL = Sight(None)


def compose(entries: Sequence[Entry]) -> list[Frame]:
    return [
        Frame(
            event_id=entry.event.pk,
            organization_id=entry.event.organization_id,
            bot_id=entry.row.conversation.bot_id,
            data=b"%d" % entry.event.pk,
        )
        for entry in entries
    ]


async def heard(one: Listener) -> bytes:
    """All that is sent until the stream ends."""
    async with asyncio.timeout(PATIENCE):
        return b"".join([piece async for piece in one])


@pytest.fixture(autouse=True)
def nobody_reads_afterwards() -> Iterator[None]:
    """The thread ends by itself once nobody listens, and leaves the database alone."""
    yield
    deadline = time.monotonic() + PATIENCE
    while any(thread.name == "stream" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def bot() -> Bot:
    return BotFactory.create()


@pytest.fixture
def alice(bot: Bot) -> Membership:
    member = MembershipFactory.create(organization=bot.organization)
    permit(bot=bot, to=member.user)
    return member


@pytest.fixture
def one(bot: Bot) -> Conversation:
    return conversation(bot)


def badge_of(member: Membership) -> Badge:
    return Badge(member.organization_id, member.pk, member.user_id)


def listen(hub: Hub, member: Membership, loop: asyncio.AbstractEventLoop) -> Listener:
    badge = badge_of(member)
    sight = admission.sights({badge}, now=timezone.now())[badge]
    return hub.join(badge, sight, loop=loop)


def test_the_hub_tells_what_happens_to_all_who_listen(alice: Membership, one: Conversation) -> None:
    hub = Hub(compose, pace=FAST)

    async def scenario() -> list[bytes]:
        loop = asyncio.get_running_loop()
        both = [await asyncio.to_thread(listen, hub, alice, loop) for _ in range(2)]
        event = await asyncio.to_thread(happened, one, message="Hello?")
        try:
            async with asyncio.timeout(PATIENCE):
                return [await anext(each) for each in both]
        finally:
            assert event
            for each in both:
                each.close()
            await asyncio.to_thread(connections.close_all)

    first, second = asyncio.run(scenario())

    assert first == second
    assert b"\ndata: " in first


@pytest.mark.parametrize(
    ("pace", "ends"),
    [
        (replace(FAST, ask_again=0.05), "permission"),
        (replace(FAST, shortest=0.05, longest=0.05), "age"),
    ],
)
def test_a_stream_ends(alice: Membership, pace: Pace, ends: str) -> None:
    hub = Hub(compose, pace=pace)

    async def scenario() -> bytes:
        loop = asyncio.get_running_loop()
        listener = await asyncio.to_thread(listen, hub, alice, loop)
        if ends == "permission":
            await asyncio.to_thread(BotUserPermission.objects.all().delete)
        try:
            return await heard(listener)
        finally:
            listener.close()
            await asyncio.to_thread(connections.close_all)

    assert asyncio.run(scenario()) == b""


def test_the_hub_says_that_it_is_alive(alice: Membership) -> None:
    hub = Hub(compose, pace=replace(FAST, heartbeat=0.05))

    async def scenario() -> bytes:
        loop = asyncio.get_running_loop()
        listener = await asyncio.to_thread(listen, hub, alice, loop)
        try:
            async with asyncio.timeout(PATIENCE):
                return await anext(listener)
        finally:
            listener.close()
            await asyncio.to_thread(connections.close_all)

    assert asyncio.run(scenario()).startswith(b"id: ")


def test_the_hub_has_a_limited_number_of_places_and_gives_them_back(alice: Membership) -> None:
    hub, loop = Hub(compose, pace=FAST), asyncio.new_event_loop()
    badge = badge_of(alice)
    own = [hub.join(badge, ALL, loop=loop) for _ in range(MOST_OF_A_PERSON)]
    with pytest.raises(TooMany):
        hub.join(badge, ALL, loop=loop)
    others = [
        hub.join(replace(badge, user_id=-number), ALL, loop=loop)
        for number in range(1, MOST_OF_A_PROCESS - MOST_OF_A_PERSON + 1)
    ]
    with pytest.raises(Full):
        hub.join(replace(badge, user_id=-5_000), ALL, loop=loop)

    own.pop().close()
    own.append(hub.join(badge, ALL, loop=loop))

    for each in own + others:
        each.close()
    loop.close()
