"""A small HTTP/2 client on h2 and a blocking socket, for looking at single frames."""

import json
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.settings import SettingCodes

TIMEOUT_SECONDS = 10.0
FRAME_HEADER_BYTES = 9


@dataclass(slots=True)
class Answer:
    """What came back on one stream."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    reset: int | None = None

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """APNs' reason, FCM's error code or autopush's message."""
        content = self.json
        if "reason" in content:
            return str(content["reason"])
        if "message" in content:
            return str(content["message"])
        details = content["error"].get("details", [])
        codes = [detail["errorCode"] for detail in details if "errorCode" in detail]
        return str(codes[0] if codes else content["error"]["status"])


class Http2Client:
    """One connection. Streams are opened without asking whether the server allows them."""

    def __init__(self, url: str, ca_file: Path) -> None:
        address = urlsplit(url)
        context = ssl.create_default_context(cafile=str(ca_file))
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection((address.hostname, address.port), TIMEOUT_SECONDS)
        self._socket = context.wrap_socket(plain, server_hostname=address.hostname)
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._h2.initiate_connection()
        self.authority = address.netloc
        self.answers: dict[int, Answer] = {}
        self.ended: set[int] = set()
        self.limits: list[int] = []
        self.goaway: ConnectionTerminated | None = None
        self._unread = b""
        self.flush()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def open(
        self,
        path: str,
        headers: Iterable[tuple[str, str]],
        body: bytes = b"",
        *,
        method: str = "POST",
        end: bool = True,
    ) -> int:
        """Queue a request and return its stream; `flush` sends it."""
        stream_id = self._h2.get_next_available_stream_id()
        pseudo = [
            (":method", method),
            (":scheme", "https"),
            (":authority", self.authority),
            (":path", path),
        ]
        # Past the library's own count of streams: the server is to say no, not the client.
        self._h2.remote_settings[SettingCodes.MAX_CONCURRENT_STREAMS] = 2**31 - 1
        self._h2.remote_settings.acknowledge()
        self._h2.send_headers(stream_id, [*pseudo, *headers], end_stream=end and not body)
        while body:
            piece, body = body[:16_384], body[16_384:]
            self._h2.send_data(stream_id, piece, end_stream=end and not body)
        self.answers[stream_id] = Answer()
        return stream_id

    def flush(self) -> None:
        """Send what is queued."""
        data = self._h2.data_to_send()
        if data:
            self._socket.sendall(data)

    def read(self) -> bool:
        """Take in what the server sends next; False at the end of the connection."""
        data = self._socket.recv(65_536)
        self._unread += data
        for frame in self._frames():
            for event in self._h2.receive_data(frame):
                self._take(event)
            if self.goaway:
                # The library takes GOAWAY for the end; open streams are still answered.
                self._h2.state_machine.state = ConnectionState.CLIENT_OPEN
        self.flush()
        return bool(data)

    def _frames(self) -> Iterator[bytes]:
        """The whole frames among the bytes read (RFC 9113, section 4.1)."""
        while len(self._unread) >= FRAME_HEADER_BYTES:
            end = FRAME_HEADER_BYTES + int.from_bytes(self._unread[:3], "big")
            if len(self._unread) < end:
                return
            frame, self._unread = self._unread[:end], self._unread[end:]
            yield frame

    def wait(self, *streams: int) -> None:
        """Read until these streams have ended. Raises TimeoutError, ConnectionResetError."""
        while not self.ended.issuperset(streams):
            if not self.read():
                raise ConnectionAbortedError("the server closed the connection")

    def drain(self) -> None:
        """Read until the server ends the connection, however it does so."""
        with suppress(ConnectionError):
            while self.read():
                pass

    def send(
        self, path: str, headers: Mapping[str, str], body: bytes = b"", *, method: str = "POST"
    ) -> Answer:
        """One request and its answer."""
        stream_id = self.open(path, headers.items(), body, method=method)
        self.flush()
        self.wait(stream_id)
        return self.answers[stream_id]

    def _take(self, event: Event) -> None:
        match event:
            case ResponseReceived(stream_id=int(stream_id), headers=list(pairs)):
                headers = {str(name): str(value) for name, value in pairs}
                self.answers[stream_id].status = int(headers.pop(":status"))
                self.answers[stream_id].headers = headers
            case DataReceived(stream_id=int(stream_id), data=bytes(data)):
                self.answers[stream_id].body += data
                self._h2.acknowledge_received_data(event.flow_controlled_length or 0, stream_id)
            case StreamReset(stream_id=int(stream_id), error_code=code):
                self.answers[stream_id].reset = int(code)
                self.ended.add(stream_id)
            case StreamEnded(stream_id=int(stream_id)):
                self.ended.add(stream_id)
            case ConnectionTerminated():
                self.goaway = event
            case RemoteSettingsChanged(changed_settings=dict(changed)):
                limit = changed.get(SettingCodes.MAX_CONCURRENT_STREAMS)
                if limit is not None:
                    self.limits.append(limit.new_value)


@contextmanager
def connected(url: str, ca_file: Path) -> Iterator[Http2Client]:
    """A client that is closed at the end."""
    client = Http2Client(url, ca_file)
    try:
        yield client
    finally:
        client.close()
