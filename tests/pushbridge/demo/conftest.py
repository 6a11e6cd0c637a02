"""A sandbox, and a whole Pushbridge in this process that sends to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from channels_app import sending
from channels_app.gateways.dispatch import Dispatcher, GatewayConfig
from channels_app.levels import Lane
from channels_app.sandbox.process import SandboxProcess, free_port, running
from channels_app.sending import Sender


@pytest.fixture(scope="package")
def door() -> str:
    """Where the system will be: the app on the phones knows it before it is there."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture(scope="package")
def wall(tmp_path_factory: pytest.TempPathFactory, door: str) -> Iterator[SandboxProcess]:
    with running(tmp_path_factory.mktemp("sandbox"), app_url=f"http://{door}") as process:
        yield process


@pytest.fixture
def system(
    wall: SandboxProcess, door: str, settings: Settings, tmp_path: Path
) -> Iterator[SandboxProcess]:
    """A seeded system that runs: its door, a worker for each lane, and the phones."""
    _configure(settings, wall)
    settings.VAR_DIR = tmp_path
    server = LiveServer(door)
    settings.PUBLIC_URL = server.url
    with ExitStack() as running_parts:
        running_parts.callback(server.stop)
        for lane in Lane:
            running_parts.enter_context(_worker(lane))
        call_command("seed_demo", stdout=StringIO())
        yield wall


def _configure(settings: Settings, wall: SandboxProcess) -> None:
    settings.SANDBOX_URL = wall.page_url
    settings.APNS_URL = settings.FCM_URL = wall.url
    settings.GATEWAY_CA_FILE = str(wall.ca_file)
    settings.GATEWAY_NETWORKS = ["127.0.0.0/8"]
    settings.WEBPUSH_HOSTS = [urlsplit(wall.url).netloc]
    entries = json.loads(wall.applications_file.read_text())
    settings.PUSH_APPLICATIONS = {name: _application(entry) for name, entry in entries.items()}
    settings.PUSH_SHAPES = dict.fromkeys(entries, "expo")
    settings.CRITICAL_ALERT_APPLICATIONS = {"ios-sandbox"}
    settings.FCM_SERVICE_ACCOUNTS = {
        "android-sandbox": entries["android-sandbox"]["service_account_path"]
    }


def _application(entry: dict[str, Any]) -> dict[str, Any]:
    match entry["platform"]:
        case "APNS":
            names = ("platform", "auth_key_path", "auth_key_id", "team_id", "topic", "use_sandbox")
            return {name.upper(): entry[name] for name in names}
        case "FCM":
            return {"PLATFORM": "FCM"}
        case _:
            return {
                "PLATFORM": "WP",
                "PRIVATE_KEY": entry["private_key_path"],
                "CLAIMS": {"sub": entry["subject"]},
            }


@contextmanager
def _worker(lane: Lane) -> Iterator[None]:
    stop = threading.Event()
    failures: list[BaseException] = []
    thread = threading.Thread(target=_work, args=(lane, stop, failures.append))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=30)
    assert failures == []


def _work(lane: Lane, stop: threading.Event, failed: Callable[[BaseException], None]) -> None:
    """Look for work all the time, and take whatever a bell has put into the lane's queue."""
    dispatcher = Dispatcher(GatewayConfig.from_settings(django_settings))
    sender = Sender(dispatcher)
    queue = redis.Redis.from_url(django_settings.REDIS_URL)
    try:
        while not stop.wait(0.02):
            queue.delete(lane.value)
            sending.drain(lane=lane, sender=sender, clock=timezone.now, seconds=1)
    except Exception as error:
        failed(error)
    finally:
        dispatcher.close()
        queue.close()
        connection.close()
