"""Record Node's answers anew: `python -m tests.peers.quiet_hours.record`.

They are of years whose clocks are history, or decided, in nearly every zone; a release of tzdata
may still correct one of them. If `test_recorded` then fails, `compare` shows whether the two sides'
data differ there, and a new recording leaves that out.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from random import Random

from tests.peers.quiet_hours import running
from tests.peers.quiet_hours.decisions import REACH, Decision, draw, year_start

SEED = 7
COUNT = 20_000
FIRST, LAST = year_start(1975), year_start(2026)


def main() -> None:
    zones, _ = running.zones(first=FIRST, last=LAST + REACH)
    decisions = list(draw(Random(SEED), zones, count=COUNT, first=FIRST, last=LAST))
    lines = [json.dumps(running.versions())]
    for decision, answer in zip(decisions, running.answers(decisions), strict=True):
        lines.append(f"{decision.line()} = {answer}")
    running.RECORDED.write_bytes(lzma.compress("\n".join(lines).encode("ascii")))


def recorded() -> Iterator[tuple[Decision, str]]:
    """The decisions, each with Node's answer."""
    text = lzma.decompress(running.RECORDED.read_bytes()).decode("ascii")
    for line in text.splitlines()[1:]:
        decision, _, answer = line.partition(" = ")
        yield Decision.from_line(decision), answer


if __name__ == "__main__":
    main()
