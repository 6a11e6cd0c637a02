"""The real web server, in a process of its own, on the database of the tests."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection as database

PROJECT = Path(__file__).parents[2]
PATIENCE = 30.0
PEOPLE_THREADS = 2


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[int]:
    """The port of a web server that works on the test database. Its log is in the folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with (folder / "log").open("w+b") as log:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "pushbridge.serve", "--port", str(port)),
                *("--threads", "2", "--people-threads", str(PEOPLE_THREADS)),
            ],
            cwd=PROJECT,
            env={**os.environ, "DATABASE_URL": database_url(), "PUSHBRIDGE_VAR": str(folder)},
            stdout=log,
            stderr=log,
        )
        try:
            _wait_until_it_listens(server, port, folder / "log")
            yield port
        finally:
            server.terminate()
            server.wait(PATIENCE)


def database_url() -> str:
    """That of the tests, as a process of its own has to be told."""
    given = urlsplit(os.environ["DATABASE_URL"])
    return given._replace(path=f"/{database.settings_dict['NAME']}").geturl()


def _wait_until_it_listens(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    pytest.fail(f"the web server did not start:\n{log.read_text()}")
