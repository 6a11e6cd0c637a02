"""`manage.py test`: pytest on a PostgreSQL and a Valkey that live as long as it runs."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from pushbridge.bootstrap import PROJECT
from pushbridge.embedded import postgres, valkey
from pushbridge.embedded.processes import (
    Fault,
    Record,
    Service,
    die_with_parent,
    free_port,
    record,
    start,
    stop_group,
)
from pushbridge.embedded.scratch import scratch_folder, scratch_parents

PREFIX = "pushbridge-test-"
OWNER = "owner.json"


def main(arguments: Sequence[str]) -> int:
    """Run pytest with these arguments; its last line and its exit code are ours."""
    try:
        remove_leftovers()
        with temporary_servers() as environment:
            return _run_pytest(arguments, {**os.environ, **environment})
    except Fault as fault:
        print(f"pushbridge: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


@contextmanager
def temporary_servers() -> Iterator[dict[str, str]]:
    """Environment variables for a system of its own, with what the caller's do not already name."""
    running: list[Record] = []
    with scratch_folder(PREFIX) as folder, ExitStack() as cleanup:
        _write_down(folder, running)
        (folder / "var" / "static").mkdir(parents=True)  # STATIC_ROOT, as `up` makes it
        environment = {
            "PUSHBRIDGE_VAR": str(folder / "var"),
            "SECRET_KEY": secrets.token_urlsafe(50),
        }
        if not os.environ.get("DATABASE_URL"):
            environment["DATABASE_URL"] = _temporary_postgres(folder, running, cleanup)
        if not os.environ.get("REDIS_URL"):
            environment["REDIS_URL"] = _temporary_valkey(folder, running, cleanup)
        yield environment


def _temporary_postgres(folder: Path, running: list[Record], cleanup: ExitStack) -> str:
    data = folder / "postgres"
    account = postgres.account_for(data, PROJECT)
    cluster = postgres.Cluster(
        data=data,
        installation=postgres.reachable_installation(postgres.installation(), account, folder),
        password=secrets.token_urlsafe(24),
        port=free_port(),
        account=account,
        durable=False,
    )
    postgres.initialize(cluster)
    process = _start(postgres.service(cluster), folder, running, cleanup)
    postgres.wait_until_ready(cluster, process)
    return cluster.url()


def _temporary_valkey(folder: Path, running: list[Record], cleanup: ExitStack) -> str:
    broker = valkey.Broker(
        folder=folder / "valkey",
        port=free_port(),
        password=secrets.token_urlsafe(24),
        durable=False,
    )
    process = _start(valkey.service(broker), folder, running, cleanup)
    valkey.wait_until_ready(broker, process)
    return broker.url


def _start(
    service: Service, folder: Path, running: list[Record], cleanup: ExitStack
) -> subprocess.Popen[bytes]:
    with (folder / f"{service.name}.log").open("ab") as log:
        process = start(service, log)
    running.append(record(service.name, process.pid, service.stop_signal))
    _write_down(folder, running)
    cleanup.callback(process.wait)
    cleanup.callback(stop_group, running[-1], patience=5.0)
    return process


def _write_down(folder: Path, running: Sequence[Record]) -> None:
    """Who is to be stopped should we be killed, and who we are; for `remove_leftovers`."""
    ourselves = record("test", os.getpid())
    (folder / OWNER).write_text(json.dumps([asdict(each) for each in (ourselves, *running)]))


def remove_leftovers() -> None:
    """Stop the servers and remove the folders of test runs of ours that were killed."""
    for folder in (each for parent in scratch_parents() for each in parent.glob(f"{PREFIX}*")):
        if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
            continue
        try:
            owner, *servers = [Record(**each) for each in json.loads((folder / OWNER).read_text())]
        except (FileNotFoundError, ValueError):  # being made at this moment
            continue
        if owner.is_running:
            continue
        for server in servers:
            stop_group(server, patience=5.0)
        shutil.rmtree(folder, ignore_errors=True)


def _run_pytest(arguments: Sequence[str], environment: dict[str, str]) -> int:
    """pytest gets Ctrl-C from the terminal itself; what only we are sent, we pass on."""
    here = Path.cwd()
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments],
        env=environment,
        cwd=here if here.is_relative_to(PROJECT) else PROJECT,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )

    def pass_on(number: int, frame: FrameType | None) -> None:
        process.send_signal(number)

    signal.signal(signal.SIGINT, lambda number, frame: None)
    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGHUP, pass_on)
    code = process.wait()
    return code if code >= 0 else 128 - code  # killed by a signal: as a shell says it
