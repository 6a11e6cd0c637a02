"""A whole system, as `manage.py up` runs it, and ways to do violence to it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from pushbridge.bootstrap import PROJECT
from pushbridge.embedded.home import Home, read_running

START_SECONDS = 120.0
STOP_SECONDS = 60.0
SEED_SECONDS = 120.0
# What a caller's own system would put in the place of what `up` makes.
NOT_OURS = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "DJANGO_SETTINGS_MODULE",
    "PUSH_APPLICATIONS_FILE",
    "SANDBOX_URL",
)
WORKERS = "worker-"


class DrillError(Exception):
    """The drill itself could not be played."""


@dataclass(slots=True)
class System:
    """`up` on a folder and a port of its own."""

    folder: Path
    port: int
    _process: subprocess.Popen[bytes] | None = None
    settings: dict[str, str] = field(default_factory=dict)
    """`var/env`, once it has started."""

    def start(self) -> None:
        """Start it, or start it again, and return when it says that it is ready."""
        with self.screen.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, str(PROJECT / "manage.py"), "up", "--port", str(self.port)],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while "Stop: Ctrl-C" not in self.screen.read_text():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise DrillError(f"up does not start:\n{self.screen.read_text()}")
            time.sleep(0.05)
        self.settings = dict(self._env_lines())

    def stop(self) -> None:
        """End it in order."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)

    @property
    def screen(self) -> Path:
        """What it prints."""
        return self.folder.with_name(f"{self.folder.name}.screen")

    @property
    def url(self) -> str:
        """Where its door is."""
        return f"http://127.0.0.1:{self.port}"

    def seed(self, members: int, bystanders: int) -> Any:
        """Fill it with the drills' organization (`bench.drills.seed`)."""
        done = subprocess.run(
            [sys.executable, "-m", "bench.drills.seed", str(members), str(bystanders)],
            cwd=PROJECT,
            env=self._environment(),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=SEED_SECONDS,
        )
        return json.loads(done.stdout)

    def pids(self, name: str) -> list[int]:
        """The processes whose names begin so, the first one first."""
        running = read_running(Home(self.folder))
        processes = running.processes if running else ()
        found = [each.pid for each in processes if each.name.startswith(name)]
        if not found:
            raise DrillError(f"nobody is {name}:\n{self.screen.read_text()}")
        return found

    def kill(self, name: str) -> None:
        """`kill -9`, by its process id; of several, the first one."""
        os.kill(self.pids(name)[0], signal.SIGKILL)

    def kill_all(self, name: str) -> None:
        """The same for all of that name."""
        for pid in self.pids(name):
            os.kill(pid, signal.SIGKILL)

    def kill_child(self, name: str) -> None:
        """`kill -9` of what this part has started itself."""
        for child in psutil.Process(self.pids(name)[0]).children():
            child.kill()

    def kill_everything(self) -> None:
        """The supervisor first, so that it restarts nobody; then all that it started."""
        running = read_running(Home(self.folder))
        processes = [psutil.Process(each.pid) for each in running.processes] if running else []
        family = [child for each in processes[1:] for child in _family(each.pid)]
        for process in (*processes[:1], *family):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if self._process:
            self._process.wait()

    def kill_broker_with_data(self) -> None:
        """All that Valkey had, in memory and on the disk, is gone."""
        folder = self.folder / "valkey"
        self.kill("valkey")
        for found in folder.iterdir():
            if found.is_dir():
                shutil.rmtree(found)
            elif found.suffix != ".conf":
                found.unlink()

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """SIGSTOP for these and whatever they started; SIGCONT for those that still live."""
        stopped = [each for pid in self.pids(name) for each in _family(pid)]
        _signal(signal.SIGSTOP, stopped)
        try:
            yield
        finally:
            _signal(signal.SIGCONT, stopped)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
        return {**kept, "PUSHBRIDGE_VAR": str(self.folder)}

    def _env_lines(self) -> Iterator[tuple[str, str]]:
        for line in (self.folder / "env").read_text().splitlines():
            name, found, value = line.partition("=")
            if found and not name.startswith("#"):
                yield name, value.strip('"')


def _family(pid: int) -> list[psutil.Process]:
    try:
        leader = psutil.Process(pid)
        return [leader, *leader.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _signal(number: signal.Signals, processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
