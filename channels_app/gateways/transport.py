"""HTTP/2 to the push services: few connections, many streams, nothing that blocks.

libcurl brings TLS, HTTP/2 with flow control, name resolution in threads and connection reuse; what
it must not do on its own (repeat a request, follow a redirect, ask the environment for a proxy) is
shut in `exchange`. Why this client: docs/decisions/http2-transport.md.
"""

import math
import selectors
import time
from collections.abc import Sequence
from typing import Generic

import pycurl

from channels_app.gateways import addresses
from channels_app.gateways.connections import Connections
from channels_app.gateways.exchange import Exchange, Fate, Reply, Request
from channels_app.gateways.lines import Job, Line, Ticket

REQUEST_SECONDS = 10.0
"""How long a request may wait for its turn, and then again for its answer: whose turn comes late
must not be cut off with its push on the way, or it would be sent twice."""
INATTENTION_SECONDS = 1.0
"""A longer time without `poll` (the caller waited for the database, say) does not count: answers
that came meanwhile are read before anybody is given up."""
PATIENCE = 3
"""libcurl's own clock, which knows nothing of that, runs this many times as long."""
CAPACITY = 1000
TRIES = 3
"""A request whose stream was refused is given to the next connection this often in all."""
MAX_LINES = 50
"""Hosts with connections; beyond it, those that nobody uses are let go."""


def origin_of(url: str) -> str:
    """Scheme, host and port of an https URL, as they are written in it."""
    slash = url.find("/", len("https://"))
    return url if slash < 0 else url[:slash]


