"""What Pushbridge itself says of a step: an event like the platform's own, stored once."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels_app import events
from channels_app.events import AlreadyReceived

# What such an event names, of `step`, its `run` and the `source` that is its workflow.
NAMED = """
    source.organization_id, source.id, source.external_id, source.name,
    run.external_id, run.subject, run.steps, step.id, step.index, step.name
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A step, its run and its workflow, in the order of `NAMED`."""

    organization_id: int
    workflow_id: int
    workflow: str
    """The platform's id."""
    workflow_name: str
    run: str
    """The platform's id."""
    run_subject: str
    steps: int | None
    step_id: int
    index: int
    name: str


def publish(
    type: str, place: Place, *, since: datetime, step: Mapping[str, Any], now: datetime, **data: Any
) -> None:
    """Say of a step's try, the one that began at `since`, what has not been said of it before.

    Call it in the transaction in which that becomes so. `step` and `data` are what the event says
    beside the names.
    """
    run = {"id": place.run, "subject": place.run_subject}
    content = {
        "workflow": {"id": place.workflow, "name": place.workflow_name},
        "run": run if place.steps is None else {**run, "steps": place.steps},
        "step": {"index": place.index, "name": place.name, **step},
        **data,
    }
    with suppress(AlreadyReceived):
        events.publish(
            organization_id=place.organization_id,
            connection_id=None,
            webhook_id=f"{type}-{place.step_id}-{since.isoformat()}",
            type=type,
            payload={"type": type, "timestamp": now.isoformat(), "data": content},
            occurred_at=now,
            now=now,
            source_id=place.workflow_id,
            subject=place.run,
            facts={} if place.steps is None else {"steps": place.steps},
        )
