"""What one drill saw, and what is wrong with it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench.drills.ledger import DeliveryRow
from bench.drills.phones import Arrival
from bench.drills.platform import Post


@dataclass(slots=True)
class Record:
    """Everything there is to judge by. Times are epoch seconds."""

    name: str
    posts: Sequence[Post]
    phones: frozenset[str]
    """Of those who are to be told, without the ones that hang."""
    hung: frozenset[str]
    bystanders: frozenset[str]
    in_flight: Counter[str]
    """By worker, the deliveries that it had in hand at the moment of the strike."""
    dead: frozenset[str]
    """The workers that died."""
    repeats: bool
    gateway_forgets: bool
    last_look_at: float
    """When we looked at the phones last before the strike."""
    struck_at: float
    healed_at: float
    settled_at: float | None
    """None: something was still open when patience ended."""
    events: Sequence[tuple[str, int, str]]
    outcomes: dict[tuple[int, str], int]
    deliveries: Sequence[DeliveryRow]
    arrivals: Sequence[Arrival]
    dead_devices: int
    _came: Counter[tuple[int, str]] = field(init=False, default_factory=Counter)

    def __post_init__(self) -> None:
        self._came.update((arrival.event_id, arrival.phone_id) for arrival in self.arrivals)

    @property
    def taken(self) -> list[Post]:
        """The events that were answered 2xx."""
        return [post for post in self.posts if post.taken_at]

    @property
    def expected(self) -> int:
        """Banners that must be seen: every event that was taken, on every phone."""
        return len(self.taken) * len(self.phones)

    @property
    def missing(self) -> int:
        """Banners that must be there and were not seen."""
        return sum(
            not self._came[post.event_id, phone] for post in self.taken for phone in self.phones
        )

    @property
    def forgotten(self) -> int:
        """Deliveries that the gateway accepted between our last look and its death."""
        if not self.gateway_forgets:
            return 0
        seen = {arrival.notification_id for arrival in self.arrivals}
        return sum(
            0 < row.sent_at < self.struck_at
            and row.accepted_at >= self.last_look_at
            and row.notification_id not in seen
            for row in self.deliveries
        )

    @property
    def repeated(self) -> int:
        """How many pushes came although the same delivery had come before."""
        deliveries = {(arrival.notification_id, arrival.phone_id) for arrival in self.arrivals}
        return len(self.arrivals) - len(deliveries)

    @property
    def verdicts(self) -> Counter[str]:
        """How many attempts ended how."""
        return Counter(verdict for row in self.deliveries for verdict in row.verdicts)

    @property
    def lost_leases(self) -> int:
        """Attempts that ended with their sender."""
        return self.verdicts["lost"]

    @property
    def slowest_seconds(self) -> float:
        """From the answer to a webhook to the first arrival on its last phone."""
        taken_at = {post.event_id: post.taken_at for post in self.taken}
        first: dict[tuple[int, str], float] = {}
        for arrival in self.arrivals:
            key = (arrival.event_id, arrival.phone_id)
            first[key] = min(arrival.received_at, first.get(key, arrival.received_at))
        waits = [at - taken_at[event] for (event, _), at in first.items() if event in taken_at]
        return max(waits, default=0.0)

    def complaints(self) -> list[str]:
        """Every promise that was broken, in a sentence each."""
        return [*self._of_events(), *self._of_banners(), *self._of_deliveries()]

    def _of_events(self) -> Iterator[str]:
        if refused := [post.status for post in self.posts if not post.taken_at]:
            yield f"{len(refused)} events were not taken: {Counter(refused)}"
        stored = Counter(name for name, _, _ in self.events)
        ids = {name: pk for name, pk, _ in self.events}
        for post in self.taken:
            name = post.planned.webhook_id
            if stored[name] != 1 or ids[name] != post.event_id:
                yield f"{name} was answered {post.event_id} and is stored {stored[name]} times"
        for name, _, state in self.events:
            if state != "routed":
                yield f"{name} is {state}"
        told = len(self.phones) + len(self.hung)
        for post in self.taken:
            outcomes = {
                outcome: count
                for (pk, outcome), count in self.outcomes.items()
                if pk == post.event_id
            }
            if outcomes != {"pushed": told}:
                yield f"{post.planned.webhook_id} has the outcomes {outcomes} for {told} people"

    def _of_banners(self) -> Iterator[str]:
        if self.missing > self.forgotten:
            yield f"{self.missing} banners are missing ({self.forgotten} the gateway forgot)"
        if strangers := self.bystanders & {arrival.phone_id for arrival in self.arrivals}:
            yield f"bystanders were told: {sorted(strangers)}"
        allowed = self.in_flight.total() if self.repeats else 0
        if self.repeated > allowed:
            yield f"{self.repeated} banners came twice, {allowed} were in flight"
        if self.dead_devices:
            yield f"{self.dead_devices} devices were taken out of service"

    def _of_deliveries(self) -> Iterator[str]:
        if self.settled_at is None:
            yield "not all was settled in time"
        states = Counter(row.state for row in self.deliveries)
        if len(self.deliveries) != len(self.taken) * (len(self.phones) + len(self.hung)):
            yield f"there are {len(self.deliveries)} deliveries"
        unsettled = states["pending"] + states["sending"]
        if unsettled:
            yield f"{unsettled} deliveries are not settled"
        others = states.total() - states["accepted"] - unsettled
        if others > len(self.taken) * len(self.hung):
            yield f"deliveries ended {dict(states)}"
        if silent := sum(row.attempts != len(row.verdicts) for row in self.deliveries):
            yield f"{silent} deliveries do not tell of all their attempts"
        dead = sum(self.in_flight[holder] for holder in self.dead)
        if self.dead and self.lost_leases != dead:
            yield f"{self.lost_leases} leases are recorded as lost, {dead} died"
        if not self.repeats and self.lost_leases:
            yield f"{self.lost_leases} leases were lost though no sender died"
