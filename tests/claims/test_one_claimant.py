"""Many taps at the same moment, over HTTP, on the real web server, which dies in the middle.

`python -m bench.claims` is the same at length.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench import claimers, claims_side
from bench.claimers import Answer, Round
from bench.web import serving
from tests.pushbridge.server import database_url

ROUNDS = 6


@pytest.mark.django_db(transaction=True)
def test_each_conversation_has_one_claimant_whom_everybody_is_told(tmp_path: Path) -> None:
    conversations, agents = claims_side.seed(ROUNDS)
    environment = {"DATABASE_URL": database_url(), "API_USER_REQUESTS_PER_MINUTE": "1000000"}

    with serving(environment, tmp_path / "log") as web:
        rounds = claimers.play(conversations, agents, port=web.port, strike=web.strike)

    assert [fault for each in rounds for fault in each.faults()] == []
    winners = {each.conversation: min(each.winners) for each in rounds}
    assert claims_side.check(winners) == []
    assert all(len(each.answers) > claimers.CLAIMERS for each in rounds)


WON = Answer(agent=1, asked_at=1, answered_at=3, status=200, holder=1, claims=True)
LOST = Answer(agent=2, asked_at=2, answered_at=4, status=409, holder=1, claims=True)
LOOKED = Answer(agent=3, asked_at=1, answered_at=2, status=200, holder=None, claims=False)


@pytest.mark.parametrize(
    ("answers", "faults"),
    [
        ([WON, LOST, LOOKED], []),
        ([LOST], ["0 winners"]),
        ([WON, replace(LOST, status=200)], ["2 winners"]),
        ([WON, replace(LOST, status=500)], ["claims were answered [200, 500]"]),
        ([WON, replace(LOST, holder=2)], ["an answer names somebody else than the winner"]),
        (
            [WON, replace(LOST, asked_at=0, answered_at=0.5)],
            ["somebody lost before the winner asked"],
        ),
        (
            [WON, replace(LOOKED, asked_at=3.5, answered_at=4)],
            ["somebody saw it free after somebody saw it claimed"],
        ),
    ],
)
def test_what_must_not_be_is_found(answers: list[Answer], faults: list[str]) -> None:
    assert list(Round("conv_1", answers).faults()) == faults
