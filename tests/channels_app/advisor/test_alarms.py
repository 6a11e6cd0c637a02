from __future__ import annotations

import pytest

from channels_app.advisor import alarms
from channels_app.advisor.advice import Knob, Option
from channels_app.advisor.tallies import Alarm

LEADS = 1


def alarm(took: float | None, *, running: float = 100.0) -> Alarm:
    return Alarm(LEADS, running_seconds=running, took_seconds=took, banners=3)


@pytest.mark.parametrize(
    ("took", "longer"), [(120.0, "1.25"), (140.0, "1.5"), (200.0, "2")], ids=str
)
def test_steps_that_mostly_went_on_soon_after_were_called_stuck_too_early(
    took: float, longer: str
) -> None:
    (advice,) = alarms.advise([*[alarm(took)] * 8, *[alarm(None)] * 2])

    assert (advice.knob, advice.source_id) == (Knob.STUCK_FACTOR, LEADS)
    assert advice.options == (Option(longer, banners=24, rings=24),)
    assert (advice.count, advice.needless) == (10, 8)


def test_each_alarm_is_measured_by_its_own_step() -> None:
    slow = [alarm(1100.0, running=1000.0)] * 5
    quick = [alarm(11.0, running=10.0)] * 5

    (advice,) = alarms.advise([*slow, *quick])

    assert (advice.options[0].value, advice.needless) == ("1.25", 10)


@pytest.mark.parametrize(
    "heard",
    [
        [alarm(120.0)] * 9,
        [*[alarm(120.0)] * 5, *[alarm(None)] * 5],
        [alarm(201.0)] * 50,
        [alarm(None)] * 50,
    ],
    ids=["too few", "half of them", "much later", "never"],
)
def test_otherwise_the_alarms_are_right(heard: list[Alarm]) -> None:
    assert list(alarms.advise(heard)) == []
