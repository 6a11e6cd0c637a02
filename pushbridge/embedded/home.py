"""`var/`: what one running system keeps, and the files by which others find it.

up.lock          held (flock) by the one `up` that runs
processes.json   that `up` and its children, to find them again after a kill -9
kept.json        generated secrets and chosen ports, 0600
env              the settings of the running system, 0600; `pushbridge.settings` reads it
postgres/ valkey/ sandbox/ beat/ log/
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pushbridge.bootstrap import PROJECT
from pushbridge.embedded.processes import Fault, Record


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one running system."""

    folder: Path

    @property
    def logs(self) -> Path:
        return self.folder / "log"

    @property
    def sandbox(self) -> Path:
        return self.folder / "sandbox"

    @property
    def demo_logins(self) -> Path:
        """What `seed_demo` said of whom it made; there once the demo organization is."""
        return self.folder / "demo-logins"


@dataclass(slots=True)
class Kept:
    """What is made up on the first start and kept ever after."""

    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(50))
    database_password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    broker_password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    database_port: int = 0
    broker_port: int = 0
    sandbox_port: int = 8443
    sandbox_page_port: int = 8001


@dataclass(frozen=True, slots=True)
class Running:
    """One `up`: where it serves, who belongs to it (itself first), what it left in /tmp."""

    url: str
    scratch: str
    processes: tuple[Record, ...]


def open_home() -> Home:
    """The folder that PUSHBRIDGE_VAR names, else `var/` in the project; made if it is not there."""
    folder = Path(os.environ.get("PUSHBRIDGE_VAR") or PROJECT / "var").resolve()
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    home = Home(folder)
    home.logs.mkdir(mode=0o700, exist_ok=True)
    (folder / "static").mkdir(exist_ok=True)  # STATIC_ROOT: whitenoise warns where it is missing
    return home


@contextmanager
def only_copy(home: Home) -> Iterator[None]:
    """Hold the folder. Raises Fault that names the copy that does; a killed one holds nothing."""
    lock = os.open(home.folder / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        other = read_running(home)
        where = f" at {other.url} (process {other.processes[0].pid})" if other else ""
        raise Fault(f"it is already running{where} on {home.folder}.") from None
    else:
        yield
    finally:
        os.close(lock)


def read_running(home: Home) -> Running | None:
    """What the last `up` wrote down; None after an orderly end."""
    try:
        content = json.loads((home.folder / "processes.json").read_text())
    except FileNotFoundError:
        return None
    processes = tuple(Record(**each) for each in content["processes"])
    return Running(content["url"], content["scratch"], processes)


def write_running(home: Home, running: Running) -> None:
    _write_private(home.folder / "processes.json", json.dumps(asdict(running), indent=1))


def forget_running(home: Home) -> None:
    (home.folder / "processes.json").unlink(missing_ok=True)


def read_kept(home: Home) -> Kept:
    """What earlier starts chose; on the first one, new secrets."""
    file = home.folder / "kept.json"
    return Kept(**json.loads(file.read_text())) if file.is_file() else Kept()


def write_kept(home: Home, kept: Kept) -> None:
    _write_private(home.folder / "kept.json", json.dumps(asdict(kept), indent=1))


def write_environment(home: Home, environment: Mapping[str, str]) -> None:
    """`var/env`, in the form that django-environ reads."""
    lines = [
        "# Written by `manage.py up` at each start. Real environment variables win over it.",
        *(f'{name}="{value}"' for name, value in environment.items()),
    ]
    _write_private(home.folder / "env", "\n".join(lines) + "\n")


def _write_private(file: Path, text: str) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    unfinished.replace(file)


def last_lines(file: Path, count: int) -> Sequence[str]:
    """The end of a log, for whoever asks why a process does not start."""
    return file.read_text(errors="replace").splitlines()[-count:] if file.is_file() else []
