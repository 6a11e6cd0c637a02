"""One round: a system on a fresh database, put through every kind of work."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.ground import Contender, Ground
from bench.measuring import Measurement, System, Work, measure
from bench.queries import count_statements

STEADY_RATE = 40.0
STEADY_DEVICES = 10
# By devices of each event. Enough that every process of a system has opened its connections and
# loaded its code before anything counts.
WARM_UP = {1: 60, 100: 10}
# A system may still be writing down answers when the last push is at the gateway.
BOOKS_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is asked of each system: `share` of its events at full speed, the rest alike."""

    rounds: int
    share: float = 1.0
    steady_seconds: float = 10.0
    counted_events: int = 100


@dataclass(frozen=True, slots=True)
class Round:
    """What one system showed; `unaccounted`: pushes at the gateway that it does not know of."""

    one: Measurement
    hundred: Measurement
    steady: Measurement
    statements_per_event: float
    unaccounted: int


def template(contender: Contender) -> str:
    """The database, prepared once, that every round of this system gets a copy of."""
    return f"bench_{contender.name}"


def play(contender: Contender, ground: Ground, plan: Plan, say: Callable[[str], None]) -> Round:
    """Start it on a copy of its prepared database, measure, look into its books, stop it."""
    database = f"{template(contender)}_round"
    ground.servers.empty_broker()
    ground.servers.create_database(database, template=template(contender))
    try:
        with contender.run(database) as system:
            return Trial(contender, system, ground, database, say).run(plan)
    finally:
        ground.servers.drop_database(database)


@dataclass(slots=True)
class Trial:
    """A running system on its database, and how many pushes it has made so far."""

    contender: Contender
    system: System
    ground: Ground
    database: str
    say: Callable[[str], None]
    pushes: int = field(default=0, init=False)

    def run(self, plan: Plan) -> Round:
        """Everything in turn: full speed to 1 and to 100 devices, steady load, counting."""
        for devices, events in WARM_UP.items():
            self.measure(f"warm{devices}", Work(devices, events))
        one = self.at_full_speed(1, plan)
        self.say(f"{one.events_per_second:,.0f} events/s to 1 device")
        hundred = self.at_full_speed(100, plan)
        self.say(f"{hundred.pushes_per_second:,.0f} pushes/s to 100 devices")
        events = int(STEADY_RATE * plan.steady_seconds)
        steady = self.measure("steady", Work(STEADY_DEVICES, events, STEADY_RATE))
        self.say(f"at {STEADY_RATE:.0f} events/s to {STEADY_DEVICES} devices: {_words(steady)}")
        statements = self.statements(plan.counted_events) / plan.counted_events
        self.say(f"{statements:.1f} SQL statements per event")
        return Round(one, hundred, steady, statements, self.unaccounted())

    def at_full_speed(self, devices: int, plan: Plan) -> Measurement:
        """As many events as keep this system busy for some seconds."""
        events = int(self.contender.full_speed_events[devices] * plan.share)
        return self.measure(f"full{devices}", Work(devices, events))

    def statements(self, events: int) -> int:
        """What PostgreSQL is asked during so many events of the steady load."""
        work = Work(STEADY_DEVICES, events, STEADY_RATE)
        return count_statements(
            self.ground.servers, self.database, lambda: self.measure("count", work)
        )

    def measure(self, prefix: str, work: Work) -> Measurement:
        """One measurement, its pushes added to the sum."""
        result = measure(self.system, self.ground.gateway, work, f"{prefix}-")
        self.pushes += result.pushes
        return result

    def unaccounted(self) -> int:
        """The pushes at the gateway less those that the system has written down as accepted."""
        deadline = time.monotonic() + BOOKS_SECONDS
        while True:
            accepted = self.ground.servers.count(self.database, self.contender.accepted)
            if accepted == self.pushes or time.monotonic() > deadline:
                return self.pushes - accepted
            time.sleep(0.2)


def _words(steady: Measurement) -> str:
    return (
        f"p50 {steady.p50_ms:.0f} ms, p99 {steady.p99_ms:.0f} ms,"
        f" {steady.cpu_microseconds_per_push:,.0f} µs of CPU per push"
    )
