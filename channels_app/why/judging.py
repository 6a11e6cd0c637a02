"""An event judged for one person, as if it came at some moment. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from channels_app import verdicts
from channels_app.cases import Case
from channels_app.routing import Candidate, Decision, Occasion


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision, and all that it was made from."""

    occasion: Occasion
    candidate: Candidate
    decision: Decision


def judge(case: Case, *, membership_id: int, at: datetime) -> Judgement | None:
    """By the rules as they are set now; None: they are no candidate.

    It supposes that there is room on their devices: how crowded those are changes by the second.
    """
    found, people = verdicts.judge([case], now=at, members={membership_id}, crowded=False)
    if not found:
        return None
    return Judgement(
        occasion=verdicts.occasion(case, people, at=at),
        candidate=found[0].candidate,
        decision=found[0].decision,
    )


def judge_everyone(case: Case, *, at: datetime) -> list[Judgement]:
    """As `judge`, for everyone whom the event concerns."""
    found, people = verdicts.judge([case], now=at, crowded=False)
    what = verdicts.occasion(case, people, at=at)
    return [Judgement(what, verdict.candidate, verdict.decision) for verdict in found]
