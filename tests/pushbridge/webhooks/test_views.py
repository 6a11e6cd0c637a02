from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from django.db import connection as database
from django.http import HttpResponseBase
from django.test import Client, RequestFactory
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from channels_app.models import Connection, Event
from pushbridge.webhooks.views import receive
from tests.factories import ConnectionFactory, secret
from tests.pushbridge.webhooks.signing import human_requested, send, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection() -> Connection:
    return ConnectionFactory.create()


def content(response: HttpResponseBase) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(getattr(response, "content", b"{}"))
    return loaded


def assert_problem(response: HttpResponseBase, status: int) -> dict[str, Any]:
    """The answer is problem details of this status; they are returned."""
    problem = content(response)
    assert (response.status_code, problem["status"]) == (status, status)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem["title"] and problem["detail"]
    assert not Event.objects.exists()
    return problem


def test_a_signed_event_is_stored_and_answered_with_its_id(connection: Connection) -> None:
    response = send(connection, human_requested())

    event = Event.objects.get()
    assert (response.status_code, content(response)) == (202, {"id": event.pk})
    assert (event.webhook_id, event.type) == ("msg_1", "conversation.human_requested")


def test_the_same_id_again_is_answered_with_the_same_event(connection: Connection) -> None:
    first = send(connection, human_requested())
    again = send(connection, human_requested(message="Retried."))

    assert (again.status_code, content(again)) == (200, content(first))


def test_an_unknown_type_is_accepted(connection: Connection) -> None:
    response = send(
        connection, {"type": "invoice.paid", "timestamp": "2026-11-23T10:00:00Z", "data": {}}
    )

    assert response.status_code == 202


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_only_post_is_answered(connection: Connection, method: str) -> None:
    response = getattr(Client(), method)(url(connection.pk))

    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "connection_id", [str(uuid4()), "nonsense", "0", "{}", "é", "%00", "a" * 9000]
)
def test_an_unknown_connection_is_not_found(connection_id: str) -> None:
    assert_problem(Client().post(url(connection_id)), 404)


def test_an_inactive_connection_is_not_found() -> None:
    assert_problem(send(ConnectionFactory.create(active=False), human_requested()), 404)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/cloudevents+json",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/jsonp",
        "*/*",
        ";",
    ],
)
def test_another_content_type_is_refused(connection: Connection, content_type: str) -> None:
    assert_problem(send(connection, human_requested(), content_type=content_type), 415)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", 'application/json; charset="UTF-8"'],
)
def test_json_in_utf_8_is_accepted(connection: Connection, content_type: str) -> None:
    assert send(connection, human_requested(), content_type=content_type).status_code == 202


def test_a_compressed_body_is_refused(connection: Connection) -> None:
    assert_problem(send(connection, human_requested(), headers={"Content-Encoding": "gzip"}), 415)


def of_size(size: int) -> bytes:
    event = json.dumps(human_requested(padding=""))
    return event.replace('"padding": ""', f'"padding": "{"x" * (size - len(event))}"').encode()


def test_256_kib_are_accepted_and_one_byte_more_is_not(connection: Connection) -> None:
    assert_problem(send(connection, of_size(256 * 1024 + 1)), 413)
    assert send(connection, of_size(256 * 1024)).status_code == 202


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook-id": ""},
        {"webhook-id": "é"},
        {"webhook-id": "a b"},
        {"webhook-id": "x" * 100_000},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "+5"},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": "9" * 5000},
        {"webhook-timestamp": "0"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,\x00"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v1,AAAA " * 10_000},
    ],
    ids=lambda headers: str(headers)[:40],
)
def test_hostile_headers_are_unauthorized(connection: Connection, headers: dict[str, str]) -> None:
    assert_problem(send(connection, human_requested(), headers=headers), 401)


# Headers have whole seconds: what is just too early must still be so a second later.
@pytest.mark.parametrize("seconds", [-301, 303])
def test_an_old_or_early_request_is_unauthorized(connection: Connection, seconds: int) -> None:
    at = timezone.now() + timedelta(seconds=seconds)

    assert (
        "300 seconds" in assert_problem(send(connection, human_requested(), at=at), 401)["detail"]
    )


def test_another_connection_s_secret_is_unauthorized(connection: Connection) -> None:
    other = ConnectionFactory.create()

    assert_problem(send(connection, human_requested(), secret=other.secret), 401)


def test_the_previous_secret_is_valid_until_its_time() -> None:
    connection = ConnectionFactory.create(
        previous_secret=secret(9999), previous_secret_until=timezone.now() + timedelta(hours=1)
    )

    old = send(connection, human_requested(), secret=secret(9999), webhook_id="msg_1")
    new = send(connection, human_requested(), webhook_id="msg_2")

    assert (old.status_code, new.status_code) == (202, 202)


def test_the_previous_secret_is_unauthorized_after_its_time() -> None:
    connection = ConnectionFactory.create(
        previous_secret=secret(9999), previous_secret_until=timezone.now() - timedelta(seconds=1)
    )

    assert_problem(send(connection, human_requested(), secret=secret(9999)), 401)


