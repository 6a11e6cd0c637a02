"""Server-sent events (HTML standard, section 9.2): who listens, and what they are told."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from aiohttp import web

QUEUE_LIMIT = 5_000
HEARTBEAT_SECONDS = 10.0
RETRY_MILLISECONDS = 1_000
BATCH = 200

Event = bytes | None
"""One event as it goes over the wire; None ends the stream."""


def encode(name: str, content: Any, event_id: int | None = None) -> bytes:
    """One event; JSON never contains a line break."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {name}\ndata: {json.dumps(content)}\n\n".encode()


class Listeners:
    """Everybody who watches. A listener who cannot keep up is told to start over."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Event]] = set()

    def __len__(self) -> int:
        return len(self._queues)

    @contextmanager
    def join(self) -> Iterator[asyncio.Queue[Event]]:
        """A queue that is filled until the block ends."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    def tell(self, name: str, content: Any, event_id: int | None = None) -> None:
        """Queue one event for everybody."""
        event = encode(name, content, event_id)
        for queue in self._queues:
            if queue.qsize() < QUEUE_LIMIT:
                queue.put_nowait(event)
            elif queue.qsize() == QUEUE_LIMIT:
                queue.put_nowait(encode("restart", {}))

    def close(self) -> None:
        """End every stream."""
        for queue in self._queues:
            queue.put_nowait(None)


class EventStream:
    """One response that stays open."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self.response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )

    async def open(self) -> None:
        """Send the headers, and how soon to come back after an interruption."""
        await self.response.prepare(self._request)
        await self.response.write(f"retry: {RETRY_MILLISECONDS}\n\n".encode())

    async def send(self, name: str, content: Any, event_id: int | None = None) -> None:
        """Send one event past the queue."""
        await self.response.write(encode(name, content, event_id))

    async def follow(self, queue: asyncio.Queue[Event]) -> None:
        """Send what is queued, in batches, until the end or until nobody reads."""
        with suppress(ConnectionResetError):
            while True:
                try:
                    first = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    await self.response.write(b": still here\n\n")
                    continue
                batch = [first]
                while not queue.empty() and len(batch) < BATCH:
                    batch.append(queue.get_nowait())
                await self.response.write(b"".join(event for event in batch if event))
                if None in batch:
                    return
