"""One request and its reply on a reusable libcurl handle, and what became of the request."""

import io
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import pycurl

from channels_app.gateways import addresses

MAX_REPLY_BYTES = 16 * 1024
CONNECT_SECONDS = 5.0

_REWIND_TEXT = "necessary data rewind was not possible"
_FAULTS = {
    pycurl.E_COULDNT_RESOLVE_HOST: "HostNotFound",
    pycurl.E_COULDNT_CONNECT: "CouldNotConnect",
    pycurl.E_OPERATION_TIMEDOUT: "Timeout",
    pycurl.E_SSL_CONNECT_ERROR: "TlsFailure",
    pycurl.E_PEER_FAILED_VERIFICATION: "CertificateNotTrusted",
    pycurl.E_FILESIZE_EXCEEDED: "ReplyTooLarge",
}


class Fate(StrEnum):
    """How far a request got."""

    ANSWERED = "answered"
    """A final status arrived (the rest of the reply may have been cut off)."""
    UNSENT = "unsent"
    """Surely not processed: no connection, or the server said that it refused the stream."""
    UNANSWERED = "unanswered"
    """It left, and nobody knows."""
    IMPOSSIBLE = "impossible"
    """It cannot be sent at all: it is malformed."""


@dataclass(slots=True)
class Request:
    """A POST. `url` is https; `headers` are "name: value" lines; `body` is never empty."""

    url: str
    headers: Sequence[str]
    body: bytes


class Headers(Protocol):
    """The headers of a reply, by their names in lower case."""

    def get(self, name: str, default: str, /) -> str: ...


@dataclass(slots=True)
class HeaderLines:
    """Headers as libcurl hands them over, line by line: of most replies one line is ever read."""

    lines: Sequence[bytes]

    def get(self, name: str, default: str, /) -> str:
        """The value of a header; the last one, where there are several."""
        wanted = name.encode()
        for line in reversed(self.lines):
            if line.startswith(b"HTTP/"):
                break  # what stands before it belongs to an interim reply
            found, _, value = line.partition(b":")
            if found.lower() == wanted:
                return value.strip().decode("latin-1")
        return default


@dataclass(slots=True)
class Reply:
    """What came back. `sent_at` and `answered_at` are `time.time()`."""

    fate: Fate
    status: int | None
    headers: Headers
    body: bytes
    fault: str
    """Our word for what went wrong, "" if nothing did."""
    sent_at: float
    answered_at: float


def fate_of(*, code: int, message: str, status: int, body_taken: bool) -> Fate:
    """Read a finished libcurl transfer.

    libcurl silently repeats a POST whose reused connection died, although the server may have
    acted on it. It cannot do so here: our body cannot be rewound, so that libcurl gives up with
    E_SEND_FAIL_REWIND instead, and keeps in its message the first thing that went wrong. Nothing
    had gone wrong on the connection if that is the failed rewind itself: then the server refused
    the stream (RST_STREAM REFUSED_STREAM, or a GOAWAY with a lower last stream id; RFC 9113,
    section 8.7: "has not been processed").
    """
    if status >= 200:
        return Fate.ANSWERED
    if not body_taken:
        return Fate.UNSENT
    if code == pycurl.E_SEND_FAIL_REWIND and message == _REWIND_TEXT:
        return Fate.UNSENT
    return Fate.UNANSWERED


class _LentSocket(socket.socket):
    """libcurl duplicates the descriptor of a new socket and drops the object: that is no leak."""

    def __del__(self) -> None:
        self.close()


class Exchange:
    """A libcurl handle with all that never changes set once, kept for the next request."""

    def __init__(
        self,
        *,
        ca_file: str,
        allowed: Sequence[addresses.Network],
        on_connect: Callable[["Exchange"], None],
        seconds: float,
    ) -> None:
        self.curl = pycurl.Curl()
        self._forbidden = False
        self._allowed = allowed
        self._on_connect = on_connect
        self._body = io.BytesIO()
        self._reply_headers: list[bytes] = []
        self._reply_body: list[bytes] = []
        self._set_once(ca_file, seconds)

    def _set_once(self, ca_file: str, seconds: float) -> None:
        curl = self.curl
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.FOLLOWLOCATION, 0)
        curl.setopt(pycurl.PROXY, "")  # an empty one also shuts out the environment's
        curl.setopt(pycurl.NETRC, pycurl.NETRC_IGNORED)
        curl.setopt(pycurl.CAINFO, ca_file)
        curl.setopt(pycurl.SSL_VERIFYPEER, 1)
        curl.setopt(pycurl.SSL_VERIFYHOST, 2)
        curl.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2)
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        curl.setopt(pycurl.PIPEWAIT, 1)
        curl.setopt(pycurl.TCP_KEEPALIVE, 1)
        curl.setopt(pycurl.TCP_KEEPIDLE, 30)
        curl.setopt(pycurl.TCP_KEEPINTVL, 10)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.MAXFILESIZE, MAX_REPLY_BYTES)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(CONNECT_SECONDS * 1000))
        curl.setopt(pycurl.TIMEOUT_MS, max(1, int(seconds * 1000)))
        curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        # The methods of a list, as those of BytesIO below, are C: such a callback costs little.
        curl.setopt(pycurl.HEADERFUNCTION, self._reply_headers.append)
        curl.setopt(pycurl.WRITEFUNCTION, self._reply_body.append)

    def prepare(self, request: Request) -> None:
        """Load `request`. Raises ValueError for what libcurl cannot take."""
        self._forbidden = False
        self._body = io.BytesIO(request.body)
        self._reply_headers.clear()
        self._reply_body.clear()
        curl = self.curl
        try:
            curl.setopt(pycurl.URL, request.url)
            curl.setopt(pycurl.HTTPHEADER, request.headers)
        except (pycurl.error, UnicodeEncodeError, TypeError) as error:
            raise ValueError(f"not a request: {error}") from error
        curl.setopt(pycurl.POSTFIELDSIZE, len(request.body))
        # A read function, and no seek function: see `fate_of`.
        curl.setopt(pycurl.READFUNCTION, self._body.read)

    def reply(self, *, code: int, message: str, sent_at: float, answered_at: float) -> Reply:
        """What the finished transfer brought; `code` is libcurl's, 0 for success."""
        status = int(self.curl.getinfo(pycurl.RESPONSE_CODE))
        fate = fate_of(code=code, message=message, status=status, body_taken=self._body.tell() > 0)
        return Reply(
            fate=fate,
            status=status if fate is Fate.ANSWERED else None,
            headers=HeaderLines(tuple(self._reply_headers)),
            body=b"" if code else b"".join(self._reply_body),
            fault=self._fault(code, fate),
            sent_at=sent_at,
            answered_at=answered_at,
        )

    def _fault(self, code: int, fate: Fate) -> str:
        if self._forbidden and fate is Fate.UNSENT:
            return "AddressNotAllowed"
        if code == pycurl.E_SEND_FAIL_REWIND and fate is Fate.UNSENT:
            return "StreamRefused"
        return _FAULTS.get(code, "ConnectionLost") if code else ""

    def _open_socket(self, purpose: int, peer: pycurl.CurlSockAddr) -> socket.socket | int:
        numeric = str(peer.addr[0])
        if peer.family not in (socket.AF_INET, socket.AF_INET6) or not addresses.may_connect(
            numeric, self._allowed
        ):
            self._forbidden = True
            return pycurl.SOCKET_BAD
        self._on_connect(self)
        return _LentSocket(peer.family, peer.socktype, peer.protocol)
