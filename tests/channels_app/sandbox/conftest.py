"""One sandbox for all its tests, with fresh phones and no faults for each."""

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from channels_app.sandbox import keys
from channels_app.sandbox.process import SandboxProcess, free_port, running
from tests.channels_app.sandbox.client import Http2Client, connected
from tests.channels_app.sandbox.senders import Senders


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """The sandbox, with applications beyond its own three: other shapes, teams and projects."""
    state = tmp_path_factory.mktemp("sandbox")
    port = free_port()
    base_url = f"https://127.0.0.1:{port}"
    keys.prepare(state, base_url=base_url, now=dt.datetime.now(dt.UTC))
    path = state / "applications.json"
    applications: dict[str, dict[str, Any]] = json.loads(path.read_text())
    ios = applications["ios-sandbox"]
    applications["ios-plain"] = {
        **ios,
        "topic": "com.example.plain",
        "shape": "plain",
        "critical_alerts": False,
    }
    applications["ios-foreign"] = {
        **ios,
        "topic": "com.example.foreign",
        "team_id": "OTHERTEAM1",
        "auth_key_id": "OTHERKEY01",
    }
    account = json.loads((state / "fcm.json").read_text())
    other = {**account, "project_id": "other-project", "client_email": "other@example.com"}
    (state / "other.json").write_text(json.dumps(other))
    applications["android-plain"] = {
        "platform": "FCM",
        "shape": "plain",
        "service_account_path": str(state / "other.json"),
    }
    path.write_text(json.dumps(applications))
    with running(state, port=port) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def senders(running_sandbox: SandboxProcess) -> Senders:
    """Whoever holds the credentials; they keep their tokens for the session."""
    return Senders(running_sandbox)


@pytest.fixture
def sandbox(running_sandbox: SandboxProcess) -> Iterator[SandboxProcess]:
    """The sandbox; no fault outlives a test."""
    yield running_sandbox
    running_sandbox.clear_faults()


@pytest.fixture
def connection(sandbox: SandboxProcess) -> Iterator[Http2Client]:
    """A fresh HTTP/2 connection."""
    with connected(sandbox.url, sandbox.ca_file) as client:
        yield client


def _fresh(sandbox: SandboxProcess, platform: str, application_id: str = "") -> dict[str, Any]:
    return sandbox.phone(platform, owner=uuid.uuid4().hex, application_id=application_id)


@pytest.fixture
def iphone(sandbox: SandboxProcess) -> dict[str, Any]:
    """A new iPhone that runs the Expo app."""
    return _fresh(sandbox, "apns")


@pytest.fixture
def plain_iphone(sandbox: SandboxProcess) -> dict[str, Any]:
    """A new iPhone that runs another app: plain, and without critical alerts."""
    return _fresh(sandbox, "apns", "ios-plain")


@pytest.fixture
def android(sandbox: SandboxProcess) -> dict[str, Any]:
    """A new Android phone that runs the Expo app."""
    return _fresh(sandbox, "fcm")


@pytest.fixture
def plain_android(sandbox: SandboxProcess) -> dict[str, Any]:
    """A new Android phone that runs another project's plain app."""
    return _fresh(sandbox, "fcm", "android-plain")


@pytest.fixture
def browser(sandbox: SandboxProcess) -> dict[str, Any]:
    """A new browser subscription."""
    return _fresh(sandbox, "webpush")