class Transport(Generic[Ticket]):
    """Requests in, replies out, each under the ticket it was submitted with.

    Not for several threads, nor across a fork. Every ticket comes back exactly once.
    """

    def __init__(
        self,
        *,
        ca_file: str,
        networks: Sequence[str] = (),
        request_seconds: float = REQUEST_SECONDS,
    ) -> None:
        self.capacity = CAPACITY
        self.in_flight = 0
        self._ca_file = ca_file
        self._allowed = addresses.networks(networks)
        self._request_seconds = request_seconds
        self._polled_at = -math.inf  # monotonic
        self._selector = selectors.DefaultSelector()
        self._lines: dict[str, Line[Ticket]] = {}
        self._backlog: set[Line[Ticket]] = set()  # those with something waiting
        self._connections: set[Connections] = set()  # of all lines, and those being left
        self._running: dict[
            pycurl.Curl, tuple[Exchange, Job[Ticket], Line[Ticket], Connections]
        ] = {}
        self._idle: list[Exchange] = []
        self._done: list[tuple[Ticket, Reply]] = []

    def submit(self, request: Request, ticket: Ticket, *, apart: str = "") -> None:
        """Take `request`; `poll` sends it. Never waits.

        Requests to one host share its connections and its queue. Those with another word in `apart`
        have their own: one receiver at a host may hang while the next one does not.
        """
        now = time.monotonic()
        line = self._line(origin_of(request.url) + apart)
        line.waiting.append(Job(request, ticket, now + self._request_seconds))
        self._backlog.add(line)
        self.in_flight += 1
        self._start_waiting(line, now)

    def poll(self, timeout: float) -> list[tuple[Ticket, Reply]]:
        """What is done: at once if anything is, else waiting up to `timeout` seconds for it.

        With nothing in flight there is nothing to wait for, and it returns at once.
        """
        self._forgive_inattention(time.monotonic())
        until = time.monotonic() + timeout
        while self.in_flight:
            self._advance(time.monotonic() if self._done else until)
            if self._done or time.monotonic() >= until:
                break
        self._polled_at = time.monotonic()
        done, self._done = self._done, []
        self.in_flight -= len(done)
        return done

    def close(self) -> None:
        """Drop everything, answered or not."""
        for curl, (exchange, _, _, connections) in self._running.items():
            connections.remove(curl)
            self._idle.append(exchange)
        for connections in self._connections:
            connections.close()
        for exchange in self._idle:
            exchange.curl.close()
        self._selector.close()

    def _line(self, origin: str) -> Line[Ticket]:
        line = self._lines.get(origin)
        if line is None:
            if len(self._lines) >= MAX_LINES:
                self._forget_idle_lines()
            line = self._lines[origin] = Line(Connections(self._selector))
            self._connections.add(line.connections)
        return line

    def _forget_idle_lines(self) -> None:
        for origin, line in list(self._lines.items()):
            if not line.running and not line.waiting:
                del self._lines[origin]
                self._leave(line.connections)

    def _advance(self, until: float) -> None:
        """Wait for the network or a clock, whichever is first, and act on it."""
        wake = min(
            until,
            min((connections.timer_at for connections in self._connections), default=math.inf),
            min((line.next_change() for line in self._backlog), default=math.inf),
            next((job.answer_by for _, job, _, _ in self._running.values()), math.inf),
        )
        for key, events in self._selector.select(max(0.0, wake - time.monotonic())):
            key.data.act(key.fd, events)
        for connections in tuple(self._connections):
            connections.tick(time.monotonic())
            while self._collect(connections) and connections.running:
                connections.read_on()
        now = time.monotonic()
        self._expire_running(now)
        for line in tuple(self._backlog):
            self._expire_waiting(line, now)
            self._start_waiting(line, now)

    def _start_waiting(self, line: Line[Ticket], now: float) -> None:
        while line.waiting and line.has_room(now):
            self._start(line, line.waiting.popleft(), now)
        if not line.waiting:
            self._backlog.discard(line)

    def _start(self, line: Line[Ticket], job: Job[Ticket], now: float) -> None:
        exchange = self._idle.pop() if self._idle else self._new_exchange()
        job.sent_at = time.time()
        job.answer_by = now + self._request_seconds
        job.tries += 1
        try:
            exchange.prepare(job.request)
        except ValueError as error:
            self._idle.append(exchange)
            self._give_up(job, Fate.IMPOSSIBLE, str(error))
            return
        if line.is_dead():
            old = line.reconnect(self._selector)
            self._connections.add(line.connections)
            self._leave(old)
        line.started(exchange, now)
        self._running[exchange.curl] = (exchange, job, line, line.connections)
        line.connections.add(exchange.curl)

    def _leave(self, connections: Connections) -> None:
        """Close connections that get no more requests, once nothing runs on them."""
        if connections.running == 0:
            self._connections.discard(connections)
            connections.close()

    def _new_exchange(self) -> Exchange:
        return Exchange(
            ca_file=self._ca_file,
            allowed=self._allowed,
            on_connect=self._on_connect,
            seconds=PATIENCE * self._request_seconds,
        )

    def _on_connect(self, exchange: Exchange) -> None:
        _, _, line, _ = self._running[exchange.curl]
        line.connecting(exchange, time.monotonic())

    def _collect(self, connections: Connections) -> int:
        """Take back what is over; answer how many transfers that were."""
        before = connections.running
        for curl, code, message in connections.finished():
            self._finish(curl, code, message)
        return before - connections.running

    def _finish(self, curl: pycurl.Curl, code: int, message: str) -> None:
        """Take a transfer back that is over, or that is to be."""
        exchange, job, line, connections = self._running.pop(curl)
        reply = exchange.reply(
            code=code, message=message, sent_at=job.sent_at, answered_at=time.time()
        )
        connections.remove(curl)
        self._idle.append(exchange)
        unreachable = line.ended(exchange, reply, time.monotonic())
        if reply.fault == "StreamRefused" and job.tries < TRIES:
            line.waiting.appendleft(job)
            self._backlog.add(line)
        else:
            self._done.append((job.ticket, reply))
        while unreachable and line.waiting:
            # Say so at once instead of letting each of them find out.
            self._give_up(line.waiting.popleft(), reply.fate, reply.fault)
        if connections is not line.connections:
            self._leave(connections)

    def _forgive_inattention(self, now: float) -> None:
        if now - self._polled_at <= INATTENTION_SECONDS:
            return
        for _, job, _, _ in self._running.values():
            started_at = job.answer_by - self._request_seconds
            job.answer_by += now - max(self._polled_at, started_at)

    def _expire_running(self, now: float) -> None:
        # They started one after the other and have the same time each: the first is due first.
        while self._running:
            curl, (_, job, _, _) = next(iter(self._running.items()))
            if job.answer_by > now:
                break
            self._finish(curl, pycurl.E_OPERATION_TIMEDOUT, "")

    def _expire_waiting(self, line: Line[Ticket], now: float) -> None:
        while line.waiting and line.waiting[0].expires_at <= now:
            self._give_up(line.waiting.popleft(), Fate.UNSENT, "Timeout")

    def _give_up(self, job: Job[Ticket], fate: Fate, fault: str) -> None:
        now = time.time()
        self._done.append((job.ticket, Reply(fate, None, {}, b"", fault, job.sent_at or now, now)))
