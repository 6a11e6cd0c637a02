"""Keeps processes running: starts, watches, restarts and stops them, and reads their logs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from pushbridge.embedded.processes import (
    Record,
    Service,
    group_of,
    record,
    start,
    stop_group,
)

ROUND_SECONDS = 0.2
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
# Who lived this long was well: the next pause is the first one again.
WELL_AFTER_SECONDS = 60.0
LARGEST_LOG_BYTES = 20_000_000
LINES_A_ROUND = 5
LONGEST_LINE = 240
WARNING = re.compile(r"\b(warn(ing)?|error|critical|fatal|panic)\b", re.IGNORECASE)


def pause_before_restart(failures: int) -> float:
    """Seconds to wait after this many failures in a row (1, 2, …): doubling, within bounds."""
    doublings = min(failures - 1, 10)  # more would only overflow
    return min(FIRST_PAUSE_SECONDS * 2.0**doublings, LONGEST_PAUSE_SECONDS)


def how_it_ended(code: int) -> str:
    """An exit code of `subprocess`, in words."""
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def shortened(line: str) -> str:
    """As much of a log line as a screen can bear: a traceback in one line may be pages long."""
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]} …"


@dataclass(slots=True)
class Child:
    """A service and its present process, if any."""

    service: Service
    log: Path
    process: subprocess.Popen[bytes] | None = None
    record: Record | None = None
    started: float = 0.0  # monotonic seconds
    due: float = 0.0  # when to start it again, monotonic seconds
    failures: int = 0
    read_bytes: int = 0


@dataclass(slots=True)
class Supervisor:
    """All children of one `up`, in the order of their start."""

    logs: Path
    say: Callable[[str], None]
    changed: Callable[[Sequence[Record]], None]  # told whenever a process is new
    verbose: bool = False
    children: list[Child] = field(default_factory=list)

    def add(self, service: Service) -> subprocess.Popen[bytes]:
        """Start a service and keep it running from now on."""
        log = self.logs / f"{service.name}.log"
        child = Child(service, log, read_bytes=log.stat().st_size if log.exists() else 0)
        self.children.append(child)
        return self._start(child)

    def _start(self, child: Child) -> subprocess.Popen[bytes]:
        with child.log.open("ab") as output:
            process = start(child.service, output)
        child.process, child.started = process, time.monotonic()
        child.record = record(child.service.name, process.pid, child.service.stop_signal)
        self.changed([each.record for each in self.children if each.record])
        return process

    def watch(self) -> None:
        """Look after everybody until an exception (KeyboardInterrupt) ends it.

        Who is here is well: what it grumbled about while starting stays in its log.
        """
        if not self.verbose:
            for child in self.children:
                child.read_bytes = child.log.stat().st_size
        while True:
            self.look()
            time.sleep(ROUND_SECONDS)

    def look(self) -> None:
        """One round: who ended is started again when its pause is over; new log lines are read."""
        for child in self.children:
            if child.process is None:
                if time.monotonic() >= child.due:
                    self._start_again(child)
            elif child.process.poll() is not None:
                self._note_end(child, how_it_ended(child.process.returncode))
            self._read_log(child)

    def _start_again(self, child: Child) -> None:
        try:
            self._start(child)
        except OSError as error:  # the disk is full, or the program is gone
            self._note_end(child, f"cannot be started ({error})")

    def _note_end(self, child: Child, what: str) -> None:
        if child.record:  # what it started itself may have outlived it
            stop_group(child.record, patience=0.0)
        was_well = time.monotonic() - child.started >= WELL_AFTER_SECONDS
        child.failures = 1 if was_well else child.failures + 1
        child.process = child.record = None
        pause = pause_before_restart(child.failures)
        child.due = time.monotonic() + pause
        self.say(f"{child.service.name} {what}; starting it again in {pause:g} s ({child.log})")

    def _read_log(self, child: Child) -> None:
        """Show what is new in its log: warnings, or everything if verbose."""
        if not child.log.exists():
            return
        size = child.log.stat().st_size
        if size > child.read_bytes:
            with child.log.open("rb") as log:
                log.seek(child.read_bytes)
                new = log.read()
            whole, _, _ = new.rpartition(b"\n")
            child.read_bytes += len(whole) + 1 if whole else 0
            self._show(child.service.name, whole.decode(errors="replace").splitlines())
        if size > LARGEST_LOG_BYTES:
            # The child goes on writing at the end of the same file (it is open for appending).
            with suppress(OSError):  # on a full disk rather a shorter log than none
                shutil.copyfile(child.log, child.log.with_suffix(".log.1"))
            os.truncate(child.log, 0)
            child.read_bytes = 0

    def _show(self, name: str, lines: Sequence[str]) -> None:
        shown = [line for line in lines if self.verbose or WARNING.search(line)]
        for line in shown if self.verbose else shown[:LINES_A_ROUND]:
            self.say(f"{name}: {line if self.verbose else shortened(line)}")
        if not self.verbose and len(shown) > LINES_A_ROUND:
            self.say(f"{name}: … {len(shown) - LINES_A_ROUND} more in {self.logs}/{name}.log")

    def stop(self, stages: Sequence[Sequence[str]], patience: float) -> None:
        """Stop the named services stage by stage, whoever is not named last.

        Each stage has `patience` seconds to finish what it is doing; a second Ctrl-C ends that.
        """
        hurry = _Hurry()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, hurry)
        named = {name for stage in stages for name in stage}
        rest = [child.service.name for child in self.children if child.service.name not in named]
        for stage in (*stages, rest):
            chosen = [each for each in self.children if each.service.name in stage]
            self._stop_together(chosen, patience, hurry)

    def _stop_together(self, chosen: Sequence[Child], patience: float, hurry: _Hurry) -> None:
        running = [child for child in chosen if child.process]
        for child in running:
            if child.process and child.process.poll() is None:
                child.process.send_signal(child.service.stop_signal)
        deadline = time.monotonic() + patience
        while any(child.process and child.process.poll() is None for child in running):
            if hurry.asked or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        for child in running:
            if child.record and group_of(child.record):
                stop_group(child.record, patience=0.0)
            if child.process:
                child.process.wait()
            child.process = child.record = None


@dataclass(slots=True)
class _Hurry:
    """A signal handler that remembers that somebody is impatient."""

    asked: bool = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


def say(sentence: str) -> None:
    """A line on the screen; a closed terminal must not end what runs."""
    try:
        print(sentence, flush=True)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for the rest of our life
