import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.load import LoadError, send

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok"
CLOSING = b"HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """The port of a server that answers everything so, whatever it is sent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_accept, args=(server, answer), daemon=True).start()
        yield server.getsockname()[1]


def _accept(server: socket.socket, answer: bytes) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, answer), daemon=True).start()


def _serve(connection: socket.socket, answer: bytes) -> None:
    with connection:
        while connection.recv(65536):
            connection.sendall(answer)
            if b"close" in answer:
                return


def test_every_request_is_sent_and_answered() -> None:
    with answering(ACCEPTED) as port:
        sent = send(port, [REQUEST] * 20, connections=3)
    assert sent.statuses == {202: 20}
    assert len(sent.due_at) == 20


def test_a_server_that_closes_after_each_answer_is_connected_to_again() -> None:
    with answering(CLOSING) as port:
        sent = send(port, [REQUEST] * 5, connections=2)
    assert sent.statuses == {202: 5}


def test_requests_at_a_rate_are_due_at_their_own_moments() -> None:
    with answering(ACCEPTED) as port:
        sent = send(port, [REQUEST] * 4, connections=1, rate=100.0)
    gaps = [later - earlier for earlier, later in zip(sent.due_at, sent.due_at[1:], strict=False)]
    assert gaps == pytest.approx([0.01] * 3)


def test_an_answer_without_a_length_is_refused() -> None:
    with answering(b"HTTP/1.1 202 Accepted\r\n\r\n") as port, pytest.raises(LoadError):
        send(port, [REQUEST], connections=1)
