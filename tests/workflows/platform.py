"""A platform that reports the runs of one workflow, and whoever follows that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from channels_app import notifications
from channels_app.levels import Lane
from channels_app.models import Event, Notification
from pushbridge.webhooks import connections, intake, messages
from tests.crowds import follower
from tests.factories import ConnectionFactory, PreferenceFactory, WorkflowFactory
from workflows import baselines, finder, moving
from workflows.models import Baseline, Run, Step
from workflows.thresholds import usual

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
RUN_STARTED, RUN_FINISHED = "workflow.run_started", "workflow.run_finished"
STARTED, COMPLETED = "workflow.step_started", "workflow.step_completed"
STUCK, RESUMED = "workflow.step_stuck", "workflow.step_resumed"
LIMIT = 200


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


class Platform:
    """Reports by webhook, in seconds since noon; what it reports is received at that moment."""

    def __init__(self) -> None:
        self._ids = count()
        self.workflow = WorkflowFactory.create(
            external_id="wf_kpi",
            name="Daily KPI digest",
            organization__banners_per_minute=None,
        )
        self.follower = follower(workflow=self.workflow)
        self.connect()

    def connect(self) -> None:
        """From now on by another connection."""
        key = ConnectionFactory.create(organization=self.workflow.organization).pk
        found = connections.read(key, now=AT)
        assert found is not None
        self.connection = found

    def wants(self, type: str) -> None:
        """The follower turns a type on."""
        PreferenceFactory.create(membership=self.follower, event_type=type, level="quiet")

    def report(
        self,
        type: str,
        seconds: float,
        *,
        received: float | None = None,
        webhook_id: str = "",
        run: dict[str, Any] | None = None,
        step: dict[str, Any] | None = None,
        **data: Any,
    ) -> Event:
        """Send an event of run_900 that happened at this second, unless it is told otherwise."""
        now = at(seconds if received is None else received)
        content: dict[str, Any] = {
            "workflow": {"id": self.workflow.external_id, "name": self.workflow.name},
            "run": {"id": "run_900", **(run or {})},
            **({"step": step} if step else {}),
            **data,
        }
        event = {"type": type, "timestamp": at(seconds).isoformat(), "data": content}
        receipt = intake.take(
            messages.parse(event, now=now),
            connection=self.connection,
            webhook_id=webhook_id or f"msg_{next(self._ids)}",
            now=now,
        )
        return Event.objects.get(pk=receipt.event_id)

    def started(self, seconds: float, index: int = 3, **told: Any) -> Event:
        received = told.pop("received", None)
        return self.report(STARTED, seconds, received=received, step={"index": index, **told})

    def completed(self, seconds: float, index: int = 3, **told: Any) -> Event:
        received = told.pop("received", None)
        return self.report(COMPLETED, seconds, received=received, step={"index": index, **told})

    def stuck(self, seconds: float, index: int = 3, running: float = 900, **told: Any) -> Event:
        received = told.pop("received", None)
        step = {"index": index, "running_seconds": running, **told}
        return self.report(STUCK, seconds, received=received, step=step)

    def finished(self, seconds: float, status: str = "success", **told: Any) -> Event:
        return self.report(RUN_FINISHED, seconds, status=status, **told)

    def has_taken(self, *durations: float, step: str = "#3") -> Baseline:
        """The step's history says this."""
        known = usual(durations)
        return Baseline.objects.create(
            workflow=self.workflow,
            step=step,
            durations=list(durations),
            completed=len(durations),
            mean_seconds=known.mean,
            median_seconds=known.median,
            floor_seconds=known.floor,
            threshold_seconds=known.threshold,
            changed_at=AT,
        )


def find(seconds: float) -> int:
    return finder.find(now=at(seconds), limit=LIMIT)


def move(seconds: float) -> int:
    return moving.tell(now=at(seconds), limit=LIMIT)


def learn(seconds: float = 0) -> int:
    return baselines.learn(now=at(seconds), limit=LIMIT)


def route(seconds: float) -> None:
    """Route whatever waits for it."""
    while notifications.route(lane=Lane.DEFAULT, now=at(seconds), limit=100, room=0).events:
        pass


def the_run() -> Run:
    return Run.objects.get(external_id="run_900")


def the_step(index: int = 3) -> Step:
    return Step.objects.get(run__external_id="run_900", index=index)


def said(type: str) -> list[dict[str, Any]]:
    """What events of this type say, in the order in which they were stored."""
    found = Event.objects.filter(type=type).order_by("pk")
    return [event.payload["data"] for event in found]


def told(type: str = "") -> list[tuple[str, str]]:
    """Titles and bodies of what was pushed, in that order."""
    pushed = Notification.objects.filter(outcome="pushed").order_by("pk")
    if type:
        pushed = pushed.filter(event__type=type)
    return list(pushed.values_list("title", "body"))
