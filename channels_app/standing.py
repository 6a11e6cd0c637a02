"""How things stand now: whether an event has been overtaken by what happened since.

Conversations and runs belong to the apps above this one. `settings.STANDING` names, for each kind
of subject, the function of theirs that knows how its own things stand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, cast

from django.conf import settings
from django.utils.module_loading import import_string

from channels_app.event_types import EVENT_TYPES, Subject


@dataclass(frozen=True, slots=True)
class Report:
    """An event, as far as it matters for how things stand."""

    event_id: int
    type: str
    organization_id: int
    source_id: int | None
    subject: str
    occurred_at: datetime
    step: str = ""
    """The index of the run's step, where it is about one."""
    facts: Mapping[str, Any] = field(default_factory=dict)


# For each of these events that has been overtaken, by which state (`routing.OVERTAKEN`). By a
# constant number of queries.
Overtaken = Callable[[Sequence[Report]], Mapping[int, str]]


def overtaken(reports: Iterable[Report]) -> dict[int, str]:
    """The state of what is past its event, by event; who is not in it is as the event says."""
    by_subject: dict[Subject, list[Report]] = defaultdict(list)
    for report in reports:
        row = EVENT_TYPES.get(report.type)
        if row is not None and row.subject.value in settings.STANDING:
            by_subject[row.subject].append(report)
    states: dict[int, str] = {}
    for subject, found in by_subject.items():
        states.update(_of(subject)(found))
    return states


@cache
def _of(subject: Subject) -> Overtaken:
    return cast(Overtaken, import_string(settings.STANDING[subject.value]))
