"""The platform's side: a real HTTPS server that does what a test tells it, and remembers."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme

# RST instead of FIN when the socket is closed.
LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass(frozen=True, slots=True)
class Reaction:
    """What is answered, unless the connection is reset instead."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    wait: float = 0.0
    """Seconds before the answer begins."""
    trickle: float = 0.0
    """Seconds between the headers and the end of the body."""
    reset: bool = False


React = Callable[[Seen], Reaction]


class Receiver(ThreadingHTTPServer):
    """Listens on loopback; `react` may be changed at any time."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )
        self.react: React = lambda seen: Reaction()
        self.seen: list[Seen] = []
        self.under_way = 0
        self.most_under_way = 0
        self.over = threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_port}/hooks"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.path, headers, body)
        with self.server.lock:
            self.server.seen.append(seen)
            self.server.under_way += 1
            self.server.most_under_way = max(self.server.most_under_way, self.server.under_way)
            reaction = self.server.react(seen)
        try:
            self._answer(reaction)
        finally:
            with self.server.lock:
                self.server.under_way -= 1

    def _answer(self, reaction: Reaction) -> None:
        self.server.over.wait(reaction.wait)
        if reaction.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
            self.connection.close()
            self.close_connection = True
            return
        with suppress(OSError):
            self.send_response(reaction.status)
            for name, value in reaction.headers.items():
                self.send_header(name, value)
            if reaction.status != 204:
                self.send_header("content-length", str(len(reaction.body)))
            self.end_headers()
            self.wfile.flush()
            self.server.over.wait(reaction.trickle)
            self.wfile.write(reaction.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def receiving(authority: trustme.CA, *names: str) -> Iterator[Receiver]:
    """A receiver with a certificate for these names (127.0.0.1 unless given)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("127.0.0.1",))).configure_cert(context)
    receiver = Receiver(context)
    thread = threading.Thread(target=receiver.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        receiver.shutdown()
        thread.join()
        receiver.server_close()


def until(done: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
