"""Starting, recognizing and stopping processes; the guinea pigs are small Python programs."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pushbridge.embedded.processes import (
    Record,
    Service,
    free_port,
    group_of,
    record,
    start,
    stop_group,
)

SLEEP = "import time; time.sleep(60)"
STUBBORN = (
    f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); {SLEEP}"
)
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); {SLEEP}"


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Whoever is put in here is dead and buried after the test."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        stop_group(record("guinea pig", process.pid), patience=0.0)
        process.communicate()


def run(program: str, processes: list[subprocess.Popen[bytes]]) -> Record:
    process = start(Service("guinea pig", (sys.executable, "-c", program)), subprocess.PIPE)
    processes.append(process)
    return record("guinea pig", process.pid)


def members(leader: Record, count: int) -> set[int]:
    """The pids of a group, once it has this many members."""
    deadline = time.monotonic() + 10
    while len(group_of(leader)) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    return {process.pid for process in group_of(leader)}


def test_we_are_running() -> None:
    assert record("us", os.getpid()).is_running


def test_a_pid_that_was_given_to_another_process_is_not_the_old_one(
    processes: list[subprocess.Popen[bytes]],
) -> None:
    leader = run(SLEEP, processes)
    old = replace(leader, started_at=leader.started_at - 86_400)

    assert not old.is_running
    assert group_of(old) == []


def test_strangers_in_a_group_whose_number_was_once_ours_are_left_alone(
    processes: list[subprocess.Popen[bytes]],
) -> None:
    strangers = run(PARENT, processes)
    assert len(members(strangers, 2)) == 2
    old = replace(strangers, started_at=strangers.started_at - 86_400, mark="another start")

    assert group_of(old) == []


def test_stopping_reaches_what_the_process_started(
    processes: list[subprocess.Popen[bytes]],
) -> None:
    leader = run(PARENT, processes)
    both = members(leader, 2)

    stop_group(leader, patience=0.2)

    assert len(both) == 2
    assert not any(psutil.pid_exists(pid) for pid in both - {leader.pid})


def test_what_a_killed_process_left_is_found_by_its_group(
    processes: list[subprocess.Popen[bytes]],
) -> None:
    leader = run(PARENT, processes)
    orphans = members(leader, 2) - {leader.pid}
    os.kill(leader.pid, signal.SIGKILL)
    processes[0].wait()

    stop_group(leader, patience=5.0)

    assert len(orphans) == 1
    assert group_of(leader) == []


def test_who_does_not_stop_when_asked_is_killed(processes: list[subprocess.Popen[bytes]]) -> None:
    leader = run(STUBBORN, processes)
    assert processes[0].stdout and processes[0].stdout.readline()  # it ignores SIGTERM from here on

    stop_group(leader, patience=0.1)

    assert not leader.is_running


def test_ctrl_c_in_our_terminal_is_not_theirs(processes: list[subprocess.Popen[bytes]]) -> None:
    leader = run(SLEEP, processes)

    assert os.getpgid(leader.pid) == leader.pid
    assert os.getpgid(leader.pid) != os.getpgid(0)


if sys.platform == "linux":

    def test_a_child_ends_when_we_are_killed(tmp_path: Path) -> None:
        program = (
            "import subprocess, sys, time\n"
            "from pushbridge.embedded.processes import Service, start\n"
            f"child = start(Service('child', (sys.executable, '-c', {SLEEP!r})), 2)\n"
            "print(child.pid, flush=True)\n"
            "time.sleep(60)\n"
        )
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
            assert parent.stdout
            child = psutil.Process(int(parent.stdout.readline()))
            parent.kill()

        child.wait(timeout=10)


def test_a_free_port_is_taken_as_it_is() -> None:
    port = free_port()

    assert free_port(port) == port


def test_instead_of_a_taken_port_the_next_free_one_is_chosen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]

        assert taken < free_port(taken) < taken + 100
