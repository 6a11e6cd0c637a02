"""Sending: what a worker of a lane does from the first ring of the bell until nothing is due.

Leasing, the network and settling go on side by side, so a device that hangs holds up nobody: the
worker leases on while it waits, as far as the push services' connections have room.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings

from channels_app import action_tokens, deliveries, doorbell, links, notifications
from channels_app.action_tokens import Action
from channels_app.deliveries import Leased, Result
from channels_app.event_types import CATALOGUE, Channel
from channels_app.gateways.dispatch import Dispatcher
from channels_app.gateways.pushes import Platform, Push, Target
from channels_app.levels import Lane, Level
from channels_app.links import About

log = structlog.get_logger(__name__)

CATEGORIES = {
    Channel.ESCALATION: "ESCALATION",
    Channel.AUTO_UPDATE: "AUTO_UPDATE",
    Channel.WORKFLOW: "WORKFLOW",
}
# One transaction's worth of events of one organization, and of deliveries in one lease.
ROUTE_LIMIT = 100
LEASE_LIMIT = 200
# Answers come in one by one; writing them down together costs a fraction, and nobody waits for it.
SETTLE_SECONDS = 0.02
# While something is under way, new work is looked for this often.
PATIENCE_SECONDS = 0.02


def push(leased: Leased) -> Push:
    """What a push service is asked to show for a leased delivery."""
    row = CATALOGUE[leased.type]
    if row.channel is None:
        raise ValueError(f"{leased.type} pushes nothing")
    about = About(
        row=row,
        organization_id=leased.organization_id,
        event_id=leased.event_id,
        source=leased.source,
        subject=leased.subject,
        step=leased.step,
    )
    identity = links.identity(about)
    return Push(
        delivery_id=leased.id,
        target=Target(
            platform=Platform(leased.platform),
            application_id=leased.application_id,
            registration_id=leased.registration_id,
            p256dh=leased.p256dh,
            auth=leased.auth,
            critical_allowed=leased.critical_allowed,
        ),
        level=leased.level,
        channel=row.channel.value,
        category=CATEGORIES[row.channel],
        title=leased.title,
        body=leased.body,
        link=links.link(about, base=settings.LINK_BASE, organization=leased.organization),
        thread=identity.thread,
        collapse_key=identity.collapse_key,
        data={
            "type": leased.type,
            "event_id": str(leased.event_id),
            "notification_id": str(leased.notification_id),
            "organization": leased.organization,
            **links.ids(about),
            **_claim(leased),
        },
        expires_at=leased.expires_at,
        locale=leased.locale,
    )


def _claim(leased: Leased) -> dict[str, str]:
    """What the banner's button needs to claim the conversation with the app closed."""
    facts = json.loads(leased.facts)
    if "epoch" not in facts or leased.installation_id is None:
        return {}
    token = action_tokens.issue(
        Action(
            membership_id=leased.membership_id,
            installation_id=leased.installation_id,
            conversation_id=facts["conversation"],
            epoch=facts["epoch"],
        )
    )
    return {"epoch": str(facts["epoch"]), "action_token": token}


@dataclass
class Sender:
    """The sending side of one worker process: its connections, and what is under way on them."""

    dispatcher: Dispatcher

    def __post_init__(self) -> None:
        self._under_way: dict[int, Leased] = {}
        self._answered: list[Result] = []
        self._first_answer = 0.0

    @property
    def idle(self) -> bool:
        return not self._under_way and not self._answered

    def take(self, *, lane: Lane, now: datetime) -> int:
        """Lease what is due, as far as there is room, and hand it to the network."""
        room = min(LEASE_LIMIT, self.dispatcher.capacity - self.dispatcher.in_flight)
        if room <= 0:
            return 0
        leased = deliveries.lease(lane=lane, now=now, limit=room)
        objections = [(each.id, reason) for each in leased if (reason := self._submit(each, now))]
        if objections:
            deliveries.drop(objections, now=now)
        return len(leased)

    def _submit(self, leased: Leased, now: datetime) -> str:
        """Hand one to the network, or say why not. One that cannot be built stops no other."""
        if leased.objection:
            return leased.objection
        try:
            built = push(leased)
        except Exception:
            log.exception("push.unbuildable", delivery=leased.id)
            return "unbuildable"
        self._under_way[leased.id] = leased
        self.dispatcher.submit(built, now)
        return ""

    def collect(self, *, timeout: float, clock: Callable[[], datetime]) -> None:
        """Wait up to `timeout` seconds for answers, and settle those that have come together."""
        for answer in self.dispatcher.poll(timeout):
            delivery = self._under_way.pop(answer.delivery_id)
            if not self._answered:
                self._first_answer = time.monotonic()
            self._answered.append(
                Result(
                    attempt=delivery.attempt,
                    level=Level(delivery.level),
                    expires_at=delivery.expires_at,
                    answer=answer,
                )
            )
        overdue = time.monotonic() - self._first_answer >= SETTLE_SECONDS
        if self._answered and (not self._under_way or overdue or len(self._answered) >= 200):
            deliveries.settle(self._answered, now=clock())
            self._answered = []


def drain(*, lane: Lane, sender: Sender, clock: Callable[[], datetime], seconds: float) -> None:
    """Route and send all that is due in a lane; return when nothing is, or after `seconds`.

    What is still unanswered then stays under way with the sender, and the bell is rung for whoever
    comes next to go on with it.
    """
    doorbell.answer(lane)
    until = clock() + timedelta(seconds=seconds)
    while (now := clock()) < until:
        found = notifications.route(lane=lane, now=now, limit=ROUTE_LIMIT)
        found += sender.take(lane=lane, now=now)
        sender.collect(timeout=0 if found else PATIENCE_SECONDS, clock=clock)
        if not found and sender.idle:
            return
    doorbell.ring(lane)
