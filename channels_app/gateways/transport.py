"""HTTP/2 to the push services: few connections, many streams, nothing that blocks.

libcurl's multi interface, driven by its socket and timer callbacks. It brings TLS, HTTP/2 with
flow control, name resolution in threads and connection reuse; what it must not do on its own
(repeat a request, follow a redirect, ask the environment for a proxy) is shut in `exchange`.
Why this client: docs/decisions/http2-transport.md.
"""

import math
import selectors
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import pycurl

from channels_app.gateways import addresses
from channels_app.gateways.exchange import Exchange, Fate, Reply, Request

Ticket = TypeVar("Ticket")

REQUEST_SECONDS = 10.0
CAPACITY = 1000
CONNECTIONS_PER_HOST = 4
STREAMS_PER_HOST = 200
"""Requests in libcurl's hands for one host; the rest wait here, where they cost nothing."""
CAUTION_SECONDS = 1.0
"""How long a new connection gets to answer its first request before others follow it anyway: a
first push that hangs must not hold up the rest."""
TRIES = 3
"""A request whose stream was refused is given to the next connection this often in all."""
SILENCES = 3
"""Timeouts in a row, nothing answered between them, after which a connection counts as dead."""

_EVENTS = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}
_CURL_EVENTS = {
    selectors.EVENT_READ: pycurl.CSELECT_IN,
    selectors.EVENT_WRITE: pycurl.CSELECT_OUT,
    selectors.EVENT_READ | selectors.EVENT_WRITE: pycurl.CSELECT_IN | pycurl.CSELECT_OUT,
}


@dataclass(slots=True)
class _Job(Generic[Ticket]):
    request: Request
    ticket: Ticket
    expires_at: float  # monotonic
    sent_at: float = 0.0
    tries: int = 0


