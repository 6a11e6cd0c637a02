"""How loud a type of event really is for a member, and which setting makes it so. Pure.

The answer is that of `routing.decide` itself, for an event that nothing but a setting can keep from
them: it is above every threshold, comes at a moment that is not quiet, and finds a phone.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from channels_app.event_types import EventType
from channels_app.levels import Level
from channels_app.routing import Candidate, Device, Occasion, Outcome, Policy, decide

_NO_QUIET_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
_WORST: Mapping[str, Any] = {"consecutive_unanswered": sys.maxsize, "score": 1.0}
_FAILURE: Mapping[str, Any] = {**_WORST, "status": "failure"}
_PHONE = Device(installation_id=UUID(int=0), critical_sounds=True)


@dataclass(frozen=True, slots=True)
class Words:
    """What a member has set, and may do, as far as it bears on the level of a type of event."""

    of_type: Level | None = None
    of_source: Level | None = None
    """For the type, from the source that is asked about."""
    of_subscription: Level | None = None
    """For that source as a whole."""
    permitted: bool = True
    """They may respond to the customers of that source."""


@dataclass(frozen=True, slots=True)
class EffectiveLevel:
    """A level, and the setting that had the last word (a `routing.Setting`).

    `outcome` is `pushed`, or why nothing of it reaches them: the level is `off` then.
    """

    level: Level
    decided_by: str
    outcome: Outcome


def usual_level(row: EventType, *, policy: Policy, words: Words) -> EffectiveLevel:
    """The level of an event of this type for a subscriber of what sends it."""
    return _rehearse(row, _WORST, policy=policy, words=words)


def failure_level(row: EventType, *, policy: Policy, words: Words) -> EffectiveLevel | None:
    """The same where it tells of a failure; None for a type in which that makes no difference."""
    if row.failure_level is None:
        return None
    return _rehearse(row, _FAILURE, policy=policy, words=words)


def _rehearse(
    row: EventType, data: Mapping[str, Any], *, policy: Policy, words: Words
) -> EffectiveLevel:
    decision = decide(
        Occasion(row=row, data=data, at=_NO_QUIET_MOMENT, policy=policy),
        Candidate(
            membership_id=0,
            external_id="",
            active=True,
            permitted=words.permitted,
            subscribed=True,
            type_level=words.of_type,
            source_level=words.of_source,
            subscription_level=words.of_subscription,
            devices=(_PHONE,),
        ),
    )
    pushed = decision.outcome is Outcome.PUSHED
    return EffectiveLevel(
        level=decision.level if pushed else Level.OFF,
        decided_by=decision.decided_by,
        outcome=decision.outcome,
    )
