"""One HTTP/2 connection, played as Apple's servers play it.

Streams are counted here and not by the library, because a stream above the limit must be refused
(RST_STREAM, REFUSED_STREAM) where the library would close the connection. Real APNs allows one
stream until the first request was authenticated, and again after a rejected token.
"""

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError, StreamClosedError
from h2.settings import SettingCodes, Settings

from channels_app.sandbox import http2_frames
from channels_app.sandbox.apns import STREAMS_TRUSTED
from channels_app.sandbox.apns_reasons import STREAMS_UNTRUSTED
from channels_app.sandbox.faults import HTTP2_ERRORS, Fault
from channels_app.sandbox.gateway import Gateway, platform_of
from channels_app.sandbox.wire import ConnectionMemory, Reply, Request, collect_headers

AUTHENTICATION_SECONDS = 0.01
"""How long a connection's first request takes: long enough to catch who does not wait for it."""
MAX_BODY_BYTES = 1 << 20
SLOW_PIECES = 10
UNLIMITED = 2**31 - 1
ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER with zero seconds: closing sends a TCP reset."""


@dataclass(slots=True)
class _Stream:
    request: Request
    body: bytearray = field(default_factory=bytearray)


class Http2Connection(asyncio.Protocol):
    """Reads requests, hands them to the gateway, plays its faults."""

    def __init__(self, gateway: Gateway, clock: Callable[[], float] = time.time) -> None:
        self._gateway = gateway
        self._clock = clock
        self._memory = ConnectionMemory()
        self._streams: dict[int, _Stream] = {}
        self._unsent: dict[int, bytearray] = {}
        self._limit = STREAMS_UNTRUSTED
        self._draining = False
        self._last_stream = 0
        self._timers: set[asyncio.TimerHandle] = set()
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._h2.local_settings = Settings(
            client=False, initial_values={SettingCodes.MAX_CONCURRENT_STREAMS: UNLIMITED}
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open with our own SETTINGS frame instead of the library's."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._h2.initiate_connection()
        self._h2.clear_outbound_data_buffer()
        self._announce_limit(self._ruled_limit(self._limit))

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is left to be answered."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._streams.clear()

    def data_received(self, data: bytes) -> None:
        """Feed the library; what breaks the protocol ends the connection."""
        try:
            events = self._h2.receive_data(data)
        except ProtocolError:
            self._flush()
            self._transport.close()
            return
        for event in events:
            if not self._transport.is_closing():
                self._handle(event)
        self._flush()

    def _handle(self, event: Event) -> None:
        match event:
            case RequestReceived():
                self._open(event)
            case DataReceived():
                self._read(event)
            case StreamEnded(stream_id=int(stream_id)):
                self._complete(stream_id)
            case StreamReset(stream_id=int(stream_id)):
                self._streams.pop(stream_id, None)
                self._unsent.pop(stream_id, None)
            case WindowUpdated():
                for stream_id in list(self._unsent):
                    self._send_body(stream_id)

    # -- a request comes in ------------------------------------------------------------------

    def _open(self, event: RequestReceived) -> None:
        stream_id = event.stream_id
        assert stream_id is not None
        pairs = [(str(name), str(value)) for name, value in event.headers]
        headers, repeated = collect_headers(pairs)
        path = headers.pop(":path", "").partition("?")[0]
        self._limit = self._ruled_limit(self._limit_for(path))
        if self._draining or len(self._streams) >= self._limit:
            self._h2.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
            return
        self._last_stream = stream_id
        request = Request(
            method=headers.pop(":method", ""),
            path=path,
            headers={name: value for name, value in headers.items() if name[0] != ":"},
            repeated_headers=repeated,
            connection=self._memory,
        )
        if self._gateway.fault_at_headers(request) is not None:
            self._reset_connection()
            return
        self._streams[stream_id] = _Stream(request)

    def _read(self, event: DataReceived) -> None:
        stream_id = event.stream_id
        assert stream_id is not None
        self._h2.acknowledge_received_data(event.flow_controlled_length or 0, stream_id)
        stream = self._streams.get(stream_id)
        if stream is None or event.data is None:
            return
        stream.body += event.data
        if len(stream.body) > MAX_BODY_BYTES:
            del self._streams[stream_id]
            self._h2.reset_stream(stream_id, ErrorCodes.ENHANCE_YOUR_CALM)

    def _complete(self, stream_id: int) -> None:
        stream = self._streams.get(stream_id)
        if stream is None:
            return
        request = replace(stream.request, body=bytes(stream.body))
        fault = self._gateway.fault_for(request)
        if fault is not None:
            self._play(stream_id, request, fault)
        elif self._limit == STREAMS_UNTRUSTED:
            self._later(AUTHENTICATION_SECONDS, lambda: self._answer(stream_id, request))
        else:
            self._answer(stream_id, request)

    # -- faults ------------------------------------------------------------------------------

    def _play(self, stream_id: int, request: Request, fault: Fault) -> None:
        early = self._gateway.answer(request, self._clock()) if fault.delivered else None
        if fault.delay:
            self._later(fault.delay, lambda: self._fail(stream_id, request, fault, early))
        else:
            self._fail(stream_id, request, fault, early)

    def _fail(self, stream_id: int, request: Request, fault: Fault, early: Reply | None) -> None:
        if stream_id not in self._streams or fault.hang:
            return
        if fault.reset:
            if fault.reset == "after" and early is None:
                self._gateway.answer(request, self._clock())
            self._reset_connection()
        elif fault.rst_stream:
            del self._streams[stream_id]
            self._h2.reset_stream(stream_id, HTTP2_ERRORS[fault.rst_stream])
        elif fault.goaway:
            self._go_away(stream_id, request, fault, early)
        else:
            self._reply(stream_id, self._faulty_reply(request, fault, early), slow=fault.slow)

    def _faulty_reply(self, request: Request, fault: Fault, early: Reply | None) -> Reply:
        if fault.replaces_answer:
            return self._gateway.faulty_answer(request, fault, self._clock())
        return early or self._gateway.answer(request, self._clock())

    def _go_away(self, stream_id: int, request: Request, fault: Fault, early: Reply | None) -> None:
        """GOAWAY, and the connection ends when what it still covers has been answered."""
        last = {"this": self._last_stream, "previous": stream_id - 2, "none": 0}[fault.last_stream]
        debug = f'{{"reason":"{fault.reason}"}}'.encode() if fault.reason else b""
        self._flush()
        self._transport.write(http2_frames.goaway(max(last, 0), HTTP2_ERRORS[fault.goaway], debug))
        self._draining = True
        for number in [number for number in self._streams if number > last]:
            del self._streams[number]
        if stream_id in self._streams:
            self._reply(stream_id, early or self._gateway.answer(request, self._clock()))
        self._close_if_drained()

    def _reset_connection(self) -> None:
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        self._transport.abort()

    # -- an answer goes out ------------------------------------------------------------------

    def _answer(self, stream_id: int, request: Request) -> None:
        if stream_id in self._streams:
            self._reply(stream_id, self._gateway.answer(request, self._clock()))

    def _reply(self, stream_id: int, reply: Reply, *, slow: float = 0.0) -> None:
        if reply.streams is not None:
            limit = self._ruled_limit(reply.streams)
            if limit != self._limit:
                self._announce_limit(limit)
        headers = [(":status", str(reply.status)), *reply.headers.items()]
        try:
            self._h2.send_headers(stream_id, headers, end_stream=not reply.body)
        except StreamClosedError:
            self._streams.pop(stream_id, None)
            return
        if not reply.body:
            self._finish(stream_id)
        elif slow:
            self._send_slowly(stream_id, reply.body, slow / SLOW_PIECES)
        else:
            self._unsent[stream_id] = bytearray(reply.body)
            self._send_body(stream_id)

    def _send_body(self, stream_id: int) -> None:
        rest = self._unsent[stream_id]
        while rest:
            window = self._h2.local_flow_control_window(stream_id)
            size = min(len(rest), window, self._h2.max_outbound_frame_size)
            if size <= 0:
                return
            self._h2.send_data(stream_id, bytes(rest[:size]), end_stream=size == len(rest))
            del rest[:size]
        del self._unsent[stream_id]
        self._finish(stream_id)

    def _send_slowly(self, stream_id: int, body: bytes, pause: float) -> None:
        size = max(1, -(-len(body) // SLOW_PIECES))
        piece, rest = body[:size], body[size:]
        if stream_id not in self._streams:
            return
        self._h2.send_data(stream_id, piece, end_stream=not rest)
        self._flush()
        if rest:
            self._later(pause, lambda: self._send_slowly(stream_id, rest, pause))
        else:
            self._finish(stream_id)

    def _finish(self, stream_id: int) -> None:
        self._streams.pop(stream_id, None)
        self._close_if_drained()

    def _close_if_drained(self) -> None:
        if self._draining and not self._streams:
            self._flush()
            self._transport.close()

    # -- limits, timers, bytes ---------------------------------------------------------------

    def _limit_for(self, path: str) -> int:
        """Only APNs starts with one stream; Google and the browser vendors trust at once."""
        if self._limit == STREAMS_UNTRUSTED and platform_of(path) != "apns":
            self._announce_limit(STREAMS_TRUSTED)
            return STREAMS_TRUSTED
        return self._limit

    def _ruled_limit(self, limit: int) -> int:
        ordered = self._gateway.faults.stream_limit()
        return limit if ordered is None else min(limit, ordered)

    def _announce_limit(self, limit: int) -> None:
        self._limit = limit
        self._flush()
        self._transport.write(http2_frames.stream_limit(limit))

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        def run() -> None:
            self._timers.discard(timer)
            if not self._transport.is_closing():
                action()
                self._flush()

        timer = self._loop.call_later(seconds, run)
        self._timers.add(timer)

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)