def test_a_connection_with_a_broken_secret_verifies_nothing() -> None:
    connection = ConnectionFactory.create(secret="whsec_")

    assert_problem(send(connection, human_requested(), secret=secret(1)), 401)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b" ", None),
        (b"{", None),
        (b"null", [""]),
        (b"[]", [""]),
        (b"{}", ["/type", "/timestamp", "/data"]),
        (b'{"a": NaN}', ["/a"]),
        (b'{"a": "\\u0000"}', ["/a"]),
        (b'{"a": "\\ud800"}', ["/a"]),
        (b'{"a": 1e400}', ["/a"]),
        (b'{"a": ' + b"9" * 5000 + b"}", ["/a"]),
        (b'{"a": 1, "a": 2}', None),
        (b"[" * 100_000, None),
        (b'{"a":' * 40_000, None),
        ('{"a": 1}'.encode("utf-16-le"), None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_not_a_webhook_is_a_bad_request(
    connection: Connection, body: bytes, pointers: list[str] | None
) -> None:
    problem = assert_problem(send(connection, body), 400)

    assert [error["pointer"] for error in problem.get("errors", [])] == (pointers or [])


def test_a_known_type_with_bad_fields_names_each(connection: Connection) -> None:
    problem = assert_problem(
        send(connection, human_requested(bot={"id": 7}, conversation=None)), 422
    )

    assert problem["errors"] == [
        {"pointer": "/data/bot/id", "detail": "must be a string"},
        {"pointer": "/data/bot/name", "detail": "is required"},
        {"pointer": "/data/conversation", "detail": "must be an object"},
    ]


def test_a_refused_event_may_be_sent_again_under_its_id(connection: Connection) -> None:
    send(connection, human_requested(bot=None))

    assert send(connection, human_requested()).status_code == 202


@pytest.mark.django_db(transaction=True)
def test_a_webhook_is_one_statement(
    connection: Connection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    send(connection, human_requested(), webhook_id="msg_1")

    with django_assert_num_queries(1):
        send(connection, human_requested(), webhook_id="msg_2")


def test_a_new_secret_counts_at_once(connection: Connection) -> None:
    send(connection, human_requested(), webhook_id="msg_1")
    Connection.objects.update(secret=secret(9999))

    new = send(connection, human_requested(), webhook_id="msg_2", secret=secret(9999))

    assert new.status_code == 202


def test_what_no_secret_fits_is_unauthorized_however_often_it_comes(
    connection: Connection,
) -> None:
    for _ in range(3):
        assert_problem(send(connection, human_requested(), secret=secret(9999)), 401)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_deleted_meanwhile_is_soon_not_found(connection: Connection) -> None:
    send(connection, human_requested(), webhook_id="msg_1")
    Event.objects.all().delete()
    connection.organization.delete()

    # Kept for a moment, until what it sends finds no place to be.
    answers = [send(connection, human_requested(), webhook_id="msg_2") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [503, 404]
    assert answers[0].headers["Retry-After"] == "5"


@pytest.mark.django_db(transaction=True)
def test_without_postgresql_the_sender_is_told_to_come_back(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        database.close()
        with monkeypatch.context() as elsewhere:
            elsewhere.setitem(database.settings_dict, "HOST", "127.0.0.1")
            elsewhere.setitem(database.settings_dict, "PORT", str(nobody.getsockname()[1]))
            response = send(connection, human_requested())

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert content(response)["status"] == 503
    assert send(connection, human_requested()).status_code == 202


@pytest.mark.django_db(transaction=True)
def test_a_restart_of_postgresql_between_two_webhooks_costs_none(connection: Connection) -> None:
    send(connection, human_requested(), webhook_id="msg_1")
    lose_the_database_connection()

    assert send(connection, human_requested(), webhook_id="msg_2").status_code == 202


def lose_the_database_connection() -> None:
    """What a restart of PostgreSQL does to an idle connection."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    parameters = {
        key: value
        for key, value in database.get_connection_params().items()
        if key in ("dbname", "user", "password", "host", "port")
    }
    other = psycopg2.connect(**parameters)
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
            assert cursor.fetchone() == (True,)
    finally:
        other.close()


# What a header may hold when it has passed an HTTP server: Latin-1 without line ends.
header = st.text(st.characters(max_codepoint=0xFF, exclude_characters="\r\n\0"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    body=st.binary() | st.text().map(str.encode),
    signed=st.booleans(),
    headers=st.dictionaries(
        st.sampled_from(
            [
                "webhook-id",
                "webhook-timestamp",
                "webhook-signature",
                "content-type",
                "content-encoding",
                "content-length",
                "transfer-encoding",
                "x-anything",
            ]
        ),
        header,
    ),
)
def test_nothing_that_is_sent_gives_a_server_error(
    connection: Connection, body: bytes, signed: bool, headers: dict[str, str]
) -> None:
    response = send(connection, body, headers=headers if not signed else {})

    assert 400 <= response.status_code < 500


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.dictionaries(st.sampled_from(["bot", "conversation", "message", "x"]), json_values))
def test_no_data_of_a_signed_event_gives_a_server_error(
    connection: Connection, data: dict[str, Any]
) -> None:
    response = send(connection, human_requested(**data), webhook_id=str(uuid4()))

    assert response.status_code in (202, 400, 422)


@pytest.mark.parametrize("length", ["abc", "-1", "9" * 5000, ""])
def test_a_nonsensical_content_length_is_no_server_error(
    connection: Connection, length: str
) -> None:
    request = RequestFactory().post(
        url(connection.pk), b"{}", content_type="application/json", CONTENT_LENGTH=length
    )

    assert receive(request, str(connection.pk)).status_code in (400, 401)


def test_a_session_is_neither_needed_nor_made(connection: Connection) -> None:
    response = send(connection, human_requested(), at=datetime.now(UTC))

    assert not getattr(response, "cookies", None)
