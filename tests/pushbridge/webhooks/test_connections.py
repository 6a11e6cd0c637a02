from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from channels_app.models import Connection
from pushbridge.webhooks import connections
from pushbridge.webhooks.connections import KEPT
from pushbridge.webhooks.signatures import decode_secret
from tests.factories import ConnectionFactory, secret

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def connection() -> Connection:
    return ConnectionFactory.create(secret=secret(1))


def keys(connection: Connection, now: datetime) -> list[bytes]:
    found = connections.find(connection.pk, now=now)
    return list(found.keys) if found else []


def test_a_connection_is_asked_for_once_in_a_while(
    connection: Connection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        first = connections.find(connection.pk, now=NOW)
        again = connections.find(connection.pk, now=NOW + KEPT - MOMENT)
    assert first is not None and first is again
    assert (first.id, first.organization_id) == (connection.pk, connection.organization_id)


def test_what_was_changed_counts_when_the_while_is_over(connection: Connection) -> None:
    keys(connection, NOW)
    Connection.objects.update(secret=secret(2))

    assert keys(connection, NOW + KEPT - MOMENT) == [decode_secret(secret(1))]
    assert keys(connection, NOW + KEPT) == [decode_secret(secret(2))]


@pytest.mark.parametrize("change", [{"active": False}, None])
def test_one_that_is_switched_off_or_deleted_is_not_found_when_the_while_is_over(
    connection: Connection, change: dict[str, bool] | None
) -> None:
    keys(connection, NOW)
    if change:
        Connection.objects.update(**change)
    else:
        Connection.objects.all().delete()

    assert keys(connection, NOW + KEPT - MOMENT)
    assert connections.find(connection.pk, now=NOW + KEPT) is None
    assert connections.find(connection.pk, now=NOW) is None


def test_a_previous_secret_ends_on_time_although_it_is_kept() -> None:
    end = NOW + timedelta(seconds=1)
    connection = ConnectionFactory.create(
        secret=secret(2), previous_secret=secret(1), previous_secret_until=end
    )

    assert len(keys(connection, NOW)) == len(keys(connection, end - MOMENT)) == 2
    assert keys(connection, end) == [decode_secret(secret(2))]


def test_a_clock_that_is_set_back_keeps_nothing_alive(connection: Connection) -> None:
    keys(connection, NOW)
    Connection.objects.update(secret=secret(2))

    assert keys(connection, NOW - timedelta(hours=1)) == [decode_secret(secret(2))]


def test_what_is_forgotten_is_asked_for_again(
    connection: Connection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    keys(connection, NOW)
    connections.forget(connection.pk)
    with django_assert_num_queries(1):
        keys(connection, NOW)


def test_ids_that_do_not_exist_fill_no_memory() -> None:
    before = len(connections._kept)
    for _ in range(50):
        assert connections.find(uuid4(), now=NOW) is None
    assert len(connections._kept) == before


def test_no_more_connections_are_kept_than_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "KEPT_CONNECTIONS", 3)
    for connection in ConnectionFactory.create_batch(10):
        assert keys(connection, NOW)
        assert len(connections._kept) <= 3
