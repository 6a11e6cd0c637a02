"""The ladder: who is told while a customer waits and nobody claims, and when. Pure.

A ladder is what operators set (`Ladder`), or `DEFAULT`; `rungs` is what comes of it, in order: its
waves, the last of them told again, and the alarm. The first rung is the customer's call itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from channels_app.problems import Fault


class Audience(StrEnum):
    """Whom a wave is for."""

    AWAKE = "awake"
    """The subscribers who may respond, are awake, and have a phone that answers."""
    SUBSCRIBERS = "subscribers"
    """The subscribers who may respond."""
    RESPONDERS = "responders"
    """Everyone who may respond, subscribed or not."""
    ROLE = "role"
    """Those of one role who may respond, subscribed or not."""
    OPERATORS = "operators"
    """The operators of the organization: theirs is an alarm."""


# The first wave is the event of the platform itself, which is routed as every event is.
ROUTED = frozenset({Audience.AWAKE, Audience.SUBSCRIBERS})

# A sweep comes every few seconds, and a person needs some to answer: what rings more often is
# noise. What comes later than a day after the customer's call helps no customer.
SHORTEST_GAP = timedelta(seconds=30)
LONGEST = timedelta(days=1)
MOST_WAVES = 10
MOST_REPEATS = 20
SHORTEST_LEASE = timedelta(minutes=1)
LONGEST_LEASE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Wave:
    """Who is told, how long after the customer began to wait."""

    after: timedelta
    audience: Audience
    role_id: int | None = None


@dataclass(frozen=True, slots=True)
class Ladder:
    """What operators set for a bot.

    Attributes:
        waves: in the order of their times.
        repeats: how often the last wave is told again, each `repeat_every` after the one before.
        alarm: whether the operators are told at the end, one `repeat_every` after the last of all.
        claim_lease: a claim without activity ends after this; None: never.
    """

    waves: tuple[Wave, ...]
    repeats: int = 2
    repeat_every: timedelta = timedelta(minutes=3)
    alarm: bool = True
    claim_lease: timedelta | None = timedelta(minutes=30)


# For bots of organizations that have set nothing.
DEFAULT = Ladder(
    waves=(
        Wave(timedelta(), Audience.SUBSCRIBERS),
        Wave(timedelta(minutes=3), Audience.RESPONDERS),
    )
)


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder: its wave, at its time after the customer began to wait."""

    wave: Wave
    repeated: int = 0
    """How often this wave was told before."""
    alarm: bool = False
    """The end: nobody came."""

    @property
    def after(self) -> timedelta:
        return self.wave.after


def rungs(ladder: Ladder) -> tuple[Rung, ...]:
    """All steps of a ladder, in their order."""
    return tuple(_rungs(ladder))


def _rungs(ladder: Ladder) -> Iterator[Rung]:
    yield from map(Rung, ladder.waves)
    last = ladder.waves[-1]
    for repeated in range(1, ladder.repeats + 1):
        after = last.after + repeated * ladder.repeat_every
        yield Rung(replace(last, after=after), repeated)
    if ladder.alarm:
        after = last.after + (ladder.repeats + 1) * ladder.repeat_every
        yield Rung(Wave(after, Audience.OPERATORS), alarm=True)


def gap(steps: Sequence[Rung], rung: int) -> timedelta | None:
    """How long the climb rests after so many rungs; None: it is at its end.

    After an outage it goes on from the rung that was late: each comes once, none of them at once
    with the next.
    """
    if not 0 < rung < len(steps):
        return None
    return steps[rung].after - steps[rung - 1].after


def following(steps: Sequence[Rung], rung: int, *, unreached: bool = False) -> int | None:
    """The index of the step that comes after so many rungs; None: there is none.

    Args:
        unreached: the last of the rungs reached nobody. To tell the same people again would reach
            nobody again: what repeats it is left out.
    """
    while unreached and 0 < rung < len(steps) and steps[rung].repeated:
        rung += 1
    if rung < len(steps):
        return rung
    # Operators made the ladder shorter meanwhile. Its end is still to come.
    return len(steps) - 1 if steps[-1].alarm else None


def seeks_out(ladder: Ladder, role_ids: Collection[int]) -> bool:
    """Whether a wave tells somebody of these roles who may respond, and does not subscribe."""
    return any(
        wave.audience is Audience.RESPONDERS
        or (wave.audience is Audience.ROLE and wave.role_id in role_ids)
        for wave in ladder.waves
    )


def faults(ladder: Ladder) -> list[Fault]:
    """What is wrong with a ladder, each fault with its place: `/waves/1/after`, `/repeats`."""
    found = list(_wave_faults(ladder.waves))
    if not 0 <= ladder.repeats <= MOST_REPEATS:
        found.append(Fault("/repeats", f"must be at most {MOST_REPEATS}"))
    if not SHORTEST_GAP <= ladder.repeat_every <= LONGEST:
        found.append(Fault("/repeat_every", "must be between 30 seconds and a day"))
    lease = ladder.claim_lease
    if lease is not None and not SHORTEST_LEASE <= lease <= LONGEST_LEASE:
        found.append(Fault("/claim_lease", "must be between a minute and 30 days"))
    return found


def _wave_faults(waves: Sequence[Wave]) -> Iterator[Fault]:
    if not waves:
        yield Fault("/waves", "must have at least one")
        return
    if len(waves) > MOST_WAVES:
        yield Fault("/waves", f"must be at most {MOST_WAVES}")
    order = sorted(range(len(waves)), key=lambda number: waves[number].after)
    first = order[0]
    if waves[first].after != timedelta():
        yield Fault(f"/waves/{first}/after", "must be 0 for the first: it is the customer's call")
    if waves[first].audience not in ROUTED:
        yield Fault(f"/waves/{first}/audience", "must be subscribers, or those awake, at first")
    for earlier, later in zip(order, order[1:], strict=False):
        if waves[later].after - waves[earlier].after < SHORTEST_GAP:
            place = f"/waves/{max(earlier, later)}/after"
            yield Fault(place, "must be 30 seconds or more away from every other")
    for number, wave in enumerate(waves):
        for fault in faults_of_wave(wave):
            yield Fault(f"/waves/{number}{fault.pointer}", fault.detail)


def faults_of_wave(wave: Wave) -> Iterator[Fault]:
    """What is wrong with a wave by itself: at `/after` or `/role`."""
    if wave.after > LONGEST:
        yield Fault("/after", "must be within a day")
    if wave.audience is Audience.ROLE and wave.role_id is None:
        yield Fault("/role", "must be chosen for a wave to a role")
    if wave.audience is not Audience.ROLE and wave.role_id is not None:
        yield Fault("/role", "must be empty unless the wave is to a role")
