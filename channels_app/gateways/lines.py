"""What is known of one push service's host: who waits, what runs, and how far it is trusted."""

import math
import selectors
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from channels_app.gateways.connections import STREAMS, Connections
from channels_app.gateways.exchange import Exchange, Fate, Reply, Request

Ticket = TypeVar("Ticket")

CAUTION_SECONDS = 1.0
"""How long a new connection gets to answer its first request before others follow it anyway: a
first push that hangs must not hold up the rest."""
SILENCES = 3
"""Timeouts in a row, nothing answered between them, after which a connection counts as dead."""


@dataclass(slots=True)
class Job(Generic[Ticket]):
    """A request on its way."""

    request: Request
    ticket: Ticket
    expires_at: float  # monotonic; until then it may wait for its turn
    sent_at: float = 0.0  # epoch
    answer_by: float = 0.0  # monotonic
    tries: int = 0


@dataclass(slots=True, eq=False)
class Line(Generic[Ticket]):
    """One host and port.

    A new connection gets one request until that is answered: APNs allows a single stream until it
    has authenticated us, and refuses the others (Apple, "Sending notification requests to APNs").
    """

    connections: Connections
    waiting: deque[Job[Ticket]] = field(default_factory=deque)
    running: int = 0
    _open_from: float = math.inf  # monotonic; before it, one request at a time
    _probe: Exchange | None = None
    _silences: int = 0

    def has_room(self, now: float) -> bool:
        """Whether another request may start."""
        if now < self._open_from:
            return self._probe is None
        return self.running < STREAMS

    def next_change(self) -> float:
        """The clock time (monotonic) at which the head of the queue starts or is given up."""
        head = self.waiting[0].expires_at
        return min(head, self._open_from) if self.running < STREAMS else head

    def started(self, exchange: Exchange, now: float) -> None:
        """A request is in libcurl's hands; while we are cautious, it is the one that probes."""
        self.running += 1
        if now < self._open_from:
            self._probe = exchange

    def connecting(self, exchange: Exchange, now: float) -> None:
        """`exchange` opens a connection: be careful with the others until it is answered."""
        self._open_from = now + CAUTION_SECONDS
        if self._probe is None:
            self._probe = exchange

    def ended(self, exchange: Exchange, reply: Reply, now: float) -> bool:
        """Learn from a reply. True if the host cannot be reached, and nobody need try just now."""
        self.running -= 1
        was_probe = self._probe is exchange
        if was_probe:
            self._probe = None
        if reply.fate is Fate.ANSWERED:
            self._silences = 0
            # APNs keeps to one stream while it does not trust our token.
            if was_probe and reply.status not in (401, 403):
                self._open_from = 0.0
            return False
        if reply.fault == "Timeout" and reply.fate is Fate.UNANSWERED:
            self._silences += 1
            return False
        self._open_from = now + CAUTION_SECONDS
        return was_probe and reply.fate is Fate.UNSENT and reply.fault != "StreamRefused"

    def is_dead(self) -> bool:
        """Whether new requests need new connections."""
        if self._silences >= SILENCES:
            return True
        return self.running == 0 and self.connections.have_ended()

    def reconnect(self, selector: selectors.BaseSelector) -> Connections:
        """Leave the present connections to what still runs on them, and return them."""
        old, self.connections = self.connections, Connections(selector)
        self._silences = 0
        self._open_from = math.inf
        self._probe = None
        return old
