"""The drills in small; `python -m bench.drills` plays all of them at full size."""

from __future__ import annotations

import pytest

from bench.drills.drill import Stage, play
from bench.drills.strikes import STRIKES

BY_NAME = {strike.name: strike for strike in STRIKES}
# A machine that does much else at the same time still gets there.
PATIENCE_SECONDS = 180.0


@pytest.mark.parametrize(
    "name", ["all workers killed", "Valkey killed, data deleted", "everything killed"]
)
def test_every_accepted_event_is_on_every_phone_although(stage: Stage, name: str) -> None:
    record = play(
        stage,
        BY_NAME[name],
        events=20,
        rate=10.0,
        prefix=f"test-{name.replace(' ', '_')}",
        patience=PATIENCE_SECONDS,
    )

    assert record.complaints() == []
    assert (len(record.taken), record.expected) == (20, 100)
