"""What went out in a week, and what became of it: the figures that advice is made of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from channels_app.advisor.shares import Judgement, judge
from channels_app.levels import Level

RINGING = frozenset({Level.LOUD, Level.CRITICAL})
ORDER = list(Level)


@dataclass(frozen=True, slots=True)
class Tally:
    """Of one kind. What one person is told of one event counts once, on however many devices."""

    pushed: int = 0
    """What the rules sent to a person's devices,"""
    told: int = 0
    """and what got there: a push service took it for one of them at least."""
    people: int = 0
    """Whom it was told."""
    banners: int = 0
    """The same by device: what push services took."""
    rings: int = 0
    """Of the banners, those with a sound: loud or critical."""
    known: int = 0
    """Of what was told: to people whose app says what becomes of its banners."""
    opened: int = 0
    """Of that: a banner was tapped, or a button of it used."""
    read: int = 0
    """Of that: read in the inbox, one by one or with all others. A weaker sign."""

    @property
    def judgement(self) -> Judgement:
        """Whether it is rarely opened."""
        return judge(self.opened, self.known)


@dataclass(frozen=True, slots=True)
class Group:
    """Banners for which a setting would make the same difference."""

    type: str
    source_id: int | None
    level: Level
    """That of the banners."""
    own: bool
    """Their readers have set a level of their own for this type: no policy changes it."""
    subscription: Level | None
    """What their readers have set for the source as a whole."""
    banners: int


@dataclass(frozen=True, slots=True)
class Line:
    """A type of event from one source: a row of the report."""

    type: str
    source_id: int | None
    events: int
    tally: Tally
    levels: Mapping[Level, int] = field(default_factory=dict)
    """Banners by level, the quietest first."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Everything that was counted, at every grain that something is judged by."""

    total: Tally = Tally()
    of_type: Mapping[str, Tally] = field(default_factory=dict)
    of_source: Mapping[int | None, Tally] = field(default_factory=dict)
    of_both: Mapping[tuple[str, int | None], Tally] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """An escalation, and how the conversation went on."""

    source_id: int
    type: str
    value: float | None
    """What the bot's threshold is about: how many were unanswered in a row, or the tone's score."""
    at: datetime
    claimed: bool
    """Somebody took the conversation, then or later."""
    settled: bool
    """It was resolved, or went back to the bot."""
    opened: bool
    """Somebody opened a banner of it."""
    banners: int

    @property
    def needless(self) -> bool:
        """It came to a good end without anybody so much as looking."""
        return self.settled and not self.claimed and not self.opened


@dataclass(frozen=True, slots=True)
class Alarm:
    """A step that Pushbridge found stuck, and how it went on."""

    source_id: int
    running_seconds: float
    """When the alarm rang."""
    took_seconds: float | None
    """In the end, where it was completed after all."""
    banners: int


def levels_of(groups: Iterable[Group]) -> Mapping[tuple[str, int | None], dict[Level, int]]:
    """Banners by level, the quietest first, of each type and source."""
    counted: dict[tuple[str, int | None], dict[Level, int]] = {}
    for group in sorted(groups, key=lambda group: ORDER.index(group.level)):
        of_both = counted.setdefault((group.type, group.source_id), {})
        of_both[group.level] = of_both.get(group.level, 0) + group.banners
    return counted
