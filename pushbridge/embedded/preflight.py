"""What must be so before `up` starts anything: no leftovers, a free port, room on the disk."""

from __future__ import annotations

import errno
import shutil
import socket
from pathlib import Path

from pushbridge.embedded import postgres
from pushbridge.embedded.home import Home, forget_running, read_running
from pushbridge.embedded.processes import Fault, stop_group
from pushbridge.embedded.supervisor import say

LEAST_FREE_BYTES = 100_000_000
LEFTOVER_SECONDS = 10.0
SERVERS = ("postgresql", "valkey")
SCRATCH_PREFIX = "pushbridge-up-"


def stop_leftovers(home: Home) -> None:
    """After a kill -9 of the last `up`: what still runs of it, by pid and start, never by name."""
    before = read_running(home)
    data = home.folder / "postgres"
    found = list(before.processes[1:]) if before else []
    server = postgres.leftover(data)
    if server and server.pid not in {each.pid for each in found}:
        found.append(server)
    for each in found:
        if each.name not in SERVERS:
            stop_group(each, patience=1.0)
    for each in found:
        if each.name in SERVERS:
            stop_group(each, patience=LEFTOVER_SECONDS)
    postgres.leftover(data)  # now that nobody runs, a pid file of theirs must not stand in the way
    if before:
        say("The last run did not end in order; what was left of it has been cleaned up.")
        if Path(before.scratch).name.startswith(SCRATCH_PREFIX):
            shutil.rmtree(before.scratch, ignore_errors=True)
        forget_running(home)


def require_port(host: str, port: int) -> None:
    """Raises Fault that names the port and how to choose another."""
    try:
        with socket.create_server((host, port)):
            return
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = "is taken by another program"
        elif error.errno == errno.EACCES:
            reason = "may not be used by this user"
        else:
            reason = f"cannot be used ({error.strerror})"
    raise Fault(
        f"port {port} on {host} {reason}. Choose another: python3 manage.py up --port {port + 1}"
    )


def require_space(home: Home) -> None:
    """Raises Fault if the disk is all but full: PostgreSQL would stop in the middle of its work."""
    free = shutil.disk_usage(home.folder).free
    if free < LEAST_FREE_BYTES:
        raise Fault(
            f"the disk is full: {home.folder} has {free // 1_000_000} MB left,"
            f" and {LEAST_FREE_BYTES // 1_000_000} MB are the least to start with."
        )
