"""Sending through the transport to a scripted server."""

import time
from typing import Any

from channels_app.gateways.exchange import Reply, Request
from channels_app.gateways.transport import Transport
from tests.channels_app.gateways.scripted_server import Conversation, Seen

LOOPBACK = ["127.0.0.0/8", "::1/128"]
PATIENCE = 20.0


def send(
    url: str, *, ca_file: str, count: int = 1, before: int = 0, **options: Any
) -> dict[int, Reply]:
    """Send `before` requests and wait, then `count` more; all replies by number."""
    settings: dict[str, Any] = {"networks": LOOPBACK, "request_seconds": 5.0, **options}
    transport: Transport[int] = Transport(ca_file=ca_file, **settings)
    replies: dict[int, Reply] = {}
    try:
        for numbers in (range(before), range(before, before + count)):
            for number in numbers:
                body = b'{"n": %d}' % number
                transport.submit(Request(f"{url}/push/{number}", ("x-n: 1",), body), number)
            until = time.monotonic() + PATIENCE
            while transport.in_flight and time.monotonic() < until:
                replies |= dict(transport.poll(1.0))
    finally:
        transport.close()
    return replies


def answering(talk: Conversation, seen: Seen) -> None:
    talk.answer(seen)
