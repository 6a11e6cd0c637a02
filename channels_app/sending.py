"""Sending: what a worker of a lane does from the first ring of the bell until nothing is due.

Leasing, the network and settling go on side by side, so a device that hangs holds up nobody: the
worker leases on while it waits, as far as the push services' connections have room.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import structlog
from django.conf import settings
from django.db import Error

from channels_app import action_tokens, deliveries, doorbell, links, notifications
from channels_app.action_tokens import Action
from channels_app.discretion import discreet
from channels_app.event_types import Channel
from channels_app.gateways.dispatch import Dispatcher
from channels_app.gateways.pushes import Answer, Push
from channels_app.leases import Leased
from channels_app.levels import Lane
from channels_app.links import About
from channels_app.outages import is_outage
from channels_app.pace import Pace

Clock = Callable[[], datetime]

log = structlog.get_logger(__name__)

CATEGORIES = {
    Channel.ESCALATION: "ESCALATION",
    Channel.AUTO_UPDATE: "AUTO_UPDATE",
    Channel.WORKFLOW: "WORKFLOW",
    Channel.NOTICE: "",  # nothing to be done but to look
}
LEASE_LIMIT = 200
# Answers come in one by one; writing them down together costs a fraction, and nobody waits for it.
SETTLE_SECONDS = 0.02
SETTLE_LIMIT = 500
# While something is under way, new work is looked for after each answer, but not more often than
# the first; and without any answer as often as the second.
LOOK_SECONDS = 0.005
PATIENCE_SECONDS = 0.02


def push(leased: Leased) -> Push:
    """What a push service is asked to show for a leased delivery."""
    title, body = discreet(leased.title, leased.body, privacy=leased.privacy, locale=leased.locale)
    shared = _shared(leased.about, leased.organization, settings.LINK_BASE)
    return Push(
        delivery_id=leased.delivery_id,
        target=leased.target,
        level=leased.level.value,
        channel=shared.channel,
        category=shared.category,
        title=title,
        body=body,
        link=shared.link,
        thread=shared.thread,
        collapse_key=shared.collapse_key,
        data={
            **shared.data,
            "notification_id": str(leased.notification_id),
            **_claim(leased),
        },
        expires_at=leased.expires_at,
        locale=leased.locale,
    )


@dataclass(frozen=True, slots=True)
class Shared:
    """What is the same in all pushes of an event."""

    channel: str
    category: str
    link: str
    thread: str
    collapse_key: str
    data: Mapping[str, str]


@lru_cache(maxsize=256)
def _shared(about: About, organization: str, base: str) -> Shared:
    channel = about.row.channel
    if channel is None:
        raise ValueError(f"{about.row.name} pushes nothing")
    identity = links.identity(about)
    return Shared(
        channel=channel.value,
        category=CATEGORIES[channel],
        link=links.link(about, base=base, organization=organization),
        thread=identity.thread,
        collapse_key=identity.collapse_key,
        data={
            "type": about.row.name,
            "event_id": str(about.event_id),
            "organization": organization,
            **links.ids(about),
        },
    )


def _claim(leased: Leased) -> dict[str, str]:
    """What the banner's button needs to claim the conversation with the app closed."""
    if leased.about.row.channel is not Channel.ESCALATION or "epoch" not in leased.facts:
        return {}
    token = action_tokens.issue(
        Action(
            membership_id=leased.membership_id,
            installation_id=leased.installation_id,
            conversation_id=leased.facts["conversation"],
            epoch=leased.facts["epoch"],
        )
    )
    return {"epoch": str(leased.facts["epoch"]), "action_token": token}


