"""Sends prepared requests over persistent HTTP/1.1 connections, for as little CPU as it can.

The machine's cores belong to the system under test, so the requests are bytes made beforehand
and one thread moves them between plain sockets.
"""

import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

ANSWER_SECONDS = 30.0


class LoadError(Exception):
    """The system under test closed, hung, or answered with no length."""


@dataclass(frozen=True, slots=True)
class Sent:
    """When each request was due (epoch seconds), by its place in the list, and the answers.

    Without a rate a request is due when a connection is free. With one it is due at its own
    moment even if the system is too busy to take it then: that wait is the system's latency.
    """

    due_at: list[float]
    statuses: Counter[int]


@dataclass(slots=True)
class _Connection:
    """One socket, and the request it waits for an answer to."""

    port: int
    socket: socket.socket
    request: bytes = b""
    answer: bytearray = field(default_factory=bytearray)


def send(
    port: int, requests: Sequence[bytes], *, connections: int, rate: float | None = None
) -> Sent:
    """Send every request and wait for every answer.

    With `rate`, requests are due that many times a second (an open loop); without, each
    connection sends its next request as soon as it has an answer (a closed loop).
    Raises LoadError where an answer takes longer than ANSWER_SECONDS.
    """
    opened = [_Connection(port, _open(port)) for _ in range(connections)]
    try:
        with selectors.DefaultSelector() as selector:
            return _send_all(selector, deque(opened), requests, rate)
    finally:
        for connection in opened:
            connection.socket.close()


def _send_all(
    selector: selectors.BaseSelector,
    idle: deque[_Connection],
    requests: Sequence[bytes],
    rate: float | None,
) -> Sent:
    sent = Sent([], Counter())
    begin = time.time()
    while sum(sent.statuses.values()) < len(requests):
        wait = ANSWER_SECONDS
        while idle and len(sent.due_at) < len(requests):
            now = time.time()
            due_at = begin + len(sent.due_at) / rate if rate else now
            if due_at > now:
                wait = due_at - now
                break
            _start(selector, idle.popleft(), requests[len(sent.due_at)])
            sent.due_at.append(due_at)
        ready = selector.select(wait)
        if not ready and wait == ANSWER_SECONDS:
            raise LoadError(f"no answer for {ANSWER_SECONDS:.0f} s")
        for key, _ in ready:
            status = _read(selector, key.data)
            if status is not None:
                sent.statuses[status] += 1
                idle.append(key.data)
    return sent


def _open(port: int) -> socket.socket:
    connected = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


def _start(selector: selectors.BaseSelector, connection: _Connection, request: bytes) -> None:
    connection.request = request
    connection.answer.clear()
    connection.socket.sendall(request)
    selector.register(connection.socket, selectors.EVENT_READ, connection)


def _restart(selector: selectors.BaseSelector, connection: _Connection) -> None:
    """Send again on a new socket: the server had closed the idle one. Its id makes that safe."""
    connection.socket.close()
    connection.socket = _open(connection.port)
    _start(selector, connection, connection.request)


def _read(selector: selectors.BaseSelector, connection: _Connection) -> int | None:
    """The status, once the whole answer is there; the connection is then free again."""
    try:
        chunk = connection.socket.recv(65536)
    except ConnectionResetError:
        chunk = b""
    if not chunk:
        if connection.answer:
            raise LoadError(f"closed in the middle of an answer: {bytes(connection.answer)!r}")
        selector.unregister(connection.socket)
        _restart(selector, connection)
        return None
    connection.answer += chunk
    head, separator, body = bytes(connection.answer).partition(b"\r\n\r\n")
    if not separator or len(body) < _content_length(head):
        return None
    selector.unregister(connection.socket)
    if b"\r\nconnection: close" in head.lower():
        connection.socket.close()
        connection.socket = _open(connection.port)
    return int(head[9:12])


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    raise LoadError(f"an answer without a length: {head!r}")
