"""A worker of the default lane as `manage.py up` runs it, on the database of the tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pushbridge.embedded.services import workers
from tests.pushbridge.server import PROJECT, database_url

NO_BROKER = "redis://127.0.0.1:1/0"
PATIENCE_SECONDS = 60.0


@contextmanager
def working(folder: Path, *, ca_file: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that finds no broker, and may send to this machine. Its log is in the folder."""
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "REDIS_URL": NO_BROKER,
        "PUSHBRIDGE_VAR": str(folder),
        "OUTBOUND_CA_FILE": ca_file,
        "OUTBOUND_NETWORKS": "127.0.0.0/8",
    }
    (service,) = (one for one in workers(environment) if one.name == "worker-default-1")
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            service.command, cwd=PROJECT, env=environment, stdout=log, stderr=log
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(PATIENCE_SECONDS)