class Sender:
    """The sending side of one worker process: its connections, and what is under way on them."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self.pace = Pace()
        self._under_way: dict[int, Leased] = {}
        self._answered: list[tuple[Leased, Answer]] = []
        self._first_answer = 0.0

    @property
    def idle(self) -> bool:
        """Whether nothing is under way and nothing is left to write down."""
        return not self._under_way and not self._answered

    @property
    def capacity(self) -> int:
        """How many deliveries it can have under way at most."""
        return self._dispatcher.capacity

    @property
    def room(self) -> int:
        """How many more deliveries it can take on."""
        return max(0, self._dispatcher.capacity - self._dispatcher.in_flight)

    def send(self, leased: Iterable[Leased], *, now: datetime) -> None:
        """Hand leased deliveries to the network. One that cannot be built stops no other."""
        unbuildable = []
        for delivery in leased:
            try:
                built = push(delivery)
            except Exception:
                log.exception("push.unbuildable", delivery=delivery.delivery_id)
                unbuildable.append((delivery.delivery_id, "unbuildable"))
                continue
            self._under_way[delivery.delivery_id] = delivery
            self._dispatcher.submit(built, now)
        if unbuildable:
            deliveries.drop(unbuildable, now=now)

    def collect(self, *, timeout: float, clock: Clock) -> None:
        """Wait up to `timeout` seconds for answers, and settle those that have come together."""
        answers = self._dispatcher.poll(timeout)
        at = time.monotonic()
        if answers:
            self.pace.answered(at)
            self._first_answer = self._first_answer if self._answered else at
        for answer in answers:
            # Sent twice from here, because its lease ran out on the way: the first answer counts.
            if leased := self._under_way.pop(answer.delivery_id, None):
                self._answered.append((leased, answer))
        overdue = at - self._first_answer >= SETTLE_SECONDS
        full = len(self._answered) >= SETTLE_LIMIT
        if self._answered and (not self._under_way or overdue or full):
            self.settle(now=clock())

    def finish(self, *, clock: Clock) -> None:
        """Take whatever answers there are, and settle them at once."""
        self.collect(timeout=0, clock=clock)
        self.settle(now=clock())

    def settle(self, *, now: datetime) -> None:
        """Write down what has been answered.

        A database that is away for a moment gets it when it is back: an answer that is forgotten
        makes us push again.
        """
        answered, self._answered = self._answered, []
        try:
            deliveries.settle(answered, now=now)
        except Error as error:
            if is_outage(error):
                self._answered = answered
            raise


def drain(
    *, lane: Lane, sender: Sender, clock: Clock, seconds: float, helping: bool = False
) -> None:
    """Route and send all that is due in a lane; return when nothing is, or after `seconds`.

    What is still unanswered then stays under way with the sender, and the bell is rung for whoever
    comes next to go on with it. Who is `helping` stops as soon as one worker is enough again: two
    that share a few events make twice the batches, of half the size, at nearly twice the cost.
    """
    until = clock() + timedelta(seconds=seconds)
    pace = sender.pace
    pace.begin()
    last_look, looked_at = helping, -math.inf
    while (now := clock()) < until:
        found = 0
        due = sender.idle or pace.more or time.monotonic() - looked_at >= LOOK_SECONDS
        if due and not (helping and pace.slack):
            found = _work(lane=lane, sender=sender, now=now)
            looked_at = time.monotonic()
        if found and pace.more:
            doorbell.call_help(lane)
            sender.collect(timeout=0, clock=clock)
        else:
            sender.collect(timeout=PATIENCE_SECONDS, clock=clock)
        if found or not sender.idle:
            continue
        if last_look:
            return
        doorbell.answer(lane)
        last_look = True
    sender.settle(now=clock())
    doorbell.answer(lane)
    doorbell.ring(lane)


def _work(*, lane: Lane, sender: Sender, now: datetime) -> int:
    """Take on what there is room for; answer how many events and deliveries were found."""
    pace, room, capacity = sender.pace, sender.room, sender.capacity
    if pace.is_to_wait(room=room, capacity=capacity, at=time.monotonic()):
        return 0
    found = 0
    if limit := pace.events(room=room, capacity=capacity):
        routed = notifications.route(lane=lane, now=now, limit=limit, room=room)
        sender.send(routed.leased, now=now)
        pace.learn(
            events=routed.events,
            deliveries=routed.deliveries,
            limit=limit,
            at=time.monotonic(),
        )
        found += routed.events
    if limit := min(sender.room, LEASE_LIMIT):
        taken = deliveries.lease(lane=lane, now=now, limit=limit)
        sender.send(taken.leased, now=now)
        deliveries.drop(taken.objections, now=now)
        found += len(taken.leased) + len(taken.objections)
    return found
