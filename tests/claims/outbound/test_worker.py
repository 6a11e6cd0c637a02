"""Who sends in a running system: the workers of the default lane, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from celery.concurrency.prefork import TaskPool as Prefork
from celery.concurrency.solo import TaskPool as Solo
from django.utils import timezone

from claims import tasks
from claims.models import Message
from tests.claims.outbound.receiver import Reaction, Receiver, until
from tests.claims.outbound.worker import PATIENCE_SECONDS, working
from tests.factories import EndpointFactory, MessageFactory


def due(url: str) -> Message:
    endpoint = EndpointFactory.create(url=url)
    return MessageFactory.create(endpoint=endpoint, created_at=timezone.now())


def is_delivered(message: Message) -> bool:
    message.refresh_from_db()
    return message.state == "delivered"


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_and_after_a_kill_the_next_worker_sends_it_under_the_same_id(
    receiver: Receiver, ca_file: str, tmp_path: Path
) -> None:
    receiver.react = lambda seen: Reaction(wait=60)
    message = due(receiver.url)

    with working(tmp_path, ca_file=ca_file) as worker:
        until(lambda: len(receiver.seen) == 1, seconds=PATIENCE_SECONDS)
        worker.kill()
    receiver.react = lambda seen: Reaction(204)
    with working(tmp_path, ca_file=ca_file):
        until(lambda: is_delivered(message), seconds=PATIENCE_SECONDS)

    assert [seen.id for seen in receiver.seen] == [message.webhook_id] * 2
    assert list(message.tries.order_by("number").values_list("outcome", flat=True)) == [
        "lost",
        "delivered",
    ]


class Recorded:
    """A loop that only says what is asked of it."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def begin(self) -> None:
        self.calls.append("begin")

    def end(self) -> None:
        self.calls.append("end")


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    loop = Recorded()
    monkeypatch.setattr(tasks, "loop", lambda: loop)
    yield loop


def worker(*lanes: str, pool: type[object] = Solo) -> SimpleNamespace:
    """A worker, as far as it is asked."""
    queues = SimpleNamespace(consume_from=dict.fromkeys(lanes))
    return SimpleNamespace(app=SimpleNamespace(amqp=SimpleNamespace(queues=queues)), pool_cls=pool)


def test_a_worker_of_the_default_lane_sends_as_long_as_it_lives(recorded: Recorded) -> None:
    tasks.begin_loop(worker("default"))
    tasks.end_loop(worker("default"))
    assert recorded.calls == ["begin", "end"]


def test_a_worker_of_the_escalation_lane_has_nothing_to_do_with_it(recorded: Recorded) -> None:
    tasks.begin_loop(worker("escalation"))
    tasks.end_loop(worker("escalation"))
    assert recorded.calls == []


def test_a_worker_that_forks_does_not_send(recorded: Recorded) -> None:
    tasks.begin_loop(worker("default", pool=Prefork))
    assert recorded.calls == []
