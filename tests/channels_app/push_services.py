"""A peer for the sender: what the dispatcher promises, without a network."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import cast

from channels_app.gateways.dispatch import Dispatcher
from channels_app.gateways.pushes import Answer, Push, Verdict
from channels_app.sending import Sender


class PushServices:
    """What stands behind a dispatcher, as far as a sender can tell: it takes, and it answers."""

    def __init__(self, capacity: int = 100) -> None:
        self.capacity = capacity
        self.pushes: list[Push] = []
        self.most_in_flight = 0
        self.hangs: Callable[[Push], bool] = lambda push: False
        self.verdicts: dict[int, list[Verdict]] = {}
        """By delivery, the answers to come; after the last it is accepted."""
        self._in_flight: list[Push] = []

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    def submit(self, push: Push, now: datetime) -> None:
        self.pushes.append(push)
        self._in_flight.append(push)
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def poll(self, timeout: float) -> list[Answer]:
        ready = [push for push in self._in_flight if not self.hangs(push)]
        self._in_flight = [push for push in self._in_flight if self.hangs(push)]
        if not ready and self._in_flight:
            time.sleep(min(timeout, 0.02))
        return [self._answer(push) for push in ready]

    def _answer(self, push: Push) -> Answer:
        orders = self.verdicts.get(push.delivery_id, [])
        verdict = orders.pop(0) if orders else Verdict.ACCEPTED
        at = time.time()
        return Answer(
            push.delivery_id, verdict, 200, "", retry_after=0.0, sent_at=at, answered_at=at
        )

    def sender(self) -> Sender:
        return Sender(cast(Dispatcher, self))
