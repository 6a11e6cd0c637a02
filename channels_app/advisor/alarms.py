"""Advice about stuck alarms: a workflow whose steps mostly go on soon after is called stuck too
early. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from channels_app.advisor.advice import Advice, Knob, Option
from channels_app.advisor.tallies import Alarm

STUCK = "workflow.step_stuck"
# Below this nothing is said: it may have been a bad day.
ENOUGH = 10
# What is worth to wait longer for. Beyond twice as long nobody is served by an alarm.
LONGER = (1.25, 1.5, 2.0)
MOSTLY = 0.5


def advise(alarms: Iterable[Alarm]) -> Iterator[Advice]:
    """How much longer to wait, by workflow: the least that would have spared most of the alarms."""
    of_workflows: dict[int, list[Alarm]] = {}
    for alarm in alarms:
        of_workflows.setdefault(alarm.source_id, []).append(alarm)
    for source_id, of_workflow in of_workflows.items():
        if len(of_workflow) < ENOUGH:
            continue
        for longer in LONGER:
            spared = [alarm for alarm in of_workflow if _is_over(alarm, longer)]
            if len(spared) > MOSTLY * len(of_workflow):
                yield _advice(source_id, longer, spared, of_workflow)
                break


def _is_over(alarm: Alarm, longer: float) -> bool:
    """Whether the step would have been completed before a later alarm."""
    if alarm.took_seconds is None:
        return False
    return alarm.took_seconds <= alarm.running_seconds * longer


def _advice(
    source_id: int, longer: float, spared: Sequence[Alarm], alarms: Sequence[Alarm]
) -> Advice:
    banners = sum(alarm.banners for alarm in spared)
    return Advice(
        knob=Knob.STUCK_FACTOR,
        type=STUCK,
        source_id=source_id,
        options=(Option(value=f"{longer:g}", banners=banners, rings=banners),),
        count=len(alarms),
        needless=len(spared),
    )
