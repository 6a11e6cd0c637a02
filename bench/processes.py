"""What the benchmark starts, and the CPU time it uses."""

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from pushbridge.embedded.processes import Fault, Service, record, start, stop_group

START_SECONDS = 30.0
PATIENCE_SECONDS = 10.0


@contextmanager
def running(service: Service, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run it, its words in `<folder>/<name>.log`; at the end stop its whole group."""
    with (folder / f"{service.name}.log").open("ab") as log:
        process = start(service, log)
    leader = record(service.name, process.pid, service.stop_signal)
    try:
        yield process
    finally:
        stop_group(leader, patience=PATIENCE_SECONDS)
        process.wait()


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the process takes connections. Raises Fault, with its last words, otherwise."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    words = log.read_text(errors="replace")[-2000:] if log.exists() else "(no log)"
    raise Fault(f"{log.stem} does not take connections:\n{words}")


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time used so far by these processes and all their descendants.

    A child that has ended counts through its parent (PostgreSQL's backends come and go). The
    resolution is the kernel's: 10 ms for each process.
    """
    seconds = 0.0
    for pid in pids:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue  # it ended just now; its parent has its time
            seconds += times.user + times.system + times.children_user + times.children_system
    return seconds
