"""An app and the real web server: what lies between HTTP and Django changes nothing on its way."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from oauth2_provider.models import AccessToken

from pushbridge.rsgi import HUGE_BODIES
from tests.api import newcomer
from tests.factories import BotFactory, MembershipFactory
from tests.pushbridge.api.app import App
from tests.pushbridge.server import serving

pytestmark = pytest.mark.django_db(transaction=True)
ME = "/api/v1/me/"
HUGE = b"PATCH %s HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 600000\r\n\r\n" % ME.encode()
HUGE += b"x" * 600_000


@pytest.fixture(scope="module")
def port(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serving(tmp_path_factory.mktemp("serve")) as port:
        yield port


@pytest.fixture
def connection(port: int) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    yield connection
    connection.close()


class Caller:
    """An app whose person is signed in, with one connection, which is kept."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        self.person = newcomer()
        self.token = App(self.person).tokens()["access_token"]

    def ask(
        self, method: str, path: str, body: str | None = None, **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        said.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            said.setdefault("Content-Type", "application/json")
        self._connection.request(method, path, body and body.encode(), said)
        answer = self._connection.getresponse()
        return answer.status, answer.headers, answer.read()


@pytest.fixture
def caller(connection: http.client.HTTPConnection) -> Caller:
    return Caller(connection)


def test_a_change_comes_through_and_is_answered(caller: Caller) -> None:
    status, headers, body = caller.ask("PATCH", ME, '{"time_zone": "Europe/Vienna"}')

    assert status == 200
    assert headers["Content-Type"] == "application/json"
    assert b"Europe/Vienna" in body


def test_what_has_not_changed_is_answered_without_a_body(caller: Caller) -> None:
    _, headers, _ = caller.ask("GET", ME)

    status, again, body = caller.ask("GET", ME, If_None_Match=headers["ETag"])

    assert (status, body, again["ETag"]) == (304, b"", headers["ETag"])
    assert caller.ask("GET", ME)[0] == 200


def test_a_change_of_another_version_is_refused(caller: Caller) -> None:
    assert caller.ask("PATCH", ME, '{"locale": "de"}', If_Match='"other"')[0] == 412


def test_head_is_get_without_a_body(caller: Caller) -> None:
    status, headers, body = caller.ask("HEAD", ME)

    assert (status, body) == (200, b"")
    assert headers["ETag"] == caller.ask("GET", ME)[1]["ETag"]


def test_put_and_delete_come_through(caller: Caller) -> None:
    member = MembershipFactory.create(user=caller.person)
    bot = BotFactory.create(organization=member.organization, external_id="a/b c")
    address = f"/api/v1/{member.organization.slug}/bots/a%2Fb%20c/subscription/"

    put, _, _ = caller.ask("PUT", address, '{"level": null}')
    delete, headers, body = caller.ask("DELETE", address)

    assert put in (200, 201)
    assert (delete, body) == (204, b"")
    assert not bot.subscriptions.exists()
    assert caller.ask("GET", ME)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer \xe4\xf6\xfc"},
        {"Authorization": "Bearer " + "x" * 30_000},
        {"Authorization": "Bearer"},
        {"Authorization": "\xff" * 100},
    ],
    ids=lambda headers: headers["Authorization"][:10],
)
def test_headers_of_any_kind_are_refused_and_no_defect(
    caller: Caller, headers: dict[str, Any]
) -> None:
    status, answer, _ = caller.ask("GET", ME, **headers)

    assert status in (400, 401, 431)
    assert status != 401 or answer["WWW-Authenticate"].startswith("Bearer")


def test_a_value_of_a_megabyte_is_refused_by_its_name(caller: Caller) -> None:
    status, _, body = caller.ask("PATCH", ME, json.dumps({"time_zone": "x" * 1_000_000}))

    assert status == 400
    assert [error["pointer"] for error in json.loads(body)["errors"]] == ["/time_zone"]


def test_a_body_that_is_too_large_is_refused_as_a_problem(caller: Caller) -> None:
    status, headers, _ = caller.ask("PATCH", ME, '"' + "x" * 3_000_000 + '"')

    assert (status, headers["Content-Type"]) == (413, "application/problem+json")


def test_a_few_huge_bodies_take_all_the_places_that_there_are_and_give_them_back(
    port: int,
) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(HUGE_BODIES):
            slow = stack.enter_context(dial(port))
            slow.sendall(HUGE[:500_000])

        assert _answer_to_a_huge_body(port, hoped_for=429) == 429

    # That of somebody without a token, which is to say that it was read.
    assert _answer_to_a_huge_body(port, hoped_for=401) == 401


def dial(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 20)


def _answer_to_a_huge_body(port: int, *, hoped_for: int) -> int:
    """The server takes in what others send, or that they hung up, in its own time."""
    for _ in range(100):
        line = b""
        with dial(port) as client:
            # Who is refused is not listened to until the end, and may not even hear of it.
            with contextlib.suppress(ConnectionError):
                client.sendall(HUGE)
            with contextlib.suppress(ConnectionError):
                line = client.makefile("rb").readline()
        status = int(line.split()[1]) if line else 0
        if status == hoped_for:
            break
        time.sleep(0.1)
    return status


@pytest.mark.parametrize("path", ["/api/v1/%00/inbox/", "/api/v1/%ff/inbox/", "/api/v1/a%0Ab/"])
def test_addresses_of_any_kind_are_not_there(caller: Caller, path: str) -> None:
    status, headers, _ = caller.ask("GET", path)

    assert (status, headers["Content-Type"]) == (404, "application/problem+json")


def test_a_token_that_was_revoked_is_refused_at_once(caller: Caller) -> None:
    assert caller.ask("GET", ME)[0] == 200
    AccessToken.objects.all().delete()

    assert caller.ask("GET", ME)[0] == 401


def test_pages_are_there_for_who_has_no_token(connection: http.client.HTTPConnection) -> None:
    for path in ("/api/docs/", "/api/docs/try/", "/api/schema/", "/sign-in/"):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, path
