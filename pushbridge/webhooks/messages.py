"""From JSON to a message of the catalogue, or to plain sentences about what is wrong. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

from channels_app.event_types import CATALOGUE, EventType
from channels_app.problems import Fault
from channels_app.shape_faults import shape_faults

MAX_TYPE_LENGTH = 128
# A clock that is a little ahead is normal; one that is a day ahead is a fault worth hearing of.
MAX_AHEAD = timedelta(days=1)

_TYPE = re.compile(rf"[\x21-\x7e]{{1,{MAX_TYPE_LENGTH}}}")
# RFC 3339, section 5.6. Seconds may be 60: a leap second.
_TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


class Malformed(ValueError):
    """Not `{"type", "timestamp", "data"}` at all."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


class Invalid(Malformed):
    """A type that we know, with fields that we cannot use."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the platform, checked.

    `row` is None for a type that the catalogue does not name. `occurred_at` never lies ahead of our
    clock: the last word is the platform's timestamp, and must not be won by a clock that is wrong.
    """

    type: str
    row: EventType | None
    occurred_at: datetime
    data: Mapping[str, Any]
    payload: Mapping[str, Any]


def parse(payload: Any, *, now: datetime) -> Message:
    """The message that this JSON is.

    Raises:
        Malformed: it is not of the shape that every message has.
        Invalid: its type is known, and its fields or its time cannot be right.
    """
    if not isinstance(payload, dict):
        raise Malformed([Fault("", "must be an object with type, timestamp and data")])
    name, timestamp, data = payload.get("type"), payload.get("timestamp"), payload.get("data")
    said_at = read_timestamp(timestamp) if isinstance(timestamp, str) else None
    if not _is_type(name) or said_at is None or not isinstance(data, dict):
        raise Malformed(_envelope_faults(payload, said_at))
    row = CATALOGUE.get(name)
    faults = shape_faults(row, data) if row is not None else []
    if said_at > now + MAX_AHEAD:
        faults.append(Fault("/timestamp", "lies more than a day ahead of our clock"))
    if faults:
        raise Invalid(faults)
    return Message(name, row, min(said_at, now), data, payload)


def read_timestamp(text: str) -> datetime | None:
    """The instant of an RFC 3339 timestamp, in UTC; None if it is not one."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    date, minute, second, fraction, offset = match.groups(default="")
    leap = second == "60"
    try:
        moment = datetime.fromisoformat(
            f"{date}T{minute}:{'59' if leap else second}{fraction}{offset.upper()}"
        ).astimezone(UTC)
        return moment + timedelta(seconds=1) if leap else moment
    except (ValueError, OverflowError):
        return None


def _is_type(name: Any) -> TypeGuard[str]:
    return isinstance(name, str) and _TYPE.fullmatch(name) is not None


def _envelope_faults(payload: dict[str, Any], said_at: datetime | None) -> list[Fault]:
    faults = [
        Fault(f"/{key}", "is required")
        for key in ("type", "timestamp", "data")
        if key not in payload
    ]
    if "type" in payload and not _is_type(payload["type"]):
        faults.append(Fault("/type", f"must be 1 to {MAX_TYPE_LENGTH} visible ASCII characters"))
    if "timestamp" in payload and said_at is None:
        faults.append(Fault("/timestamp", "must be an RFC 3339 time, such as 2026-11-23T09:15:00Z"))
    if "data" in payload and not isinstance(payload["data"], dict):
        faults.append(Fault("/data", "must be an object"))
    return faults
