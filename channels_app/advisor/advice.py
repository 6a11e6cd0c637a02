"""What advice consists of. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from channels_app.advisor.tallies import Tally

# Advice is work for whoever takes it: below this many banners a week it is not worth it.
WORTH = 20


class Knob(StrEnum):
    """A setting that something is advised about. Those of `routing.Setting` are called as there."""

    TYPE_POLICY = "type_policy"
    """The operators' level for a type, for everyone who has set none."""
    SOURCE_LEVEL = "source_level"
    """Each member's own level for a type from one source."""
    SUBSCRIPTION = "subscription"
    """Each member's own level for all of a source."""
    UNANSWERED_THRESHOLD = "unanswered_threshold"
    TONE_MINIMUM = "tone_minimum"
    STUCK_FACTOR = "stuck_factor"
    """How much longer than found out a step of a workflow may take before it is called stuck."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way to set it, and what that would have saved in the week that was counted."""

    value: str
    """A level; a threshold; of a factor, by how much to multiply the one that is set."""
    banners: int = 0
    """So many would not have been shown at all,"""
    rings: int = 0
    """and so many would not have made a sound, those included."""

    @property
    def saved(self) -> int:
        return max(self.banners, self.rings)


@dataclass(frozen=True, slots=True)
class Advice:
    """A setting that would spare people what they do not open, with what speaks for it."""

    knob: Knob
    type: str
    """The type of event; empty: all of the source."""
    source_id: int | None
    """None: whatever the source."""
    options: tuple[Option, ...]
    """Never empty; the one that saves most comes first."""
    tally: Tally = field(default_factory=Tally)
    count: int = 0
    """Of thresholds: how many escalations or alarms there were,"""
    needless: int = 0
    """and for how many of them nobody was needed."""
    own_banners: int = 0
    """Banners that it leaves, since their readers have set a level of their own."""

    @property
    def saved(self) -> int:
        return max(option.saved for option in self.options)
