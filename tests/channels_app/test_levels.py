from __future__ import annotations

from datetime import timedelta

import pytest

from channels_app.levels import Level, time_to_live


@pytest.mark.parametrize(
    ("level", "lives"),
    [
        (Level.CRITICAL, timedelta(minutes=7)),
        (Level.LOUD, timedelta(hours=12)),
        (Level.QUIET, timedelta(hours=24)),
    ],
)
def test_a_critical_push_lives_as_long_as_the_claim_window(level: Level, lives: timedelta) -> None:
    assert time_to_live(level, claim_window=timedelta(minutes=7)) == lives
