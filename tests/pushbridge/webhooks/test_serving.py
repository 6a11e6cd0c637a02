"""The real web server, in a process of its own, against clients that mean no good."""

from __future__ import annotations

import contextlib
import json
import re
import select
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection as database
from django.db import transaction

from channels_app.models import Connection, Event, User
from tests.factories import ConnectionFactory
from tests.pushbridge.server import PATIENCE, PEOPLE_THREADS, serving
from tests.pushbridge.webhooks.signing import human_requested, signed, url

pytestmark = pytest.mark.django_db(transaction=True)

SLOW_CLIENTS = 200
SIGN_INS = 16


@pytest.fixture(scope="module")
def port(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serving(tmp_path_factory.mktemp("serve")) as port:
        yield port


def request(connection: Connection, body: bytes, *extra: str, length: bool = True) -> bytes:
    """A signed request as it stands on the wire."""
    headers = signed(secret=connection.secret, webhook_id="msg_1", at=datetime.now(UTC), body=body)
    lines = [
        f"POST {url(connection.pk)} HTTP/1.1",
        "host: 127.0.0.1",
        "content-type: application/json",
        *(f"{name}: {value}" for name, value in headers.items()),
        *([f"content-length: {len(body)}"] if length else []),
        *extra,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + (body if length else b"")


def dial(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE)


def status(client: socket.socket) -> int:
    return int(client.makefile("rb").readline().split()[1])


def exchange(port: int, raw: bytes) -> int:
    with dial(port) as client:
        client.sendall(raw)
        return status(client)


def test_a_healthy_client_is_answered_while_two_hundred_hang(port: int) -> None:
    connection = ConnectionFactory.create()
    whole = request(connection, json.dumps(human_requested()).encode())
    with contextlib.ExitStack() as stack:
        for number in range(SLOW_CLIENTS):
            slow = stack.enter_context(dial(port))
            # Half of them stop in the middle of their headers, half in the middle of their body.
            slow.sendall(whole[: len(whole) - 5 if number % 2 else 40])

        assert exchange(port, whole) == 202

    assert Event.objects.count() == 1


def test_a_webhook_is_answered_while_sign_ins_take_every_thread_for_people(port: int) -> None:
    connection = ConnectionFactory.create()
    whole = request(connection, json.dumps(human_requested()).encode())
    with contextlib.ExitStack() as stack:
        with transaction.atomic():
            # A sign-in looks its user up, and so takes as long as the test wants it to.
            with database.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {User._meta.db_table} IN ACCESS EXCLUSIVE MODE")
            people = [stack.enter_context(dial(port)) for _ in range(SIGN_INS)]
            for number, person in enumerate(people):
                person.sendall(sign_in(f"person-{number}"))
            _wait_for_blocked_threads(PEOPLE_THREADS)

            assert exchange(port, whole) == 202
            assert select.select(people, [], [], 0)[0] == []

        assert {status(person) for person in people} == {200}


def sign_in(username: str) -> bytes:
    """An attempt to sign in to the admin, with a CSRF token of the client's own making."""
    token = "a" * 32
    body = f"csrfmiddlewaretoken={token}&username={username}&password=wrong"
    lines = [
        "POST /admin/login/ HTTP/1.1",
        "host: 127.0.0.1",
        f"cookie: csrftoken={token}",
        "content-type: application/x-www-form-urlencoded",
        f"content-length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", body]).encode()


def _wait_for_blocked_threads(number: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with database.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass",
                [User._meta.db_table],
            )
            if cursor.fetchone() == (number,):
                return
        time.sleep(0.05)
    pytest.fail(f"{number} threads never waited for the table")


def test_a_chunked_body_is_read(port: int) -> None:
    connection = ConnectionFactory.create()
    body = json.dumps(human_requested()).encode()
    head = request(connection, body, "transfer-encoding: chunked", length=False)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)

    assert exchange(port, head + chunks + b"0\r\n\r\n") == 202


def test_an_endless_body_is_refused_before_it_costs_memory(port: int) -> None:
    connection = ConnectionFactory.create()
    with dial(port) as client:
        client.sendall(request(connection, b"", "transfer-encoding: chunked", length=False))
        # What the buffers on the way take in is not in the server's memory: 16 MiB are plenty.
        with contextlib.suppress(ConnectionError):
            for _ in range(1024):
                client.sendall(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            pytest.fail("the server took 16 MiB")


def test_a_body_that_is_too_large_is_refused(port: int) -> None:
    body = json.dumps(human_requested(padding="x" * 256 * 1024)).encode()

    assert exchange(port, request(ConnectionFactory.create(), body)) == 413


def test_a_body_that_breaks_off_is_never_stored(port: int) -> None:
    connection = ConnectionFactory.create()
    body = json.dumps(human_requested()).encode()
    with dial(port) as client:
        client.sendall(request(connection, body, f"content-length: {len(body) + 5}", length=False))
        client.sendall(body)
        client.shutdown(socket.SHUT_WR)
        # The server hangs up without an answer, or says what is wrong.
        assert client.makefile("rb").readline()[9:12] in (b"", b"400", b"401")

    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"webhook-id", b"caf\xe9"),
        (b"webhook-id", b"a\r\nwebhook-id: a"),
        (b"webhook-timestamp", b""),
        (b"webhook-signature", b"v1,\xff\xfe"),
        (b"webhook-signature", b"v1,a\x00"),
        (b"content-type", b"application/json; charset=\xff"),
        (b"content-length", b"99999999999999999999"),
        (b"content-length", b"-1"),
        (b"content-length", b"1\r\ntransfer-encoding: nonsense"),
    ],
)
def test_hostile_headers_on_the_wire_are_no_server_error(
    port: int, name: bytes, value: bytes
) -> None:
    raw = request(ConnectionFactory.create(), json.dumps(human_requested()).encode())
    hostile = re.sub(name + b": .*?\r\n", lambda _: name + b": " + value + b"\r\n", raw, count=1)

    assert 400 <= exchange(port, hostile) < 500


def test_a_header_with_an_underscore_is_not_taken_for_its_namesake(port: int) -> None:
    raw = request(ConnectionFactory.create(), json.dumps(human_requested()).encode())

    assert exchange(port, raw.replace(b"webhook-id:", b"webhook_id:")) == 401


def test_the_door_answers_without_middleware_and_pages_with_it(port: int) -> None:
    connection = ConnectionFactory.create()
    with dial(port) as client:
        client.sendall(request(connection, json.dumps(human_requested()).encode()))
        door = client.recv(4096).lower()
        client.sendall(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        page = client.recv(4096).lower()

    assert b" 202 " in door and b"x-frame-options" not in door
    assert b" 200 " in page and b"x-frame-options" in page
