"""One drill: events are sent, the strike falls in their middle, and all is counted at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.drills.events import plan
from bench.drills.ledger import Ledger
from bench.drills.phones import Phones
from bench.drills.platform import Door, Platform, Post
from bench.drills.record import Record
from bench.drills.strikes import Scene, Strike
from bench.drills.system import WORKERS, DrillError, System

# So slow are the phones that at any moment many pushes are in flight.
PHONE_SECONDS = 0.3
# What a stopped worker has asked of the database is done within this time.
STILL_SECONDS = 0.3
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Stage:
    """A running system with the drills' organization in it."""

    system: System
    doors: Sequence[Door]
    platforms: Mapping[str, str]
    """By phone of somebody who is to be told, its platform."""
    bystanders: frozenset[str]

    @classmethod
    def set(cls, system: System, *, members: int, bystanders: int) -> Stage:
        """Fill a system that has just started for the first time."""
        seeded = system.seed(members, bystanders)
        doors = [Door(system.url + door["path"], door["secret"]) for door in seeded["doors"]]
        return cls(system, doors, seeded["phones"], frozenset(seeded["bystanders"]))


def play(
    stage: Stage, strike: Strike, *, events: int, rate: float, prefix: str, patience: float
) -> Record:
    """Play one drill, and answer what was seen.

    Args:
        rate: events a second.
        prefix: begins the ids of this drill's events and no others.
        patience: seconds after the strike until what is still open is given up.

    Raises:
        DrillError: the strike could not be made in the middle.
    """
    ledger = Ledger(stage.system.settings["DATABASE_URL"])
    phones = Phones(stage.system.settings["SANDBOX_URL"])
    scene = Scene(stage.system, ledger, phones, stage.platforms)
    posts = [Post(planned) for planned in plan(prefix, events, datetime.now(UTC))]
    platform = Platform(stage.doors, posts, rate)
    phones.start()
    try:
        strike.before(scene)
        phones.fault("all", delay=PHONE_SECONDS)
        platform.start()
        _wait(lambda: platform.taken >= events // 2, patience, "half of the events are not taken")
        with stage.system.frozen(WORKERS):
            time.sleep(STILL_SECONDS)
            in_flight = ledger.leased()
            struck_at = time.time()
            strike.kill(scene)
        strike.ordeal(scene)
        healed_at = time.time() if strike.lasts else struck_at
        settled_at = _settled(platform, ledger, prefix, patience)
        # The name of a dead worker never comes back.
        dead = frozenset(in_flight) - ledger.holders() if strike.senders_die else frozenset()
    finally:
        platform.stop()
        arrivals = phones.stop()
        phones.heal()
    hung = strike.hung(scene)
    return Record(
        name=strike.name,
        posts=posts,
        phones=frozenset(stage.platforms) - hung,
        hung=hung,
        bystanders=stage.bystanders,
        in_flight=in_flight,
        dead=dead,
        repeats=strike.repeats,
        gateway_forgets=strike.gateway_forgets,
        last_look_at=max(at for at in phones.looks if at < struck_at),
        struck_at=struck_at,
        healed_at=healed_at,
        settled_at=settled_at,
        events=ledger.events(prefix),
        outcomes=ledger.outcomes(prefix),
        deliveries=ledger.deliveries(prefix),
        arrivals=arrivals,
        dead_devices=ledger.dead_devices(),
    )


def _wait(done: Callable[[], bool], seconds: float, complaint: str) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise DrillError(complaint)
        time.sleep(LOOK_SECONDS)


def _settled(platform: Platform, ledger: Ledger, prefix: str, patience: float) -> float | None:
    """When nothing was open any more; None if patience ended before."""
    try:
        _wait(
            lambda: platform.is_done and not ledger.open_work(prefix), patience, "still open work"
        )
    except DrillError:
        return None
    return time.time()
