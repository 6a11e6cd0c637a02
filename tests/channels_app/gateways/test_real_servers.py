"""The transport against the HTTP/2 servers that are installed here, and always one of our own.

Each make differs in when it reads a body, when it sends its settings, and how it closes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from bench.transport_servers import Server, installed, serving
from channels_app.gateways.exchange import Fate, Reply, Request
from channels_app.gateways.transport import Transport
from tests.channels_app.gateways import scripted_server

HEADERS = ("apns-id: ff9051b0-83a0-5c94-80c4-d21498e42090", "accept:", "user-agent:")
BODY = b'{"aps": {"alert": {"title": "t", "body": "' + b"b" * 3000 + b'"}}}'
PATIENCE = 60.0


def send(url: str, ca_file: str, count: int) -> list[Reply]:
    transport: Transport[int] = Transport(ca_file=ca_file, networks=["127.0.0.0/8", "::1/128"])
    replies: list[Reply] = []
    try:
        for number in range(count):
            transport.submit(Request(f"{url}/3/device/{number:064x}", HEADERS, BODY), number)
        until = time.monotonic() + PATIENCE
        while transport.in_flight and time.monotonic() < until:
            replies += [reply for _, reply in transport.poll(1.0)]
    finally:
        transport.close()
    return replies


@contextmanager
def server_of(name: str, folder: Path, authority: trustme.CA, ca_file: str) -> Iterator[Server]:
    if name != "scripted":
        with serving(name, folder) as server:
            yield server
        return
    with scripted_server.serving(authority, lambda talk, seen: talk.answer(seen)) as scripted:
        yield Server(name, scripted.url, ca_file)


@pytest.mark.parametrize("name", ["scripted", *installed()])
def test_a_thousand_requests_all_get_an_answer(
    name: str, tmp_path: Path, authority: trustme.CA, ca_file: str
) -> None:
    with server_of(name, tmp_path, authority, ca_file) as server:
        replies = send(server.url, server.ca_file, 1000)

    assert len(replies) == 1000
    assert {(reply.fate, reply.status) for reply in replies} == {(Fate.ANSWERED, 200)}


# libcurl's own timers would bring a forgotten answer to light after five seconds.
LONGEST_PAUSE_SECONDS = 2.5
BURST = 300
BURST_SECONDS = 4.0


@pytest.mark.parametrize("name", ["scripted", *installed()])
def test_no_answer_is_left_lying_in_a_buffer(
    name: str, tmp_path: Path, authority: trustme.CA, ca_file: str
) -> None:
    pauses = []
    with server_of(name, tmp_path, authority, ca_file) as server:
        transport: Transport[int] = Transport(ca_file=server.ca_file, networks=["127.0.0.0/8"])
        until = time.monotonic() + BURST_SECONDS
        while time.monotonic() < until:
            for number in range(BURST):
                transport.submit(Request(f"{server.url}/3/device/{number}", HEADERS, b"{}"), number)
            while transport.in_flight:
                time.sleep(0.003)  # as a caller who writes answers down
                began = time.monotonic()
                transport.poll(PATIENCE)
                pauses.append(time.monotonic() - began)
        transport.close()

    assert max(pauses) < LONGEST_PAUSE_SECONDS
