"""We decide as Node did; its answers are recorded in `recorded.xz`."""

from __future__ import annotations

from tests.peers.quiet_hours.record import COUNT, recorded


def test_every_recorded_decision_ends_in_the_minute_that_node_says() -> None:
    wrong = [
        (decision.line(), decision.answer(), answer)
        for decision, answer in recorded()
        if decision.answer() != answer
    ]

    assert wrong == []


def test_the_recording_is_whole_and_meets_every_zone() -> None:
    decisions = [decision for decision, _ in recorded()]

    assert len(decisions) == COUNT
    assert len({decision.schedule.time_zone for decision in decisions}) > 590
    assert sum(answer != "- -" for _, answer in recorded()) > COUNT * 2 // 5
