"""Plays the drills at full size and prints what each cost.

`.venv/bin/python -m bench.drills [--events 200] [--members 25] [part of a name …]`
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.drills.drill import Stage, play
from bench.drills.record import Record
from bench.drills.strikes import STRIKES, Strike
from bench.drills.system import System
from pushbridge.embedded.processes import free_port

HEAD = (
    f"{'what happened':<32} {'events':>6} {'banners':>8} {'seen':>6} {'twice':>5} {'in flight':>9}"
    f" {'lost':>5} {'settled s':>9} {'slowest s':>9}"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if every promise was kept in every drill."""
    options = _parser().parse_args(arguments)
    chosen = [strike for strike in STRIKES if _is_chosen(strike, options.names)]
    with tempfile.TemporaryDirectory(prefix="pushbridge-drill-") as folder:
        Path(folder).chmod(0o711)
        system = System(Path(folder) / "var", free_port(8600))
        system.folder.mkdir(mode=0o711)
        try:
            system.start()
            stage = Stage.set(system, members=options.members, bystanders=options.bystanders)
            return _play_all(stage, chosen, options)
        finally:
            system.stop()


def _play_all(stage: Stage, strikes: Sequence[Strike], options: argparse.Namespace) -> int:
    print(HEAD, flush=True)
    broken = 0
    for number, strike in enumerate(strikes):
        record = play(
            stage,
            strike,
            events=options.events,
            rate=options.rate,
            prefix=f"{strike.name.split()[0].lower()}-{number}-{time.time():.0f}",
            patience=options.patience,
        )
        complaints = record.complaints()
        print(row(record), flush=True)
        print(f"    attempts: {dict(record.verdicts)}", flush=True)
        for complaint in complaints:
            print(f"    BROKEN: {complaint}", flush=True)
        broken += bool(complaints)
    return 1 if broken else 0


def row(record: Record) -> str:
    """A line of the table."""
    forgotten = f" ({record.forgotten} forgotten by the gateway)" if record.forgotten else ""
    settled = (
        "never" if record.settled_at is None else f"{record.settled_at - record.healed_at:.1f}"
    )
    return (
        f"{record.name:<32} {len(record.taken):>6} {record.expected:>8}"
        f" {record.expected - record.missing:>6} {record.repeated:>5}"
        f" {record.in_flight.total():>9} {record.lost_leases:>5} {settled:>9}"
        f" {record.slowest_seconds:>9.1f}{forgotten}"
    )


def _is_chosen(strike: Strike, names: Sequence[str]) -> bool:
    return not names or any(name.lower() in strike.name.lower() for name in names)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.drills", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of the drills to play")
    parser.add_argument("--events", type=int, default=200)
    # More, to 25 phones each, than a sandbox on two cores takes: that would be another drill.
    parser.add_argument("--rate", type=float, default=12.0, help="events a second")
    parser.add_argument("--members", type=int, default=25, help="with a phone each")
    parser.add_argument("--bystanders", type=int, default=2, help="who must not be told")
    parser.add_argument("--patience", type=float, default=240.0, help="seconds after the strike")
    return parser


if __name__ == "__main__":
    sys.exit(main())
