"""Compare with Node: `python -m tests.peers.quiet_hours.compare [--decisions 1000000] [--seed N]`.

Every zone of tzdata, both directions of the clock change, moves between zones while held. Prints
and writes the seed, the versions, what was left out and why, the counts, and every mismatch (the
first hundred in full). Exit code 1 if there is one.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from tests.peers.quiet_hours import running
from tests.peers.quiet_hours.decisions import (
    REACH,
    Decision,
    count_kinds,
    draw,
    instant,
    year_start,
)
from tests.peers.quiet_hours.zone_data import Zone

SHOWN = 100
BATCH = 100_000


def main(argv: Sequence[str]) -> int:
    options = _options(argv)
    started = time.monotonic()
    report = compare(
        count=options.decisions,
        seed=options.seed,
        first=year_start(options.first_year),
        last=year_start(options.last_year + 1),
    )
    report["seconds"] = round(time.monotonic() - started)
    text = json.dumps(report, indent=2, ensure_ascii=False)
    print(text)
    if options.report:
        options.report.write_text(text + "\n")
    return 1 if report["mismatches"] else 0


def compare(*, count: int, seed: int, first: int, last: int) -> dict[str, Any]:
    """Draw, let both sides decide, and report. The zone data reach a little beyond `last`."""
    zones, unknown = running.zones(first=first, last=last + REACH)
    usable = {name: zone for name, zone in zones.items() if has_room(zone, first, last)}
    decided = Counter[str]()
    wrong: list[dict[str, str]] = []
    for decisions in batches(draw(Random(seed), usable, count=count, first=first, last=last)):
        nodes = running.answers(decisions)
        ours = [decision.answer() for decision in decisions]
        decided += count_kinds(zip(decisions, nodes, strict=True), zones)
        wrong += [
            {"decision": decision.line(), "ours": one, "Node's": other}
            for decision, one, other in zip(decisions, ours, nodes, strict=True)
            if one != other
        ]
    return {
        "seed": seed,
        "from": f"{instant(first):%Y-%m-%d}",
        "until": f"{instant(last):%Y-%m-%d}",
        "versions": running.versions(),
        "zones": len(usable),
        "unknown to Node": unknown,
        "other data, left out": left_out(zones, set(usable)),
        "counts": dict(decided),
        "mismatches": len(wrong),
        "first mismatches": wrong[:SHOWN],
    }


def batches(decisions: Iterator[Decision]) -> Iterator[list[Decision]]:
    """A million at once would take more than a gigabyte."""
    while batch := list(islice(decisions, BATCH)):
        yield batch


def has_room(zone: Zone, first: int, last: int) -> bool:
    """Whether the two sides' data agree for at least a tenth of the time."""
    return sum(end - start for start, end in zone.differing) < (last - first) * 9 // 10


def left_out(zones: Mapping[str, Zone], usable: set[str]) -> dict[str, str]:
    """Where the two sides have other data, zone by zone."""
    return {
        name: _spans(zone) + ("" if name in usable else ", so the whole zone")
        for name, zone in sorted(zones.items())
        if zone.differing
    }


def _spans(zone: Zone) -> str:
    start, end = instant(zone.differing[0][0]), instant(zone.differing[-1][1])
    return f"{len(zone.differing)} spans between {start:%Y-%m-%d} and {end:%Y-%m-%d}"


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--first-year", type=int, default=1975)
    parser.add_argument("--last-year", type=int, default=2100)
    parser.add_argument("--report", type=Path, help="also write the report to this file")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
