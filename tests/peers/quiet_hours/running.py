"""Running the implementation in Node. It needs nothing but Node itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from tests.peers.quiet_hours import zone_data
from tests.peers.quiet_hours.decisions import Decision
from tests.peers.quiet_hours.zone_data import Zone

HERE = Path(__file__).resolve().parent
SCRIPT = HERE / "quiet_hours.mjs"
RECORDED = HERE / "recorded.xz"
# Far above what anything here takes; a stuck Node must not hang the caller.
SECONDS = 1800


def is_possible() -> bool:
    return shutil.which("node") is not None


def versions() -> dict[str, str]:
    """Which Node, ICU and time zone data the other side is, and which data ours."""
    process = json.loads(_output(["node", "-p", "JSON.stringify(process.versions)"]))
    return {
        "node": process["node"],
        "icu": process["icu"],
        "node's tz data": process["tz"],
        "our tz data": (zone_data.TZDATA / "zoneinfo" / "tzdata.zi")
        .read_text(encoding="utf-8")
        .partition("\n")[0]
        .removeprefix("# version "),
    }


def zones(*, first: int, last: int) -> tuple[dict[str, Zone], list[str]]:
    """Every zone that both sides know, between two minutes, and the names that Node does not."""
    ours = zone_data.names()
    known = _run(ours, "zones")
    clocks = map(json.loads, _run(known, "changes", str(first), str(last)))
    found = {
        name: zone_data.zone(
            name, [(minute, offset) for minute, offset in nodes], first=first, last=last
        )
        for name, nodes in zip(known, clocks, strict=True)
    }
    return found, sorted(set(ours) - set(known))


def answers(decisions: Iterable[Decision]) -> list[str]:
    """What Node says to each decision, in order."""
    return _run((decision.line() for decision in decisions), "decide")


def _run(lines: Iterable[str], *task: str) -> list[str]:
    """Raises CalledProcessError, TimeoutExpired."""
    with tempfile.TemporaryFile("w+") as given:
        given.writelines(f"{line}\n" for line in lines)
        given.seek(0)
        command = ["node", str(SCRIPT), *task]
        return _output(command, given).splitlines()


def _output(command: Sequence[str], given: IO[str] | int = subprocess.DEVNULL) -> str:
    done = subprocess.run(
        command, stdin=given, stdout=subprocess.PIPE, text=True, timeout=SECONDS, check=True
    )
    return done.stdout
