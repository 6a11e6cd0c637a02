"""The embedded Valkey: a real server on data of its own."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from pushbridge.embedded import valkey
from pushbridge.embedded.processes import free_port, record, start, stop_group
from pushbridge.embedded.valkey import Broker


@pytest.fixture
def broker(tmp_path: Path) -> Broker:
    folder = tmp_path / 'a "quoted" folder'
    return Broker(folder=folder, port=free_port(), password="secret", durable=True)


@contextmanager
def serving(broker: Broker) -> Iterator[redis.Redis]:
    process = start(valkey.service(broker), subprocess.DEVNULL)
    try:
        valkey.wait_until_ready(broker, process)
        with redis.Redis.from_url(broker.url, decode_responses=True) as client:
            yield client
    finally:
        stop_group(record("valkey", process.pid), patience=5.0)
        process.wait()


def test_a_full_broker_refuses_and_never_drops(broker: Broker) -> None:
    with serving(broker) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_it_listens_on_loopback_alone(broker: Broker) -> None:
    with serving(broker) as client:
        assert client.config_get("bind") == {"bind": "127.0.0.1"}


def test_nobody_comes_in_without_the_password(broker: Broker) -> None:
    with (
        serving(broker),
        redis.Redis.from_url(replace(broker, password="wrong").url) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_the_password_is_in_no_command_line_and_no_open_file(broker: Broker) -> None:
    service = valkey.service(broker)

    assert not any("secret" in part for part in service.command)
    assert (broker.folder / "valkey.conf").stat().st_mode & 0o777 == 0o600


def test_what_it_holds_survives_an_orderly_restart(broker: Broker) -> None:
    with serving(broker) as client:
        client.set("nudge", "1")

    with serving(broker) as client:
        assert client.get("nudge") == "1"
