"""One process of ours: how it is started, recognized later, and stopped."""

from __future__ import annotations

import ctypes
import errno
import os
import pwd
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

# Two readings of a process's start differ by the jitter of the kernel's idea of boot time.
START_TOLERANCE_SECONDS = 2.0
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
# In the environment of all that we start, and of all that they start: whose they are.
MARK_NAME = "PUSHBRIDGE_STARTED_BY"
MARK = secrets.token_hex(16)


class Fault(Exception):
    """What keeps the system from starting, in a sentence for the person at the keyboard."""


@dataclass(frozen=True, slots=True)
class Service:
    """A process that is to run as long as the system does, and all that is needed to start it."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path("/")
    account: pwd.struct_passwd | None = None  # None: whoever we are
    descriptors: tuple[int, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM


@dataclass(frozen=True, slots=True)
class Record:
    """What is written down of a process, to find it again even if we were killed meanwhile.

    A pid is used again; a pid together with its start is one process for ever.
    """

    name: str
    pid: int
    started_at: float  # seconds since the epoch
    stop_signal: int = signal.SIGTERM
    mark: str = MARK

    @property
    def is_running(self) -> bool:
        started_at = start_time(self.pid)
        return started_at is not None and started_together(started_at, self.started_at)


def start(service: Service, output: IO[bytes] | int) -> subprocess.Popen[bytes]:
    """Start it in a group of its own (Ctrl-C reaches only us), to end when we end."""
    account = service.account
    return subprocess.Popen(
        service.command,
        env={**service.environment, MARK_NAME: MARK},
        cwd=service.folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        pass_fds=service.descriptors,
        start_new_session=True,
        preexec_fn=die_with_parent(service.stop_signal),
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )


def die_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """Linux sends the signal when we die, however we die. Elsewhere the next start cleans up."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def ask_the_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(stop_signal))
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return ask_the_kernel


def free_port(preferred: int = 0, host: str = "127.0.0.1") -> int:
    """The preferred TCP port if it is free, else the next one above; 0: any free one."""
    for port in range(preferred, preferred + 100):
        with socket.socket() as probe:
            # As servers do: the last connections of one that just ended do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            return int(probe.getsockname()[1])
    raise Fault(f"no TCP port from {preferred} to {preferred + 99} is free.")


def record(name: str, pid: int, stop_signal: signal.Signals = signal.SIGTERM) -> Record:
    """Write down a process that surely exists: ourselves, or a child not yet waited for."""
    return Record(name, pid, start_time(pid) or 0.0, stop_signal)


def start_time(pid: int) -> float | None:
    """When the process that has this pid now was started (epoch seconds); None if nobody has it."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None


def started_together(one: float, other: float) -> bool:
    """Whether two start times (seconds) are readings of the same start."""
    return abs(one - other) <= START_TOLERANCE_SECONDS


def group_of(leader: Record) -> list[psutil.Process]:
    """What still runs of a process and of what it started, by group, leader first.

    The leader is known by pid and start. It may be dead, and the group's number taken by strangers
    since: the others are known by the mark in their environment.
    """
    members = [process for process in psutil.process_iter() if _follows(process, leader)]
    return [psutil.Process(leader.pid), *members] if leader.is_running else members


def _follows(process: psutil.Process, leader: Record) -> bool:
    try:
        return (
            process.pid != leader.pid
            and os.getpgid(process.pid) == leader.pid
            and process.environ().get(MARK_NAME) == leader.mark
        )
    except (ProcessLookupError, psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def stop_group(leader: Record, patience: float) -> None:
    """Ask the leader to stop; after `patience` seconds kill whatever is left of its group."""
    members = group_of(leader)
    alive = [process for process in members if process.pid == leader.pid]
    if alive:
        _send(leader.stop_signal, alive)
        psutil.wait_procs(members, timeout=patience)
    remaining = group_of(leader)
    _send(signal.SIGKILL, remaining)
    psutil.wait_procs(remaining, timeout=5.0)


def _send(number: int, processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue
