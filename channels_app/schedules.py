"""Schedules: the quiet hours of a member, as they set them. The rules are in `quiet_hours`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from channels_app import holds, memberships, quiet_hours
from channels_app.models import Membership, QuietWindow
from channels_app.quiet_hours import LOOK_AHEAD, Fault, Schedule, Window


class BadSchedule(Exception):
    """It cannot be kept. `faults` says where and why."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(faults)
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Hush:
    """How a schedule stands at a moment."""

    quiet: bool
    until: datetime | None = None
    """When it ends, if it is quiet; None: a week that is never free."""
    next_change: datetime | None = None
    """When it becomes quiet, or is no longer; None: never."""


def of(membership: Membership, *, time_zone: str) -> Schedule:
    """What a member has set, in the order in which they did. The zone is the person's own."""
    windows = QuietWindow.objects.filter(membership=membership.pk).order_by("pk")
    return Schedule(
        time_zone,
        tuple(Window(frozenset(row.days), row.start, row.end) for row in windows),
    )


def replace(*, membership: Membership, schedule: Schedule, now: datetime) -> None:
    """Set all windows of a member, in place of those before, and judge what is held by them.

    One change at a time: of two at once, the windows of one are there afterwards.

    Raises:
        BadSchedule
    """
    if faults := quiet_hours.errors(schedule):
        raise BadSchedule(faults)
    with transaction.atomic():
        # Two that find nothing to delete would otherwise both add theirs.
        memberships.lock(membership)
        QuietWindow.objects.filter(membership=membership.pk).delete()
        QuietWindow.objects.bulk_create(_rows(membership, schedule.windows))
        holds.reconsider(membership_ids=[membership.pk], now=now)


def at(schedule: Schedule, *, now: datetime) -> Hush:
    """Whether it is quiet, and when that changes."""
    until = quiet_hours.quiet_until(schedule, at=now)
    if until is None:
        return Hush(quiet=False, next_change=quiet_hours.quiet_from(schedule, at=now))
    # The look-ahead, in whole minutes, is the answer for a week that is never free.
    end = until if until < (now + LOOK_AHEAD).replace(second=0, microsecond=0) else None
    return Hush(quiet=True, until=end, next_change=end)


def _rows(membership: Membership, windows: Iterable[Window]) -> list[QuietWindow]:
    return [
        QuietWindow(
            membership=membership, days=sorted(window.days), start=window.start, end=window.end
        )
        for window in windows
    ]
