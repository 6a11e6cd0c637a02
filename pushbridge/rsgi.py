"""Between the HTTP server and Django: takes in slow bodies, so that no thread ever waits for one.

Django answers in threads, and a thread that reads a body as it trickles in is lost to everyone
else. Here a body is first read whole, without a thread, within limits of size and time.
`docs/decisions/web-server.md` has the measurements.

An answer that is told as it happens (a StreamingHttpResponse of an asynchronous iterator) leaves
its thread as soon as Django has begun it, and is sent from here, without one.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import io
import json
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from django.conf import settings
from django.http import StreamingHttpResponse

from pushbridge import environs
from pushbridge.environs import Environ, Scope, is_for_the_door
from pushbridge.pools import Full, Pool
from pushbridge.streams import Headers, HTTPProtocol, Stream, Streams
from pushbridge.webhooks.handler import DoorHandler
from pushbridge.wsgi import application as django

THREADS = int(os.environ.get("PUSHBRIDGE_WEB_THREADS", "8"))
# A sign-in costs a fifth of a second of CPU, and anyone may ask for one: people's pages have a few
# threads of their own, so that no number of them keeps a webhook waiting.
PEOPLE_THREADS = int(os.environ.get("PUSHBRIDGE_WEB_PEOPLE_THREADS", "2"))
# A body has this long to arrive; a 256 KiB body needs 210 kbit/s for it.
BODY_SECONDS = 10.0
# Nearly every webhook fits into this. What is larger needs one of a limited number of places, so
# that any number of endless bodies holds no more than 32 MiB; and what is larger than a webhook may
# be, for the API, needs one of a few more, which hold 16 MiB.
SMALL_BODY = 16 * 1024
LARGE_BODIES = 128
HUGE_BODIES = 8
# More requests than this held by the threads would only wait longer than their senders do.
DOOR_REQUESTS = 512
PEOPLE_REQUESTS = 64
RETRY_AFTER_SECONDS = 1


# What tells a view that its answer may be streamed, and on which event loop that will be.
LOOP = "pushbridge.loop"

_door = DoorHandler()
API = "/api/"


class Refused(Exception):
    """The request goes no further; the answer is this problem."""

    def __init__(self, status: HTTPStatus, detail: str, headers: Headers | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or []


@dataclass(slots=True)
class Places:
    """For bodies over `size` bytes; so many of them are `free`."""

    size: int
    free: int


class Application:
    """The RSGI application: `granian --interface rsgi pushbridge.rsgi:application`."""

    def __init__(self) -> None:
        self._door_pool = Pool("door", threads=THREADS, limit=DOOR_REQUESTS)
        self._people_pool = Pool("people", threads=PEOPLE_THREADS, limit=PEOPLE_REQUESTS)
        self._places = (
            Places(SMALL_BODY, LARGE_BODIES),
            # One byte too many is how a body shows that it is too large.
            Places(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1, HUGE_BODIES),
        )
        self._streams = Streams()

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._streams.end_at_stop(loop)
        # What is loaded by now stays: the collector need not walk it again and again.
        gc.collect()
        gc.freeze()
        threading.Thread(target=_end_with_parent, name="orphan", daemon=True).start()

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        environ = environs.of(scope)
        body = bytearray()
        begun: list[Stream] = []
        done: asyncio.Future[None] | None = None
        try:
            if environs.has_body(environ):
                await self._fill(body, environ, protocol)
            done = self._hand_over(environ, body, protocol, begun)
            await done
            for stream in begun:
                await self._streams.send(stream, protocol)
        except Refused as refused:
            protocol.response_bytes(*_problem(refused))
        finally:
            # What a pool has taken over counts until its thread is done with it.
            if done is None:
                self._let_go(len(body))

    async def _fill(self, body: bytearray, environ: Environ, protocol: HTTPProtocol) -> None:
        """Read the body, or as much as shows that it is too large (which Django then says)."""
        limit = _limit(environ)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in protocol:
                    piece = memoryview(chunk)[: limit + 1 - len(body)]
                    self._grow(len(body), len(body) + len(piece))
                    body += piece
                    if len(body) > limit:
                        return
        except TimeoutError:
            raise Refused(
                HTTPStatus.REQUEST_TIMEOUT,
                f"The body did not arrive within {BODY_SECONDS:g} seconds.",
                [("connection", "close")],
            ) from None
        # The server ends a broken body like a whole one.
        if environ["CONTENT_LENGTH"] not in ("", str(len(body))):
            raise Refused(HTTPStatus.BAD_REQUEST, "The body broke off.")

    def _grow(self, before: int, after: int) -> None:
        """A body grows; raises Refused when it would need a place, and there is none."""
        needed = [places for places in self._places if before <= places.size < after]
        if not all(places.free for places in needed):
            raise _busy("Too many large bodies at once.")
        for places in needed:
            places.free -= 1

    def _let_go(self, size: int) -> None:
        """A body of `size` bytes is no longer in memory."""
        for places in self._places:
            if size > places.size:
                places.free += 1

    def _hand_over(
        self, environ: Environ, body: bytearray, protocol: HTTPProtocol, begun: list[Stream]
    ) -> asyncio.Future[None]:
        """Let a thread answer; raises Refused when too many requests wait for one."""
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = io.BytesIO(body)
        work: Callable[[], None]
        if is_for_the_door(environ):
            pool, work = self._door_pool, functools.partial(_respond_at_the_door, environ, protocol)
        else:
            environ[LOOP] = asyncio.get_running_loop()
            pool, work = self._people_pool, functools.partial(_respond, environ, protocol, begun)
        try:
            return pool.submit(
                work,
                afterwards=functools.partial(self._let_go, len(body)),
            )
        except Full:
            raise _busy("Too many requests at once.") from None


def _respond_at_the_door(environ: Environ, protocol: HTTPProtocol) -> None:
    """In a thread: take a webhook, and send what is answered."""
    protocol.response_bytes(*_door.answer(environ))


def _respond(environ: Environ, protocol: HTTPProtocol, begun: list[Stream]) -> None:
    """In a thread: let Django answer, and send what it says, or hand over what it has begun."""
    started: list[tuple[int, Headers]] = []

    def start_response(
        status: str, headers: Headers, exc_info: object = None, /
    ) -> Callable[[bytes], object]:
        started.append((int(status[:3]), headers))
        return sys.stderr.buffer.write  # PEP 3333 wants one; Django never calls it.

    response = django(environ, start_response)
    if isinstance(response, StreamingHttpResponse) and response.is_async:
        begun.append(Stream(*started[-1], response))
        return
    try:
        content = b"".join(response)
    finally:
        # Tells Django that the request is over.
        response.close()
    protocol.response_bytes(*started[-1], content)


def _limit(environ: Environ) -> int:
    """How many bytes a body may have."""
    is_for_the_api = environ["PATH_INFO"].startswith(API)
    limit: int = settings.API_MAX_BYTES if is_for_the_api else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return limit


def _busy(detail: str) -> Refused:
    return Refused(
        HTTPStatus.TOO_MANY_REQUESTS, detail, [("retry-after", str(RETRY_AFTER_SECONDS))]
    )


def _problem(refused: Refused) -> tuple[int, Headers, bytes]:
    """Problem details (RFC 9457), as Django's views give them."""
    content = {
        "title": refused.status.phrase,
        "status": refused.status.value,
        "detail": refused.detail,
    }
    headers = [("content-type", "application/problem+json"), *refused.headers]
    return refused.status.value, headers, json.dumps(content).encode()


def _end_with_parent() -> None:
    """The server's main process was killed: do not hold its port as an orphan."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


application = Application()
