"""What `why` answers with, for whoever shows it. Pure.

All words in it are in the language that was active when it was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from channels_app.levels import Level
from channels_app.routing import Outcome


class NoOutcome(StrEnum):
    """Why nothing was decided of an event for a person."""

    NOT_A_CANDIDATE = "not_a_candidate"
    """Neither subscribes to its source nor may respond to it; of a notice: it is for another."""
    OTHER_ORGANIZATION = "other_organization"
    NOT_ROUTED = "not_routed"
    QUARANTINED = "quarantined"
    TELLS_NOBODY = "tells_nobody"
    UNKNOWN_TYPE = "unknown_type"


class Imagined(StrEnum):
    """What would become of it on a device."""

    WOULD_PUSH = "would_push"
    NOT_ALLOWED = "not_allowed"
    """Its system lets the app show no banners."""
    MUTED = "muted"
    NOT_A_PHONE = "not_a_phone"


class Answered(StrEnum):
    """What became of one question of the ladder."""

    PASSED = "passed"
    DECIDED = "decided"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Rung:
    """One question of the ladder: the first that applies is the outcome."""

    outcomes: tuple[Outcome, ...]
    """What it may come to."""
    question: str
    answered: Answered


@dataclass(frozen=True, slots=True)
class LevelWord:
    """What one setting says about the level; at most two of an answer's have the last word."""

    setting: str
    words: str
    level: Level | None
    """None: it says nothing."""
    decides: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A setting, and where it can be changed."""

    setting: str
    words: str
    """What it is: “the quiet hours of Alice”."""
    advice: str
    """Who changes it, and where: a sentence."""
    admin: str | None
    """The address of its page in the admin, if it has one."""
    api: str | None
    """Its address in the API, for the member themselves; None: operators only."""


@dataclass(frozen=True, slots=True)
class ReceiptReport:
    """What the app said became of a banner."""

    kind: str
    action: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """One try to send, and what came back."""

    number: int
    verdict: str
    status: int | None
    reason: str
    sent_at: datetime
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """What became of it on one device; imagined, or without a delivery: what would, and why."""

    installation_id: UUID | None
    """None: the device is gone."""
    name: str
    state: str
    """That of the delivery, or an `Imagined`."""
    sentence: str
    delivery_id: int | None = None
    attempts: tuple[AttemptReport, ...] = ()
    reason: str = ""
    downgraded: bool = False
    """Critical, but sent below that: the app or the device does not allow critical alerts."""
    created_at: datetime | None = None
    settled_at: datetime | None = None
    milliseconds: int | None = None
    """From when the event came in until the push service accepted it."""
    receipts: tuple[ReceiptReport, ...] = ()


@dataclass(frozen=True, slots=True)
class Holding:
    """That it was kept for later, and what came of that."""

    until: datetime
    released_at: datetime | None
    digest_id: int | None
    """The event whose banner told of it, with others."""
    count: int
    """How many things that banner told of."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Why a person was told of an event as they were, or was not; or would be, or would not."""

    imagined: bool
    """Rehearsed, not recorded."""
    event_id: int | None
    """None: there is no such event."""
    type: str
    data: Mapping[str, Any] | None
    organization: str
    """Its slug."""
    source: str
    source_name: str
    username: str
    person: str
    membership_id: int | None
    """None: they are no member of the event's organization."""
    notification_id: int | None
    at: datetime
    """When it was decided."""
    time_zone: str
    """The person's."""
    outcome: Outcome | NoOutcome
    level: Level | None
    sentence: str
    place: Place | None
    """What decided; None: nothing that anybody could change."""
    ladder: tuple[Rung, ...]
    levels: tuple[LevelWord, ...]
    """The settings of the level as they are now, in the order in which they are asked."""
    devices: tuple[DeviceReport, ...]
    holding: Holding | None = None
    now: Answer | None = None
    """What would be decided now, where that is something else."""
