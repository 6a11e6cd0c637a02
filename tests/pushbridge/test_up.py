"""`manage.py up` as people start it, stop it and kill it, on a folder of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest

from pushbridge.bootstrap import PROJECT
from pushbridge.embedded.home import Home, read_running
from pushbridge.embedded.processes import free_port

START_SECONDS = 240.0
STOP_SECONDS = 30.0
# Those of the test run itself, which would take the place of what `up` makes.
NOT_OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE")


@dataclass(slots=True)
class Up:
    """`up` on one folder and one port."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> "subprocess.Popen[bytes]":
        environment = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
        with self.screen.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(PROJECT / "manage.py"), "up", "--port", str(self.port)],
                env={**environment, "PUSHBRIDGE_VAR": str(self.folder)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return self.process

    @property
    def screen(self) -> Path:
        return self.folder.with_suffix(".screen")

    def wait_for(self, words: str) -> str:
        """The screen, once it has these words."""
        deadline = time.monotonic() + START_SECONDS
        while words not in self.screen.read_text():
            assert self.is_running, self.screen.read_text()
            assert time.monotonic() < deadline, self.screen.read_text()
            time.sleep(0.05)
        return self.screen.read_text()

    def start_and_wait(self) -> str:
        self.start()
        return self.wait_for("Stop: Ctrl-C")

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> int:
        assert self.process
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)

    def ready(self) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=10) as answer:
            return int(answer.status)

    def pids(self) -> dict[str, int]:
        running = read_running(Home(self.folder))
        return {each.name: each.pid for each in running.processes} if running else {}

    def kill_everything(self) -> None:
        for pid in self.pids().values():
            os.kill(pid, signal.SIGKILL)
        if self.process:
            self.process.wait()

    def database_url(self) -> str:
        lines = (self.folder / "env").read_text().splitlines()
        (line,) = [line for line in lines if line.startswith("DATABASE_URL=")]
        return line.removeprefix("DATABASE_URL=").strip('"')

    def count(self, table: str) -> int:
        connection = psycopg2.connect(self.database_url())
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT count(*) FROM {table}")
                row = cursor.fetchone()
                return int(row[0]) if row else 0
        finally:
            connection.close()


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One system for all tests here, to be started when it is needed."""
    up = Up(tmp_path_factory.mktemp("up") / "var", free_port(8100))
    yield up
    if up.is_running:
        up.stop()


@pytest.fixture
def up(system: Up) -> Up:
    """The system, running."""
    if not system.is_running:
        system.start_and_wait()
    return system


def test_it_says_where_everything_is_and_is_ready(up: Up) -> None:
    screen = up.screen.read_text()

    assert f"http://127.0.0.1:{up.port}/admin/" in screen
    assert "/readyz" in screen
    assert "http://127.0.0.1:8" in screen.split("phones")[1]
    assert "Sign in" in screen
    assert up.ready() == 200


def test_what_is_secret_is_its_owners_alone(up: Up) -> None:
    for name in ("env", "kept.json", "demo-logins", "valkey/valkey.conf"):
        assert (up.folder / name).stat().st_mode & 0o077 == 0, name


def test_a_second_copy_says_where_the_first_one_is(up: Up) -> None:
    second = Up(up.folder, up.port + 1)
    first_screen = up.screen.read_text()

    process = second.start()

    assert process.wait(START_SECONDS) == 1
    assert f"it is already running at http://127.0.0.1:{up.port}" in up.screen.read_text()
    up.screen.write_text(first_screen)


def test_a_killed_database_comes_back_to_everyone_else(up: Up) -> None:
    before = up.pids()["postgresql"]

    os.kill(before, signal.SIGKILL)

    deadline = time.monotonic() + START_SECONDS
    while up.pids().get("postgresql", before) == before or not is_ready(up):
        assert time.monotonic() < deadline, up.screen.read_text()
        time.sleep(0.1)


def is_ready(up: Up) -> bool:
    try:
        return up.ready() == 200
    except OSError:  # URLError and its kin: not listening, or 503
        return False


def test_after_a_kill_of_everything_the_next_start_has_the_same_data(up: Up) -> None:
    organizations = up.count("chatbot_organization")
    kept = json.loads((up.folder / "kept.json").read_text())

    up.kill_everything()
    screen = up.start_and_wait()

    assert "what was left of it has been cleaned up" in screen
    assert up.count("chatbot_organization") == organizations > 0
    assert json.loads((up.folder / "kept.json").read_text()) == kept
    assert up.ready() == 200


def test_an_end_on_request_is_orderly_and_leaves_nobody(up: Up) -> None:
    pids = up.pids().values()

    assert up.stop() == 0

    assert up.screen.read_text().rstrip().endswith("Stopped.")
    assert not (up.folder / "processes.json").exists()
    assert not (up.folder / "postgres" / "postmaster.pid").exists()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        up = Up(tmp_path / "var", other.getsockname()[1])

        assert up.start().wait(START_SECONDS) == 1

    assert f"port {up.port} on 127.0.0.1 is taken" in up.screen.read_text()
    assert f"python3 manage.py up --port {up.port + 1}" in up.screen.read_text()
