"""HTTP/1.1 on the same port, for FCM, the token endpoint and Web Push. APNs does not speak it."""

import asyncio
import socket
import time
from collections.abc import Callable

from aiohttp import web

from channels_app.sandbox.faults import Fault
from channels_app.sandbox.gateway import Gateway, platform_of
from channels_app.sandbox.http2 import ABORT, MAX_BODY_BYTES, SLOW_PIECES
from channels_app.sandbox.wire import Reply, Request, collect_headers


class Http1:
    """A handler for aiohttp's low-level server."""

    def __init__(self, gateway: Gateway, clock: Callable[[], float] = time.time) -> None:
        self._gateway = gateway
        self._clock = clock
        self.server = web.Server(self._handle)

    async def _handle(self, incoming: web.BaseRequest) -> web.StreamResponse:
        path = incoming.path
        if platform_of(path) == "apns":
            return _abort(incoming)
        request = _request(incoming, b"")
        if self._gateway.fault_at_headers(request) is not None:
            return _abort(incoming)
        body = await incoming.content.read(MAX_BODY_BYTES + 1)
        while len(body) <= MAX_BODY_BYTES and (more := await incoming.content.read(65536)):
            body += more
        if len(body) > MAX_BODY_BYTES:
            return web.Response(status=413)
        request = _request(incoming, body)
        fault = self._gateway.fault_for(request)
        if fault is None:
            return _response(self._gateway.answer(request, self._clock()))
        return await self._play(incoming, request, fault)

    async def _play(
        self, incoming: web.BaseRequest, request: Request, fault: Fault
    ) -> web.StreamResponse:
        early = self._gateway.answer(request, self._clock()) if fault.delivered else None
        await asyncio.sleep(fault.delay)
        if fault.hang:
            await asyncio.Event().wait()
        if fault.reset or fault.rst_stream or fault.goaway:
            if fault.reset == "after" and early is None:
                self._gateway.answer(request, self._clock())
            return _abort(incoming)
        if fault.replaces_answer:
            reply = self._gateway.faulty_answer(request, fault, self._clock())
        else:
            reply = early or self._gateway.answer(request, self._clock())
        if fault.slow:
            return await _send_slowly(incoming, reply, fault.slow / SLOW_PIECES)
        return _response(reply)


def _request(incoming: web.BaseRequest, body: bytes) -> Request:
    pairs = [
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, value in incoming.raw_headers
    ]
    headers, repeated = collect_headers(pairs)
    return Request(incoming.method, incoming.path, headers, body, repeated)


def _response(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, headers=dict(reply.headers), body=reply.body)


async def _send_slowly(incoming: web.BaseRequest, reply: Reply, pause: float) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=dict(reply.headers))
    await response.prepare(incoming)
    size = max(1, -(-len(reply.body) // SLOW_PIECES))
    for start in range(0, len(reply.body), size):
        await response.write(reply.body[start : start + size])
        await asyncio.sleep(pause)
    await response.write_eof()
    return response


def _abort(incoming: web.BaseRequest) -> web.StreamResponse:
    """Reset the connection; the response is for a transport that is gone."""
    transport = incoming.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        transport.abort()
    return web.Response(status=500)
