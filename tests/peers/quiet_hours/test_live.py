"""We decide as the Node of this machine does, for the years that members live in."""

from __future__ import annotations

from tests.peers.quiet_hours.compare import compare
from tests.peers.quiet_hours.decisions import year_start


def test_node_agrees_on_two_thousand_decisions_over_all_zones() -> None:
    report = compare(count=2_000, seed=3, first=year_start(2025), last=year_start(2028))

    assert report["first mismatches"] == []
    assert report["counts"]["decisions"] == 2_000
    assert report["zones"] > 590
