"""One who listens: what waits to be sent to them, as an asynchronous iterator of bytes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from claims.stream import frames
from claims.stream.admission import Badge, Sight
from claims.stream.frames import Frame

# The web server takes whatever it is given and keeps it until the client has read it, and cannot
# say how much that is. So a stream has this much to say in all: then it ends, and the app comes
# back and goes on where it was. More than that nobody who does not read can make us hold.
MOST_BYTES = 512 * 1024


class Listener:
    """Belongs to the event loop's thread, but for its making and what `sight` is set to.

    Attributes:
        ends_at: when it has gone on for long enough (monotonic).
    """

    def __init__(
        self,
        badge: Badge,
        sight: Sight,
        *,
        loop: asyncio.AbstractEventLoop,
        ends_at: float,
        leave: Callable[[Listener], None],
    ) -> None:
        self.badge = badge
        self.sight = sight
        self.loop = loop
        self.ends_at = ends_at
        self._leave = leave
        self._first = b""
        self._waiting: deque[bytes] = deque()
        self._more: asyncio.Future[None] | None = None
        self._said = 0
        self._over = False

    def begin_with(self, first: bytes) -> None:
        """What is sent before all that happens from now on. Call it before anybody iterates."""
        self._first = first

    def tell(self, told: Sequence[Frame], *, before: int, bookmark: int) -> None:
        """What happened, as far as they may see it, and up to where that is."""
        own = [
            frame
            for frame in told
            if frame.organization_id == self.badge.organization_id
            and self.sight.shows(frame.bot_id)
        ]
        if own:
            self.say(frames.told(own, before=before, bookmark=bookmark))

    def say(self, piece: bytes) -> None:
        self._said += len(piece)
        if self._said > MOST_BYTES:
            self.end()
            return
        self._waiting.append(piece)
        self._wake()

    def end(self) -> None:
        """Nothing follows what waits to be sent."""
        self._over = True
        self._wake()

    def close(self) -> None:
        """The answer is over, and its client has read it or gone: Django calls this."""
        self._leave(self)

    def _wake(self) -> None:
        if self._more is not None and not self._more.done():
            self._more.set_result(None)

    def __aiter__(self) -> Listener:
        return self

    async def __anext__(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            self._said += len(first)
            return first
        while not self._waiting:
            if self._over:
                raise StopAsyncIteration
            self._more = self.loop.create_future()
            await self._more
        piece = b"".join(self._waiting)
        self._waiting.clear()
        return piece
