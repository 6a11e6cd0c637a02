from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings as configuration
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import Settings

from channels_app.levels import Lane
from pushbridge import health
from pushbridge.health import UNTAKEN_MESSAGES, check


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    """The broker, without anything in the lanes' queues."""
    client = redis.Redis.from_url(configuration.REDIS_URL)
    with client:
        client.delete(*Lane)
        yield client
        client.delete(*Lane)


def readyz() -> tuple[int, dict[str, Any]]:
    response = Client().get("/readyz")
    return response.status_code, response.json()


def test_a_process_is_alive_without_anything_else() -> None:
    response = Client().get("/healthz")

    assert (response.status_code, response.json()) == (200, {"alive": True})


@pytest.mark.django_db(transaction=True)
def test_ready_when_every_part_is(broker: redis.Redis) -> None:
    assert readyz() == (
        200,
        {
            "ready": True,
            "parts": {
                "postgresql": "ok",
                "broker": "ok",
                "lane escalation": "ok",
                "lane default": "ok",
            },
        },
    )


@pytest.mark.django_db(transaction=True)
def test_a_lane_whose_messages_nobody_takes_is_named(broker: redis.Redis) -> None:
    broker.rpush(Lane.ESCALATION, *["sweep"] * UNTAKEN_MESSAGES)

    status, answer = readyz()

    assert status == 503
    assert answer["parts"]["lane escalation"] == "20 messages that no worker takes"
    assert answer["parts"]["lane default"] == "ok"


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_gone_is_named(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    status, answer = readyz()

    assert status == 503
    assert answer["parts"] == {
        "postgresql": "ok",
        "broker": "not reachable",
        "lane escalation": "unknown",
        "lane default": "unknown",
    }
    assert "127.0.0.1:1" in caplog.text


def test_why_postgresql_is_gone_is_for_the_log_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    why = 'connection to server at "10.1.2.3" failed: no password for user "pushbridge"'

    def fail(connection: object) -> None:
        raise OperationalError(why)

    monkeypatch.setattr(health, "MigrationExecutor", fail)

    assert health.database() == "not reachable"
    assert why in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_database_without_our_tables_is_not_ready(broker: redis.Redis) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'claims' RETURNING app, name")
        removed = cursor.fetchall()
    try:
        assert "not applied" in readyz()[1]["parts"]["postgresql"]
    finally:
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, now())",
                removed,
            )


def test_a_check_that_hangs_is_left_behind() -> None:
    released = threading.Event()
    started = time.monotonic()

    def hang() -> str:
        released.wait(30)
        return "late"

    try:
        found = check({"stuck": hang, "fine": lambda: "ok"}, seconds=0.2)
    finally:
        released.set()

    assert found == {"stuck": "no answer within 0.2 seconds", "fine": "ok"}
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_only_read(path: str) -> None:
    assert Client().post(path).status_code == 405
