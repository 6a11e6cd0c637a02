"""One measurement: send webhooks to a system, wait until its pushes are at the gateway, count."""

import datetime
import math
import time
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

from bench.gateway import Arrival, ArrivalReader, Gateway
from bench.load import Sent, send
from bench.processes import cpu_seconds
from bench.webhooks import Door, escalations

POLL_SECONDS = 0.1
# A system that sends nothing for this long has lost what is missing: it is longer than any lease of
# Pushbridge, whose work another worker takes up. Counted in looks at the log, not by the clock: a
# virtual machine may be stopped for a minute, and then nobody was quiet.
QUIET_LOOKS = 400
ACCEPTED = 202


class MeasurementError(Exception):
    """The system refused webhooks: its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class System:
    """A running system: its door, its processes by part, and how it names a conversation's banner.

    `collapse_id` gives the `apns-collapse-id` the system sends for a conversation's id.
    """

    name: str
    door: Door
    processes: Mapping[str, list[int]]
    collapse_id: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked of a system: events of a bot with so many devices, at a rate or at full speed.

    `rate` in events a second; None: as fast as `connections` persistent connections are answered.
    """

    devices: int
    events: int
    rate: float | None = None
    connections: int = 8

    @property
    def bot_id(self) -> str:
        """The seeded bot with this many devices."""
        return f"bot_{self.devices}"


@dataclass(frozen=True, slots=True)
class Measurement:
    """What came of it.

    `seconds` from the first webhook to the last push; `p50_ms` and `p99_ms` from the moment a
    webhook was due to each of its pushes; `cpu` seconds by part of the system.
    """

    events: int
    pushes: int
    missing: int
    duplicates: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu: dict[str, float]

    @property
    def events_per_second(self) -> float:
        """Events whose pushes all arrived count fully; missing pushes count as missing events."""
        return self.pushes_per_second * self.events / (self.pushes + self.missing)

    @property
    def pushes_per_second(self) -> float:
        """Distinct pushes at the gateway, over the whole time."""
        return self.pushes / self.seconds

    @property
    def cpu_microseconds_per_push(self) -> float:
        """All parts of the system together."""
        return sum(self.cpu.values()) / self.pushes * 1e6


def measure(system: System, gateway: Gateway, work: Work, prefix: str) -> Measurement:
    """Do the work and wait for its pushes. `prefix` makes the conversations' ids unique.

    Raises MeasurementError where a webhook was answered with anything but 202.
    """
    now = datetime.datetime.now(datetime.UTC)
    webhooks = escalations(
        system.door, bot_id=work.bot_id, prefix=prefix, count=work.events, now=now
    )
    reader = gateway.reader()
    before = _cpu(system)
    sent = send(
        system.door.port,
        [webhook.request for webhook in webhooks],
        connections=work.connections,
        rate=work.rate,
    )
    if sent.statuses != Counter({ACCEPTED: work.events}):
        raise MeasurementError(f"{system.name} answered {dict(sent.statuses)}")
    keys = [system.collapse_id(webhook.conversation_id) for webhook in webhooks]
    arrivals = _wait_for(reader, set(keys), work.events * work.devices)
    cpu = {part: used - before[part] for part, used in _cpu(system).items()}
    return summarize(keys, sent, arrivals, expected=work.events * work.devices, cpu=cpu)


def summarize(
    keys: Sequence[str],
    sent: Sent,
    arrivals: Sequence[Arrival],
    *,
    expected: int,
    cpu: dict[str, float],
) -> Measurement:
    """Match arrivals with webhooks by collapse id; the first arrival of a push is the one."""
    due_at = dict(zip(keys, sent.due_at, strict=True))
    first: dict[tuple[str, str], float] = {}
    known = [arrival for arrival in arrivals if arrival.collapse_id in due_at]
    for arrival in known:
        first.setdefault((arrival.collapse_id, arrival.path), arrival.at)
    if not first:
        raise MeasurementError(f"none of {expected} pushes arrived")
    waits = sorted(at - due_at[key] for (key, _), at in first.items())
    return Measurement(
        events=len(keys),
        pushes=len(first),
        missing=expected - len(first),
        duplicates=len(known) - len(first),
        seconds=max(first.values()) - sent.due_at[0],
        p50_ms=percentile(waits, 50) * 1000,
        p99_ms=percentile(waits, 99) * 1000,
        cpu=cpu,
    )


def percentile(ascending: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of values in ascending order."""
    return ascending[max(0, math.ceil(len(ascending) * percent / 100) - 1)]


def _cpu(system: System) -> dict[str, float]:
    return {part: cpu_seconds(pids) for part, pids in system.processes.items()}


def _wait_for(reader: ArrivalReader, keys: Container[str], expected: int) -> list[Arrival]:
    arrivals: list[Arrival] = []
    quiet_looks = 0
    while len(arrivals) < expected and quiet_looks < QUIET_LOOKS:
        # Late ones of the work before are nobody's.
        new = [arrival for arrival in reader.new() if arrival.collapse_id in keys]
        arrivals += new
        quiet_looks = 0 if new else quiet_looks + 1
        time.sleep(POLL_SECONDS)
    return arrivals
