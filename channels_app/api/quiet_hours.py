"""The caller's quiet hours."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import time
from http import HTTPStatus
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import (
    OpenApiExample,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import schedules
from channels_app.api import etags
from channels_app.api.changes import one_change
from channels_app.api.fields import Body
from channels_app.api.views import MemberView
from channels_app.models import QuietWindow
from channels_app.problems import Fault, Problem
from channels_app.quiet_hours import MAXIMUM_WINDOWS, Schedule, Window
from channels_app.schedules import BadSchedule

WALL_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
NIGHTS = {"days": [1, 2, 3, 4, 5, 6, 7], "start": "22:00", "end": "07:00"}
SUNDAY = {"days": [7], "start": "00:00", "end": "00:00"}


@extend_schema_field({"type": "string", "pattern": WALL_TIME, "examples": ["22:00"]})
class WallTimeField(serializers.Field[time, Any, str, Any]):
    """A whole minute by the wall clock, as `HH:MM`."""

    def to_internal_value(self, data: Any) -> time:
        if not isinstance(data, str) or not re.fullmatch(WALL_TIME, data):
            raise serializers.ValidationError("must be a time from 00:00 to 23:59, as HH:MM")
        return time.fromisoformat(data)

    def to_representation(self, value: time) -> str:
        return f"{value:%H:%M}"


class DaysField(serializers.ListField):
    """ISO weekdays, each once."""

    child = serializers.IntegerField(min_value=1, max_value=7)

    def to_internal_value(self, data: Any) -> frozenset[int]:  # type: ignore[override]  # a set
        return frozenset(super().to_internal_value(data))

    def to_representation(self, data: Any) -> list[int]:
        return sorted(data)


class WindowBody(Body):
    days = DaysField(
        allow_empty=False,
        min_length=1,
        help_text="On which it starts, by the wall clock: 1 Monday to 7 Sunday.",
    )
    start = WallTimeField(help_text="The first quiet minute.")
    end = WallTimeField(
        help_text="The first minute after it. If not later than `start`, of the next day: equal to"
        " it, the window is 24 hours long."
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample("Every night", value={"windows": [NIGHTS]}),
        OpenApiExample("Never", value={"windows": []}),
    ]
)
class QuietWindowsBody(Body):
    windows = serializers.ListField(
        child=WindowBody(),
        max_length=MAXIMUM_WINDOWS,
        help_text="They may overlap. Those that touch are one quiet time.",
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Every night, and Sundays",
            value={
                "time_zone": "Europe/Vienna",
                "windows": [NIGHTS, SUNDAY],
                "quiet_now": True,
                "until": "2026-11-24T06:00:00Z",
                "next_change": "2026-11-24T06:00:00Z",
            },
        ),
    ]
)
class QuietHoursBody(QuietWindowsBody):
    time_zone = serializers.CharField(
        read_only=True, help_text="Yours, of all organizations: change it at `/api/v1/me/`."
    )
    quiet_now = serializers.BooleanField(
        read_only=True, help_text="By these windows; snoozes are at `snoozes/`."
    )
    until = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="When it ends, if it is quiet; null: not quiet, or a week that is never free.",
    )
    next_change = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="When it becomes quiet, or is no longer; null: never. Ask again then.",
    )


class QuietHoursView(MemberView[QuietWindow]):
    """`/api/v1/<org>/quiet-hours/`"""

    tag = "Quiet hours"
    serializer_class = QuietHoursBody

    def get(self, request: Request, org: str) -> Response:
        """My quiet hours

        In this organization. What comes in them is kept, and told in one banner when they end: but
        for channels that break through (escalations do, unless you say otherwise at
        `preferences/channels/escalation/`).
        """
        return Response(self._told())

    @extend_schema(request=QuietWindowsBody)
    def put(self, request: Request, org: str) -> Response:
        """Set my quiet hours

        All windows at once, in place of those before; none is an empty list. What is being held
        for you is judged again at once.
        """
        body = QuietHoursBody(data=request.data)
        body.is_valid(raise_exception=True)
        windows = tuple(Window(**window) for window in body.validated_data["windows"])
        with one_change(self.membership):
            etags.check_unchanged(request, self._told())
            try:
                schedules.replace(
                    membership=self.membership,
                    schedule=Schedule(self._time_zone, windows),
                    now=timezone.now(),
                )
            except BadSchedule as error:
                raise Problem(
                    HTTPStatus.BAD_REQUEST,
                    "This body cannot be used.",
                    faults=[Fault(fault.pointer, fault.detail) for fault in error.faults],
                ) from None
        return Response(self._told())

    @property
    def _time_zone(self) -> str:
        return self.person.time_zone or "UTC"

    def _told(self) -> Any:
        schedule = schedules.of(self.membership, time_zone=self._time_zone)
        hush = schedules.at(schedule, now=timezone.now())
        return QuietHoursBody(
            {
                "time_zone": schedule.time_zone,
                "windows": [asdict(window) for window in schedule.windows],
                "quiet_now": hush.quiet,
                "until": hush.until,
                "next_change": hush.next_change,
            }
        ).data
