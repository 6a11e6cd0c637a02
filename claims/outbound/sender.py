"""The sender: lease, send, settle; all endpoints side by side, and none waits for another.

It asks PostgreSQL what is due, so it needs neither bell nor broker. Any number of senders may run
at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from django.conf import settings

from channels_app.gateways.transport import Transport
from claims.outbound import orphans, requests, tries
from claims.outbound.answers import of_reply, unsent
from claims.outbound.requests import BadSecret
from claims.outbound.tries import Leased, Result

REQUEST_SECONDS = 15.0
"""For a message's turn, and then for its answer (Standard Webhooks 1.0 advises 15 to 30)."""
LOOK_SECONDS = 0.5
"""How often PostgreSQL is asked while nothing happens."""
SWEEP_SECONDS = 3.0
LIMIT = 200
"""Messages taken at once."""

Clock = Callable[[], datetime]


def transport() -> Transport[Leased]:
    """The network as the settings allow it."""
    return Transport(
        ca_file=settings.OUTBOUND_CA_FILE,
        networks=settings.OUTBOUND_NETWORKS,
        request_seconds=REQUEST_SECONDS,
    )


class Sender:
    """Sends what is due. Not for several threads, nor across a fork."""

    def __init__(self, network: Transport[Leased], *, clock: Clock) -> None:
        self._network = network
        self._clock = clock
        self._unsettled: list[Result] = []  # read, and not yet written down
        self._swept_at = -SWEEP_SECONDS  # monotonic

    @property
    def idle(self) -> bool:
        """Whether nothing is under way, nor waits to be written down."""
        return not self._network.in_flight and not self._unsettled

    def work(self, *, seconds: float = LOOK_SECONDS) -> bool:
        """Look once for what is due, and wait for answers up to `seconds`; whether any work was.

        Raises:
            django.db.Error: the database is away. Nothing is lost: call it again.
        """
        if time.monotonic() - self._swept_at >= SWEEP_SECONDS:
            self._sweep()
        taken = self._send()
        self.collect(seconds=seconds)
        return bool(taken) or not self.idle

    def collect(self, *, seconds: float) -> None:
        """Wait for answers up to `seconds`, and write down those that came."""
        if self._network.in_flight:
            done = self._network.poll(seconds)
            self._unsettled += [(leased, of_reply(reply)) for leased, reply in done]
        tries.settle(self._unsettled, now=self._clock())
        self._unsettled = []

    def close(self) -> None:
        """Drop everything: what is under way counts as lost, and is sent again."""
        self._network.close()

    def _send(self) -> int:
        room = min(LIMIT, self._network.capacity - self._network.in_flight)
        if room <= 0:
            return 0
        now = self._clock()
        taken = tries.lease(now=now, limit=room)
        for leased in taken:
            try:
                request = requests.build(
                    url=leased.url,
                    webhook_id=leased.webhook_id,
                    body=leased.body,
                    secrets=leased.secrets,
                    now=now,
                )
            except BadSecret:
                self._unsettled.append((leased, unsent("BadSecret", now=now)))
            else:
                # Connections of its own for each endpoint: many stand at one host, the platform's.
                self._network.submit(request, leased, apart=f"#{leased.endpoint_id}")
        return len(taken)

    def _sweep(self) -> None:
        # First what this sender knows: after a long freeze its own leases are over, the answers
        # here.
        self.collect(seconds=0)
        now = self._clock()
        orphans.take_back(now=now, limit=LIMIT)
        orphans.give_up_disabled(now=now)
        self._swept_at = time.monotonic()
