"""An hour in which everything fails that can fail, against a platform that is a real server."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone
from standardwebhooks import Webhook

from channels_app.gateways.transport import Transport
from claims import outbound
from claims.models import Endpoint, Message, MessageAttempt
from claims.outbound import orphans
from claims.outbound.sender import Sender
from claims.outbound.tries import Leased
from tests.claims.outbound.conftest import NOW
from tests.claims.outbound.receiver import Reaction, Receiver, Seen
from tests.factories import EndpointFactory

pytestmark = pytest.mark.django_db(transaction=True)

STEP = timedelta(seconds=30)
STEPS = 120
CONVERSATIONS = 12
# Until everything has come that failed in the hour: who failed often is tried again after hours.
CALM_STEP = timedelta(minutes=30)
CALM_STEPS = 60
REQUEST_SECONDS = 0.3


class Platform:
    """Acts on a message once it has verified it; what it answers then is another matter."""

    def __init__(self, secret: str) -> None:
        self._verifier = Webhook(secret)
        self._chance = random.Random(4)
        self.well = False
        self.acted_on: dict[str, bytes] = {}
        self.repeated = 0
        self.failures: dict[str, int] = defaultdict(int)

    def react(self, seen: Seen) -> Reaction:
        """Called by one thread at a time."""
        name, takes, reaction = self._reaction()
        if takes:
            self._act(seen)
        self.failures[name] += 1
        return reaction

    def _act(self, seen: Seen) -> None:
        self._verifier.verify(seen.body, dict(seen.headers))
        if seen.id in self.acted_on:
            assert self.acted_on[seen.id] == seen.body
            self.repeated += 1
        self.acted_on[seen.id] = seen.body

    def _reaction(self) -> tuple[str, bool, Reaction]:
        """What goes wrong, whether the message was taken in all the same, and the answer."""
        taken = Reaction(204)
        if self.well:
            return "nothing", True, taken
        return self._chance.choice(
            (
                ("nothing", True, taken),
                ("nothing", True, taken),
                ("500", False, Reaction(500, body=b"x" * 50_000)),
                ("503 although taken", True, Reaction(503)),
                ("429", False, Reaction(429, {"retry-after": "90"})),
                ("redirect", False, Reaction(307, {"location": "https://127.0.0.1:1/"})),
                ("reset", False, Reaction(reset=True)),
                ("reset although taken", True, Reaction(reset=True)),
                ("timeout although taken", True, Reaction(wait=2 * REQUEST_SECONDS)),
                ("slow body", True, Reaction(200, body=b"end", trickle=2 * REQUEST_SECONDS)),
            )
        )


class Senders:
    """Two senders, each in a thread of its own with its own connection to PostgreSQL."""

    def __init__(self, ca_file: str) -> None:
        self._ca_file = ca_file
        self._threads = [ThreadPoolExecutor(1) for _ in range(2)]
        self._senders = [self._made() for _ in self._threads]

    def work(self) -> None:
        """Both at once, until nothing is due nor under way."""
        # Senders sweep every few seconds of real time, in which this hour may be over.
        orphans.take_back(now=timezone.now(), limit=100)
        turns = [
            thread.submit(_finish, sender)
            for thread, sender in zip(self._threads, self._senders, strict=True)
        ]
        for turn in turns:
            turn.result(timeout=60)

    def kill_one(self, number: int) -> None:
        """In the middle: it has leased and sent, and never reads the answer."""
        thread, sender = self._threads[number], self._senders[number]
        thread.submit(sender.work, seconds=0).result(timeout=10)
        sender.close()
        self._senders[number] = self._made()

    def close(self) -> None:
        for thread, sender in zip(self._threads, self._senders, strict=True):
            thread.submit(_leave_database).result(timeout=10)
            thread.shutdown()
            sender.close()

    def _made(self) -> Sender:
        network: Transport[Leased] = Transport(
            ca_file=self._ca_file, networks=("127.0.0.0/8",), request_seconds=REQUEST_SECONDS
        )
        return Sender(network, clock=timezone.now)


def _finish(sender: Sender) -> None:
    for _ in range(500):
        if not sender.work(seconds=0.02):
            return
    raise AssertionError("it does not end")


def _leave_database() -> None:
    connection.close()  # each thread's own


@pytest.fixture
def two_senders(ca_file: str) -> Iterator[Senders]:
    both = Senders(ca_file)
    yield both
    both.close()


def change(endpoint: Endpoint, number: int) -> None:
    """A conversation changes, and the platform is to know."""
    with transaction.atomic():
        outbound.enqueue(
            organization_id=endpoint.connection.organization_id,
            type="conversation.claimed" if number % 2 else "conversation.released",
            data={"conversation": {"id": f"c-{number % CONVERSATIONS}"}},
            now=timezone.now(),
        )


def test_after_an_hour_of_failures_the_platform_has_every_change_exactly_once_per_id(
    two_senders: Senders, receiver: Receiver
) -> None:
    endpoint = EndpointFactory.create(url=receiver.url)
    platform = Platform(endpoint.secret)
    receiver.react = platform.react
    with time_machine.travel(NOW) as time:
        for step in range(STEPS):
            change(endpoint, step)
            if step % 15 == 7:
                two_senders.kill_one(step % 2)
            two_senders.work()
            time.shift(STEP)
        platform.well = True
        for _ in range(CALM_STEPS):
            if not Message.objects.exclude(state="delivered").exists():
                break
            two_senders.work()
            time.shift(CALM_STEP)

    states = Counter(Message.objects.values_list("state", "reason"))
    assert states == {("delivered", ""): STEPS}
    bodies = dict(Message.objects.values_list("webhook_id", "body"))
    assert {one: body.decode() for one, body in platform.acted_on.items()} == bodies
    # Not a quiet hour: each kind of failure came, senders died, and some messages came again.
    assert len(platform.failures) == 9
    assert platform.repeated > 0
    outcomes = set(MessageAttempt.objects.values_list("outcome", flat=True))
    assert outcomes >= {"delivered", "refused", "unanswered", "lost"}
