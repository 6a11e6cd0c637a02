"""The connections to one host: libcurl's multi interface, driven by its callbacks."""

import math
import select
import selectors
import time
from collections.abc import Iterator

import pycurl

STREAMS = 200
"""Requests in libcurl's hands for one host, all on one connection where the server allows it; more
than that cost more each."""
PER_HOST = 4
"""libcurl opens a further one when the server allows no more streams on those there are."""

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
_ENDED = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)  # Linux has the last


class Connections:
    """A CurlMulti that shares a selector with others; every key's data is its Connections."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self.running = 0
        self.timer_at = math.inf  # monotonic
        self._selector = selector
        self._descriptors: set[int] = set()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, PER_HOST)
        self._multi.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, STREAMS)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)

    def add(self, curl: pycurl.Curl) -> None:
        """Start a transfer; nothing happens on the network yet."""
        self.running += 1
        self._multi.add_handle(curl)

    def remove(self, curl: pycurl.Curl) -> None:
        """Take back a handle, finished or not."""
        self.running -= 1
        self._multi.remove_handle(curl)

    def act(self, descriptor: int, events: int) -> None:
        """Something can be read or written."""
        self._multi.socket_action(descriptor, _CURL_EVENTS[events])

    def read_on(self) -> None:
        """Let libcurl go on with what it has taken from its sockets but not passed on.

        Whichever transfer reads from a connection reads for all its streams, and when its own
        answer is complete it leaves the rest in libcurl's buffers. If it was the last to have its
        turn, the socket is empty and no selector tells of it: those answers would lie there until
        one of libcurl's timers goes off, seconds later (docs/decisions/http2-transport.md).
        """
        for descriptor in self._descriptors & set(self._selector.get_map()):
            self._multi.socket_action(descriptor, pycurl.CSELECT_IN)

    def tick(self, now: float) -> None:
        """Let libcurl look at its clock if it asked for that."""
        if now >= self.timer_at:
            self.timer_at = math.inf
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def finished(self) -> Iterator[tuple[pycurl.Curl, int, str]]:
        """Transfers that are over: handle, libcurl's code (0 for success), its message."""
        queued = 1
        while queued:
            queued, succeeded, failed = self._multi.info_read()
            for curl in succeeded:
                yield curl, 0, ""
            yield from failed

    def have_ended(self) -> bool:
        """Whether the other side has closed one of the connections while they were idle.

        libcurl does not watch idle connections, and looks at most once a second whether the one
        that it is about to use is still alive. A push that it puts on a dead one would be
        unanswered, and so unknown, although it never left.
        """
        poll = select.poll()
        for descriptor in self._descriptors:
            poll.register(descriptor, _ENDED)
        events = poll.poll(0)
        # libcurl has closed those itself, the loser of a race between IPv4 and IPv6 for one.
        self._descriptors -= {number for number, event in events if event & select.POLLNVAL}
        return any(event & _ENDED for _, event in events)

    def close(self) -> None:
        """Close them; transfers that still run have to be removed before."""
        self._multi.close()
        for descriptor in self._descriptors & set(self._selector.get_map()):
            if self._selector.get_key(descriptor).data is self:
                self._selector.unregister(descriptor)

    def _on_socket(self, what: int, descriptor: int, multi: object, data: object) -> None:
        known = descriptor in self._selector.get_map()
        if what == pycurl.POLL_REMOVE:
            if known:
                self._selector.unregister(descriptor)
            return
        self._descriptors.add(descriptor)
        if known:
            self._selector.modify(descriptor, _EVENTS[what], self)
        else:
            self._selector.register(descriptor, _EVENTS[what], self)

    def _on_timer(self, milliseconds: int) -> None:
        self.timer_at = math.inf if milliseconds < 0 else time.monotonic() + milliseconds / 1000
