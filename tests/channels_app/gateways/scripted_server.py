"""An HTTP/2 server that does exactly what a test tells it to, and remembers what it was sent."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import trustme
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, RequestReceived, StreamEnded
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hyperframe.frame import GoAwayFrame

REFUSED_STREAM = 7
CANCEL = 8
MAX_FRAME_BYTES = 16384


@dataclass(slots=True)
class Seen:
    """One request as it arrived. `connection` and `number` (within it) count from 1."""

    connection: int
    number: int
    stream: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


Script = Callable[["Conversation", Seen], None]


@dataclass(slots=True)
class Conversation:
    """One connection, with the things a server can do on it."""

    socket: ssl.SSLSocket
    h2: H2Connection
    over: bool = False
    mute: bool = False

    def answer(self, seen: Seen, status: int = 200, body: bytes = b"", **headers: str) -> None:
        """A whole reply."""
        lines = [(":status", str(status)), *((k.replace("_", "-"), v) for k, v in headers.items())]
        self.h2.send_headers(seen.stream, lines, end_stream=not body)
        for start in range(0, len(body), MAX_FRAME_BYTES):
            chunk = body[start : start + MAX_FRAME_BYTES]
            last = start + MAX_FRAME_BYTES >= len(body)
            self.h2.send_data(seen.stream, chunk, end_stream=last)

    def reset(self, seen: Seen, code: int) -> None:
        """RST_STREAM."""
        self.h2.reset_stream(seen.stream, code)

    def go_away(self, last_stream: int) -> None:
        """GOAWAY without an error; the connection stays open until `end`."""
        self.send()
        self.socket.sendall(GoAwayFrame(0, last_stream_id=last_stream).serialize())

    def allow(self, streams: int) -> None:
        """SETTINGS_MAX_CONCURRENT_STREAMS."""
        self.h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: streams})

    def end(self) -> None:
        """Say goodbye in TLS and close."""
        self.send()
        self.over = True

    def finish(self) -> None:
        """Send no more, but keep reading: a close that loses nothing on its way."""
        self.send()
        self.socket.shutdown(socket.SHUT_WR)
        self.mute = True

    def cut(self) -> None:
        """TCP RST: as if the server's machine had died."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.over = True

    def send(self) -> None:
        """Put on the wire what has been said so far."""
        data = self.h2.data_to_send()
        if not self.mute:
            self.socket.sendall(data)


@dataclass(slots=True)
class ScriptedServer:
    """Serves on a port of its own until `close`."""

    context: ssl.SSLContext
    script: Script
    max_streams: int = 100
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _threads: list[threading.Thread] = field(default_factory=list)
    _sockets: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self) -> None:
        """Accept connections in a thread."""
        self._run(self._accept)

    def close(self) -> None:
        """Close everything and wait for the threads."""
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    def _run(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._sockets.append(plain)
            number = self.connections
            self._run(partial(self._serve, plain, number))

    def _serve(self, plain: socket.socket, number: int) -> None:
        try:
            with self.context.wrap_socket(plain, server_side=True) as secure:
                self._converse(secure, number)
        except (OSError, ValueError, ProtocolError):
            return  # the client, or the end of the test, was quicker

    def _converse(self, secure: ssl.SSLSocket, connection: int) -> None:
        h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        h2.local_settings.update({SettingCodes.MAX_CONCURRENT_STREAMS: self.max_streams})
        h2.initiate_connection()
        talk = Conversation(secure, h2)
        talk.send()
        requests: dict[int, Seen] = {}
        while not talk.over and (data := secure.recv(65536)):
            for event in h2.receive_data(data):
                self._handle(event, talk, requests, connection)
            if not talk.over:
                talk.send()

    def _handle(
        self, event: Event, talk: Conversation, requests: dict[int, Seen], connection: int
    ) -> None:
        if isinstance(event, RequestReceived):
            seen = Seen(connection, len(requests) + 1, event.stream_id)
            seen.headers = {str(name): str(value) for name, value in event.headers}
            requests[event.stream_id] = seen
        elif isinstance(event, DataReceived):
            requests[event.stream_id].body += event.data
            talk.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded):
            seen = requests[event.stream_id]
            self.seen.append(seen)
            if not talk.mute and not talk.over:
                self.script(talk, seen)


@contextmanager
def serving(
    authority: trustme.CA, script: Script, *, max_streams: int = 100
) -> Iterator[ScriptedServer]:
    """A scripted server with a certificate for 127.0.0.1, for as long as the block runs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    context.set_alpn_protocols(["h2"])
    server = ScriptedServer(context, script, max_streams)
    server.start()
    try:
        yield server
    finally:
        server.close()
