"""Between the HTTP server and Django: takes in slow bodies, so that no thread ever waits for one.

Django answers in threads, and a thread that reads a body as it trickles in is lost to everyone
else. Here a body is first read whole, without a thread, within limits of size and time.
`docs/decisions/web-server.md` has the measurements.
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
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from django.conf import settings

from pushbridge.pools import Full, Pool
from pushbridge.webhooks.handler import PREFIX, DoorHandler
from pushbridge.wsgi import application as django

Headers = list[tuple[str, str]]
Environ = dict[str, Any]

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


_door = DoorHandler()
API = "/api/"


class Scope(Protocol):
    """What we use of an RSGI 1.5 scope."""

    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str

    @property
    def headers(self) -> RequestHeaders: ...


class RequestHeaders(Protocol):
    def items(self) -> list[tuple[str, str]]: ...


class HTTPProtocol(Protocol):
    """What we use of an RSGI 1.5 protocol."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...


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

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # What is loaded by now stays: the collector need not walk it again and again.
        gc.collect()
        gc.freeze()
        threading.Thread(target=_end_with_parent, name="orphan", daemon=True).start()

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        environ = _environ(scope)
        body = bytearray()
        done: asyncio.Future[None] | None = None
        try:
            if _has_body(environ):
                await self._fill(body, environ, protocol)
            done = self._hand_over(environ, body, protocol)
            await done
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
        self, environ: Environ, body: bytearray, protocol: HTTPProtocol
    ) -> asyncio.Future[None]:
        """Let a thread answer; raises Refused when too many requests wait for one."""
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = io.BytesIO(body)
        pool = self._door_pool if _is_for_the_door(environ) else self._people_pool
        try:
            return pool.submit(
                functools.partial(_respond, environ, protocol),
                afterwards=functools.partial(self._let_go, len(body)),
            )
        except Full:
            raise _busy("Too many requests at once.") from None


def _respond(environ: Environ, protocol: HTTPProtocol) -> None:
    """In a thread: let Django answer, and send what it says."""
    answer = _door.answer if _is_for_the_door(environ) else _django
    protocol.response_bytes(*answer(environ))


def _django(environ: Environ) -> tuple[int, Headers, bytes]:
    """Status, headers and content of Django's answer (PEP 3333, without streaming)."""
    started: list[tuple[int, Headers]] = []

    def start_response(
        status: str, headers: Headers, exc_info: object = None, /
    ) -> Callable[[bytes], object]:
        started.append((int(status[:3]), headers))
        return sys.stderr.buffer.write  # PEP 3333 wants one; Django never calls it.

    response = django(environ, start_response)
    try:
        content = b"".join(response)
    finally:
        # Tells Django that the request is over.
        response.close()
    return *started[-1], content


def _environ(scope: Scope) -> Environ:
    """The WSGI environ of a request (PEP 3333), but for its body."""
    host, _, port = scope.server.rpartition(":")
    environ: Environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        # PEP 3333: the path's bytes, each as one Latin-1 character.
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        # x_forwarded_proto would be taken for x-forwarded-proto, which only a proxy may set.
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    environ.setdefault("CONTENT_TYPE", "")
    environ.setdefault("CONTENT_LENGTH", "")
    return environ


def _has_body(environ: Environ) -> bool:
    return environ["CONTENT_LENGTH"] not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ


def _limit(environ: Environ) -> int:
    """How many bytes a body may have."""
    is_for_the_api = environ["PATH_INFO"].startswith(API)
    limit: int = settings.API_MAX_BYTES if is_for_the_api else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return limit


def _is_for_the_door(environ: Environ) -> bool:
    return bool(environ["PATH_INFO"].startswith(PREFIX))


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
