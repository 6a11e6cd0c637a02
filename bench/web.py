"""Pushbridge's web server in a process group of its own, which can be killed and started again."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pushbridge.bootstrap import PROJECT

PATIENCE = 60.0
THREADS = 8


class Web:
    """The server on one port; `environment` has its database and its broker."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the server's main process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it listens.

        Raises:
            RuntimeError: it does not; with its log.
        """
        arguments = ("--port", str(self.port), "--threads", "1", "--people-threads", str(THREADS))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pushbridge.serve", *arguments],
                cwd=PROJECT,
                env={**os.environ, **self._environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)
        raise RuntimeError(f"the web server did not start:\n{self._log.read_text()}")

    def kill(self) -> None:
        """As a power failure would: SIGKILL to the server and all that it started."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(PATIENCE)
            self._process = None

    def strike(self) -> None:
        """Kill it in the middle of something, and start it again."""
        time.sleep(0.05)
        self.kill()
        self.start()


@contextmanager
def serving(environment: Mapping[str, str], log: Path) -> Iterator[Web]:
    """A web server that runs until the end of the block."""
    web = Web(environment, log)
    web.start()
    try:
        yield web
    finally:
        web.kill()