@dataclass(slots=True, eq=False)
class _Origin(Generic[Ticket]):
    """What is known of one host and port.

    A new connection gets one request until that is answered: APNs allows a single stream until it
    has authenticated us (Apple, "Sending notification requests to APNs") and refuses the rest.
    """

    waiting: deque[_Job[Ticket]] = field(default_factory=deque)
    running: int = 0
    open_from: float = math.inf  # monotonic; before it, one request at a time
    probe: Exchange | None = None
    silences: int = 0

    def has_room(self, now: float) -> bool:
        if now < self.open_from:
            return self.probe is None
        return self.running < STREAMS_PER_HOST

    def next_change(self) -> float:
        """The clock time (monotonic) at which the head of the queue starts or is given up."""
        head = self.waiting[0].expires_at
        return min(head, self.open_from) if self.running < STREAMS_PER_HOST else head

    def doubt(self, now: float) -> None:
        """A connection is new, or one was lost: be careful again."""
        self.open_from = now + CAUTION_SECONDS


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
        self._origins: dict[str, _Origin[Ticket]] = {}
        self._backlog: set[_Origin[Ticket]] = set()  # those with something waiting
        self._running: dict[pycurl.Curl, tuple[Exchange, _Job[Ticket], _Origin[Ticket]]] = {}
        self._idle: list[Exchange] = []
        self._done: list[tuple[Ticket, Reply]] = []
        self._selector = selectors.DefaultSelector()
        self._timer_at = math.inf
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, CONNECTIONS_PER_HOST)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)

    def submit(self, request: Request, ticket: Ticket) -> None:
        """Take `request`; `poll` sends it. Never waits."""
        name = origin_of(request.url)
        origin = self._origins.get(name)
        if origin is None:
            origin = self._origins[name] = _Origin()
        now = time.monotonic()
        origin.waiting.append(_Job(request, ticket, now + self._request_seconds))
        self._backlog.add(origin)
        self.in_flight += 1
        self._start_waiting(origin, now)

    def poll(self, timeout: float) -> list[tuple[Ticket, Reply]]:
        """What is done: at once if anything is, else waiting up to `timeout` seconds for it.

        With nothing in flight there is nothing to wait for, and it returns at once.
        """
        until = time.monotonic() + timeout
        while self.in_flight:
            self._advance(time.monotonic() if self._done else until)
            if self._done or time.monotonic() >= until:
                break
        done, self._done = self._done, []
        self.in_flight -= len(done)
        return done

    def close(self) -> None:
        """Drop everything, answered or not."""
        for exchange, _, _ in self._running.values():
            self._multi.remove_handle(exchange.curl)
            exchange.curl.close()
        self._running.clear()
        for exchange in self._idle:
            exchange.curl.close()
        self._multi.close()
        self._selector.close()

    def _advance(self, until: float) -> None:
        """Wait for the network or a clock, whichever is first, and act on it."""
        pause = max(0.0, min(until, self._timer_at, self._next_opening()) - time.monotonic())
        for key, events in self._selector.select(pause):
            self._multi.socket_action(key.fd, _CURL_EVENTS[events])
        if time.monotonic() >= self._timer_at:
            self._timer_at = math.inf
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._collect()
        now = time.monotonic()
        for origin in tuple(self._backlog):
            self._expire_waiting(origin, now)
            self._start_waiting(origin, now)

    def _next_opening(self) -> float:
        """When something that waits here may start, or has waited too long, without any event."""
        return min((origin.next_change() for origin in self._backlog), default=math.inf)

    def _start_waiting(self, origin: _Origin[Ticket], now: float) -> None:
        while origin.waiting and origin.has_room(now):
            self._start(origin, origin.waiting.popleft(), now)
        if not origin.waiting:
            self._backlog.discard(origin)

    def _start(self, origin: _Origin[Ticket], job: _Job[Ticket], now: float) -> None:
        exchange = self._idle.pop() if self._idle else self._new_exchange()
        job.sent_at = time.time()
        job.tries += 1
        try:
            exchange.prepare(job.request, seconds=job.expires_at - now)
        except ValueError as error:
            self._idle.append(exchange)
            self._give_up(job, Fate.IMPOSSIBLE, str(error))
            return
        if now < origin.open_from:
            origin.probe = exchange
        origin.running += 1
        self._running[exchange.curl] = (exchange, job, origin)
        self._multi.add_handle(exchange.curl)

    def _new_exchange(self) -> Exchange:
        return Exchange(ca_file=self._ca_file, allowed=self._allowed, on_connect=self._on_connect)

    def _collect(self) -> None:
        answered_at = time.time()
        for curl, code, message in self._finished():
            exchange, job, origin = self._running.pop(curl)
            reply = exchange.reply(
                code=code, message=message, sent_at=job.sent_at, answered_at=answered_at
            )
            origin.running -= 1
            self._learn(origin, exchange, reply)
            self._multi.remove_handle(curl)
            self._idle.append(exchange)
            if reply.fault == "StreamRefused" and job.tries < TRIES:
                origin.waiting.appendleft(job)
                self._backlog.add(origin)
            else:
                self._done.append((job.ticket, reply))

    def _finished(self) -> Iterator[tuple[pycurl.Curl, int, str]]:
        queued = 1
        while queued:
            queued, succeeded, failed = self._multi.info_read()
            for curl in succeeded:
                yield curl, 0, ""
            yield from failed

    def _learn(self, origin: _Origin[Ticket], exchange: Exchange, reply: Reply) -> None:
        """What one reply says of the connection it came on."""
        was_probe = origin.probe is exchange
        if was_probe:
            origin.probe = None
        if reply.fate is Fate.ANSWERED:
            origin.silences = 0
            # APNs keeps to one stream while it does not trust our token.
            if was_probe and reply.status not in (401, 403):
                origin.open_from = 0.0
        elif reply.fault == "Timeout" and reply.fate is Fate.UNANSWERED:
            origin.silences += 1
            if origin.silences >= SILENCES:
                origin.silences = 0
                exchange.hang_up()
        else:
            origin.doubt(time.monotonic())
            if was_probe and reply.fault != "StreamRefused" and reply.fate is not Fate.UNANSWERED:
                # The host cannot be reached: say so at once instead of letting each find out.
                while origin.waiting:
                    self._give_up(origin.waiting.popleft(), reply.fate, reply.fault)

    def _expire_waiting(self, origin: _Origin[Ticket], now: float) -> None:
        while origin.waiting and origin.waiting[0].expires_at <= now:
            self._give_up(origin.waiting.popleft(), Fate.UNSENT, "Timeout")

    def _give_up(self, job: _Job[Ticket], fate: Fate, fault: str) -> None:
        now = time.time()
        self._done.append((job.ticket, Reply(fate, None, {}, b"", fault, job.sent_at or now, now)))

    def _on_connect(self, exchange: Exchange) -> None:
        _, _, origin = self._running[exchange.curl]
        origin.doubt(time.monotonic())
        if origin.probe is None:
            origin.probe = exchange

    def _on_socket(self, what: int, descriptor: int, multi: object, data: object) -> None:
        known = descriptor in self._selector.get_map()
        if what == pycurl.POLL_REMOVE:
            if known:
                self._selector.unregister(descriptor)
        elif known:
            self._selector.modify(descriptor, _EVENTS[what])
        else:
            self._selector.register(descriptor, _EVENTS[what])

    def _on_timer(self, milliseconds: int) -> None:
        self._timer_at = math.inf if milliseconds < 0 else time.monotonic() + milliseconds / 1000
