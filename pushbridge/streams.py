"""Answers that are told as they happen: sent piece by piece, by no thread."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from django.http import StreamingHttpResponse
from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # it is, by its documentation

Headers = list[tuple[str, str]]


class HTTPProtocol(Protocol):
    """What we use of an RSGI 1.5 protocol."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def client_disconnect(self) -> None: ...
    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...
    def response_stream(self, status: int, headers: Headers) -> Transport: ...


class Transport(Protocol):
    async def send_bytes(self, data: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that Django has begun, to be sent piece by piece."""

    status: int
    headers: Headers
    response: StreamingHttpResponse


class Streams:
    """Those that are being sent by this process. Belongs to the event loop's thread."""

    def __init__(self) -> None:
        self._sending: set[asyncio.Future[None]] = set()

    def end_at_stop(self, loop: asyncio.AbstractEventLoop) -> None:
        """End them when the process is told to stop. Call it in the main thread.

        The server waits for all answers to end before it stops. Its own handlers of the signals,
        which hear of them through the loop, are left as they are.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._end))

    def _end(self) -> None:
        for sending in self._sending:
            sending.cancel()

    async def send(self, stream: Stream, protocol: HTTPProtocol) -> None:
        """Send the pieces as they come, until they end, the client is gone or the server stops."""
        gone = asyncio.ensure_future(_gone(protocol))
        sending = asyncio.ensure_future(_pieces(stream, protocol))
        self._sending.add(sending)
        try:
            await asyncio.wait((gone, sending), return_when=asyncio.FIRST_COMPLETED)
            sending.cancel()
            # What the client has not read yet is in our memory, so it keeps its place.
            await gone
        finally:
            self._sending.discard(sending)
            stream.response.close()


async def _pieces(stream: Stream, protocol: HTTPProtocol) -> None:
    """The answer ends when nobody holds its transport any more."""
    transport = protocol.response_stream(stream.status, stream.headers)
    try:
        async for piece in stream.response:
            await transport.send_bytes(piece)
    except ProtocolClosed:
        pass  # The client hung up, which `_gone` says as well.
    finally:
        del transport


async def _gone(protocol: HTTPProtocol) -> None:
    """Until the client has read the whole answer, or hung up."""
    await protocol.client_disconnect()
