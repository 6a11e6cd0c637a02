"""The supervisor, with small Python programs for services."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pushbridge.embedded import supervisor as module
from pushbridge.embedded.processes import Record, Service
from pushbridge.embedded.supervisor import Supervisor, how_it_ended, pause_before_restart

SLEEP = "import time; time.sleep(60)"


class Screen(list[str]):
    """What was said."""

    def __contains__(self, words: object) -> bool:
        return any(str(words) in line for line in self)


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def records() -> list[list[Record]]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, screen: Screen, records: list[list[Record]]) -> Iterator[Supervisor]:
    handlers = {
        number: signal.getsignal(number)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    supervisor = Supervisor(
        logs=tmp_path, say=screen.append, changed=lambda now: records.append(list(now))
    )
    yield supervisor
    supervisor.stop([], patience=0.0)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def program(name: str, text: str) -> Service:
    return Service(name, (sys.executable, "-c", text), dict(os.environ))


def look_until(supervisor: Supervisor, true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        supervisor.look()
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 0.5), (2, 1.0), (3, 2.0), (6, 16.0), (7, 30.0), (5000, 30.0)]
)
def test_pauses_double_up_to_half_a_minute(failures: int, seconds: float) -> None:
    assert pause_before_restart(failures) == seconds


def test_an_end_is_said_in_words() -> None:
    assert how_it_ended(-signal.SIGKILL) == "was killed by SIGKILL"
    assert how_it_ended(3) == "ended with code 3"


def test_who_is_killed_is_started_again_and_it_is_said(
    supervisor: Supervisor, screen: Screen, records: list[list[Record]]
) -> None:
    process = supervisor.add(program("web", SLEEP))

    process.kill()
    look_until(supervisor, lambda: len(records) == 2)

    assert "web was killed by SIGKILL; starting it again in 0.5 s" in screen
    assert records[0][0].pid == process.pid
    assert records[1][0].pid != process.pid
    assert records[1][0].is_running


def test_what_a_dead_service_had_started_is_ended_before_it_is_started_again(
    supervisor: Supervisor, screen: Screen, tmp_path: Path
) -> None:
    parent = (
        "import subprocess, sys, time\n"
        f"print(subprocess.Popen([sys.executable, '-c', {SLEEP!r}]).pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    process = supervisor.add(program("web", parent))
    log = tmp_path / "web.log"
    look_until(supervisor, log.read_text)
    orphan = int(log.read_text())

    process.kill()
    look_until(supervisor, lambda: "starting it again" in screen)

    assert not psutil.pid_exists(orphan)


def test_a_program_that_is_not_there_is_tried_again_with_longer_pauses(
    supervisor: Supervisor, screen: Screen, tmp_path: Path
) -> None:
    executable = tmp_path / "python"
    executable.symlink_to(sys.executable)
    process = supervisor.add(Service("web", (str(executable), "-S", "-c", SLEEP)))
    executable.unlink()

    process.kill()
    look_until(supervisor, lambda: "starting it again in 1 s" in screen)

    assert "web cannot be started" in screen


def test_warnings_of_a_log_are_shown_and_the_rest_is_not(
    supervisor: Supervisor, screen: Screen
) -> None:
    supervisor.add(program("web", f"print('all well\\nlevel=warning tired', flush=True); {SLEEP}"))

    look_until(supervisor, lambda: screen)

    assert screen == ["web: level=warning tired"]


def test_all_of_a_log_is_shown_if_asked(supervisor: Supervisor, screen: Screen) -> None:
    supervisor.verbose = True
    supervisor.add(program("web", f"print('all well', flush=True); {SLEEP}"))

    look_until(supervisor, lambda: "web: all well" in screen)


def test_a_flood_of_warnings_is_counted_and_not_shown(
    supervisor: Supervisor, screen: Screen, tmp_path: Path
) -> None:
    supervisor.add(program("web", SLEEP))
    (tmp_path / "web.log").write_text("error\n" * 1000)

    supervisor.look()

    assert len(screen) == module.LINES_A_ROUND + 1
    assert "995 more in" in screen


def test_a_log_that_has_grown_too_large_is_begun_again(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    supervisor.add(program("web", SLEEP))
    log = tmp_path / "web.log"
    with log.open("wb") as output:
        output.truncate(module.LARGEST_LOG_BYTES + 1)

    supervisor.look()

    assert log.stat().st_size == 0
    assert (tmp_path / "web.log.1").stat().st_size == module.LARGEST_LOG_BYTES + 1


def test_stages_are_stopped_one_after_the_other_and_the_unnamed_last(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    says_goodbye = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit())\n"
        "print('ready', flush=True)\n"
        "try: time.sleep(60)\n"
        "finally: open({path!r}, 'a').write('{name} ')\n"
    )
    order = tmp_path / "order"
    for name in ("database", "web", "worker"):
        supervisor.add(program(name, says_goodbye.format(path=str(order), name=name)))
        look_until(supervisor, (tmp_path / f"{name}.log").read_text)

    supervisor.stop([["worker"], ["web"]], patience=10.0)

    assert order.read_text().split() == ["worker", "web", "database"]


def test_who_does_not_stop_in_time_is_killed(supervisor: Supervisor, tmp_path: Path) -> None:
    stubborn = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    process = supervisor.add(program("web", stubborn))
    look_until(supervisor, (tmp_path / "web.log").read_text)

    supervisor.stop([["web"]], patience=0.2)

    assert not psutil.pid_exists(process.pid)
