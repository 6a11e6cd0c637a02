"""Plays a scene on the running system and watches what comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from channels_app.models import Connection, Delivery, Event, Notification
from pushbridge.demo.cast import TENANTS, Tenant
from pushbridge.demo.chatbot_platform import ChatbotPlatform, sign
from pushbridge.demo.sandbox import Arrival, Sandbox
from pushbridge.demo.story import Scene, fresh
from pushbridge.demo.verdicts import Outcome, Played

LOOK_SECONDS = 0.02


class NotSeeded(Exception):
    """The demo's organizations are not there."""


@dataclass(frozen=True, slots=True)
class Door:
    """A tenant's webhook endpoint."""

    connection: str
    secret: str


def doors() -> dict[str, Door]:
    """By slug, the endpoint of each of the demo's organizations.

    Raises:
        NotSeeded: one is missing.
    """
    return {tenant.slug: _door(tenant) for tenant in TENANTS}


def _door(tenant: Tenant) -> Door:
    connection = Connection.objects.filter(
        organization__slug=tenant.slug, name=tenant.connection, active=True
    ).first()
    if connection is None:
        raise NotSeeded(tenant.name)
    return Door(str(connection.pk), connection.secret)


class Stage:
    """Where the story is played; everything that was played on it is in `played`."""

    def __init__(
        self,
        *,
        sandbox: Sandbox,
        platform: ChatbotPlatform,
        doors: Mapping[str, Door],
        tag: str,
        patience: float,
    ) -> None:
        """A stage for one performance.

        Args:
            tag: makes its conversations and runs different from all others'.
            patience: seconds until a banner that has not come is missing.
        """
        self.played: list[Played] = []
        self._sandbox = sandbox
        self._platform = platform
        self._doors = doors
        self._tag = tag
        self._patience = patience
        self._seq = sandbox.last_seq()

    def play(self, scene: Scene) -> Played:
        """Let a scene's event happen; `watch` tells what comes of it."""
        now = datetime.now(UTC)
        if scene.tapped:
            return self._tap(scene, now=now)
        door = self._doors[scene.tenant.slug]
        signer = self._doors[(scene.signed_by or scene.tenant).slug]
        event = fresh(scene.event, tag=self._tag, happened_at=now - scene.late)
        message = sign(event, secret=signer.secret, now=now)
        played = Played(scene)
        self.played.append(played)
        for _ in range(2 if scene.sent_again else 1):
            receipt = self._platform.post(message, connection=door.connection)
            played.sent_at = played.sent_at or receipt.sent_at
            played.statuses.append(receipt.status)
            if receipt.event_id:
                played.event_ids.append(receipt.event_id)
        return played

    def _tap(self, scene: Scene, *, now: datetime) -> Played:
        """Tap the button on a phone, as its owner would."""
        event = fresh(scene.event, tag=self._tag, happened_at=now)
        conversation = event["data"]["conversation"]["id"]
        played = Played(scene, sent_at=time.time())
        self.played.append(played)
        played.statuses.append(
            self._sandbox.tap(scene.tapped, conversation=conversation, action="claim")
        )
        made = Event.objects.filter(
            organization__slug=scene.tenant.slug, subject=conversation, type=event["type"]
        ).last()
        if made is not None:
            played.event_ids.append(str(made.pk))
        return played

    def watch(self, played: Played) -> Iterator[Arrival]:
        """The scene's banners as they come, until all have come and everyone has an outcome."""
        yield from self._look_until(
            lambda: not played.event_id or (played.complete and is_settled(played.event_id)),
            self._patience,
            played,
        )
        if played.event_id:
            played.outcomes = outcomes(played.event_id)
            played.deliveries = deliveries(played.event_id)

    def linger(self, seconds: float) -> None:
        """Wait for what should not come: banners that are too many, or on the wrong phone."""
        for _ in self._look_until(lambda: False, seconds, None):
            pass

    def _look_until(
        self, done: Callable[[], bool], seconds: float, played: Played | None
    ) -> Iterator[Arrival]:
        deadline = time.monotonic() + seconds
        while True:
            finished = done() or time.monotonic() >= deadline
            for arrival in self._sandbox.arrivals(after=self._seq):
                self._seq = arrival.seq
                if self._sort(arrival) is played:
                    yield arrival
            if finished:
                return
            time.sleep(LOOK_SECONDS)

    def _sort(self, arrival: Arrival) -> Played | None:
        """Note a banner with the scene that it belongs to; None if it is not of this story."""
        for played in self.played:
            if arrival.event_id and arrival.event_id in played.event_ids:
                played.arrivals.append(arrival)
                return played
        return None


def is_settled(event_id: str) -> bool:
    """Whether everyone whom the event concerns has an outcome."""
    return not Event.objects.filter(pk=int(event_id), state=Event.State.RECEIVED).exists()


def outcomes(event_id: str) -> dict[str, Outcome]:
    """By name, what was recorded for each person."""
    rows = (
        Notification.objects.filter(event=int(event_id))
        .order_by("membership__user__first_name")
        .values_list("membership__user__first_name", "outcome", "decided_by")
    )
    return {name: Outcome(outcome, decided_by) for name, outcome, decided_by in rows}


def deliveries(event_id: str) -> dict[str, str]:
    """By phone, how far its delivery has come, in plain words."""
    rows = Delivery.objects.filter(notification__event=int(event_id)).values_list(
        "installation__name", "state", "attempts", "reason"
    )
    return {
        phone: f"{state} after {attempts} attempts{reason and f': {reason}'}"
        for phone, state, attempts, reason in rows
    }
