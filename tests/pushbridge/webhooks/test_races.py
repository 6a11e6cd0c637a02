"""Messages at the same moment: one id is one event, and changes a state once or not at all."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from channels_app.models import Bot, Connection, Event, Source
from claims.models import Conversation
from pushbridge.webhooks import connections, intake, messages
from pushbridge.webhooks.intake import Receipt
from tests.factories import BotFactory, ConnectionFactory, WorkflowFactory
from tests.pushbridge.webhooks.signing import human_requested
from tests.races import at_once
from workflows.models import Run

pytestmark = pytest.mark.django_db(transaction=True)
THEN = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
PATIENCE = 20.0


def take(connection: Connection, event: dict[str, Any], webhook_id: str = "msg_1") -> Receipt:
    now = timezone.now()
    live = connections.read(connection.pk, now=now)
    assert live is not None
    return intake.take(
        messages.parse(event, now=now), connection=live, webhook_id=webhook_id, now=now
    )


@pytest.fixture
def connection() -> Connection:
    """The door of an organization with the bot `bot_x` and the workflow `wf`."""
    made = ConnectionFactory.create()
    BotFactory.create(organization=made.organization, external_id="bot_x", name="Bot X")
    WorkflowFactory.create(organization=made.organization, external_id="wf", name="Digest")
    return made


def about(conversation: str, **changes: Any) -> dict[str, Any]:
    return {**human_requested(conversation={"id": conversation}), **changes}


def run_event(type: str, run: str = "run_1", **data: Any) -> dict[str, Any]:
    return {
        "type": type,
        "timestamp": THEN.isoformat(),
        "data": {"workflow": {"id": "wf", "name": "Digest"}, "run": {"id": run}, **data},
    }


def assert_one_was_stored(receipts: list[Receipt]) -> Event:
    event = Event.objects.get()
    assert {receipt.event_id for receipt in receipts} == {event.pk}
    assert [receipt.created for receipt in receipts].count(True) == 1
    return event


def test_of_many_requests_with_one_id_exactly_one_makes_the_event(connection: Connection) -> None:
    event = about("conv_1")

    assert_one_was_stored(at_once(8, lambda _: take(connection, event)))

    assert Conversation.objects.get().epoch == 1


def test_of_different_events_with_one_id_only_the_stored_one_changes_anything(
    connection: Connection,
) -> None:
    receipts = at_once(8, lambda number: take(connection, about(f"conv_{number}")))

    event = assert_one_was_stored(receipts)
    assert Conversation.objects.get().external_id == event.subject


def test_of_different_runs_with_one_id_only_the_stored_one_is_made(connection: Connection) -> None:
    receipts = at_once(
        8, lambda number: take(connection, run_event("workflow.run_started", f"run_{number}"))
    )

    event = assert_one_was_stored(receipts)
    assert Run.objects.get().external_id == event.subject


def test_of_many_requests_with_one_id_of_an_unknown_type_one_makes_the_event(
    connection: Connection,
) -> None:
    event = {"type": "invoice.paid", "timestamp": THEN.isoformat(), "data": {}}

    assert_one_was_stored(at_once(8, lambda _: take(connection, event)))


def test_a_bot_that_many_events_name_for_the_first_time_is_made_once(
    connection: Connection,
) -> None:
    new = {"id": "bot_new", "name": "New"}

    receipts = at_once(
        8, lambda number: take(connection, human_requested(bot=new), f"msg_{number}")
    )

    bot = Bot.objects.get(external_id="bot_new")
    assert all(receipt.created for receipt in receipts)
    assert list(Event.objects.values_list("source_id", flat=True)) == [bot.pk] * 8


def test_a_bot_whose_name_is_in_dispute_has_one_of_its_names_and_all_its_events(
    connection: Connection,
) -> None:
    names = [f"Name {number}" for number in range(8)]

    receipts = at_once(
        8,
        lambda number: take(
            connection, human_requested(bot={"id": "bot_x", "name": names[number]}), f"m{number}"
        ),
    )

    assert all(receipt.created for receipt in receipts)
    assert Source.objects.get(external_id="bot_x").name in names


def test_events_of_one_conversation_at_once_leave_what_happened_last(
    connection: Connection,
) -> None:
    types = ["human_requested", "claimed", "released", "resolved"] * 3
    history = [
        about(
            "conv_1",
            type=f"conversation.{type}",
            timestamp=(THEN + timedelta(minutes=number % 4)).isoformat(),
        )
        for number, type in enumerate(types)
    ]
    random.Random(7).shuffle(history)

    at_once(12, lambda number: take(connection, history[number], f"msg_{number}"))

    conversation = Conversation.objects.get()
    assert (conversation.state, conversation.epoch) == ("resolved", 1)
    assert conversation.changed_at == THEN + timedelta(minutes=3)


def test_in_a_storm_of_repeated_ids_every_change_has_its_event(connection: Connection) -> None:
    """Sixty ids, each for messages about several conversations at several times, from 8 threads."""

    def send(number: int) -> None:
        chance = random.Random(number)
        for _ in range(60):
            take(
                connection,
                about(
                    f"conv_{chance.randrange(6)}",
                    type=chance.choice(["conversation.human_requested", "conversation.resolved"]),
                    timestamp=(THEN + timedelta(seconds=chance.randrange(1000))).isoformat(),
                ),
                f"msg_{chance.randrange(60)}",
            )

    at_once(8, send)

    assert Event.objects.count() == 60
    last = Event.objects.values_list("subject").annotate(last=Max("occurred_at"))
    assert set(Conversation.objects.values_list("external_id", "changed_at")) == set(last)


def test_a_repetition_that_waits_for_the_first_leaves_what_came_between_alone(
    connection: Connection,
) -> None:
    """The repetition passed its look for an earlier one, then stands behind a conversation's lock.

    Between the two lies the end of the conversation, in the same second as the escalation, which
    an escalation would reopen.
    """
    escalation = about("conv_1", timestamp=THEN.isoformat())
    take(connection, about("conv_1", timestamp=(THEN - timedelta(hours=1)).isoformat()), "msg_0")
    answers: list[Receipt] = []

    def repeat() -> None:
        try:
            answers.append(take(connection, escalation))
        finally:
            database.close()

    repetition = threading.Thread(target=repeat)
    with transaction.atomic():
        first = take(connection, escalation)
        Conversation.objects.update(state="resolved", left_at=THEN, next_wave_at=None)
        repetition.start()
        wait_until_somebody_waits_for_a_lock()
    repetition.join(PATIENCE)

    assert answers == [Receipt(first.event_id, created=False)]
    assert (Conversation.objects.get().state, Conversation.objects.get().epoch) == ("resolved", 2)


def wait_until_somebody_waits_for_a_lock() -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with database.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE datname = current_database() AND NOT granted"
            )
            if cursor.fetchone() != (0,):
                return
        time.sleep(0.01)
    pytest.fail("nobody waits for a lock")


def test_a_message_whose_first_copy_is_undone_takes_its_place(connection: Connection) -> None:
    escalation = about("conv_1")
    answers: list[Receipt] = []

    def repeat() -> None:
        try:
            answers.append(take(connection, escalation))
        finally:
            database.close()

    repetition = threading.Thread(target=repeat)
    with rolled_back():
        take(connection, escalation)
        repetition.start()
        wait_until_somebody_waits_for_a_lock()
    repetition.join(PATIENCE)

    event = assert_one_was_stored(answers)
    assert event.facts == {"conversation": Conversation.objects.get().pk, "epoch": 1}


@contextmanager
def rolled_back() -> Iterator[None]:
    """A transaction that comes to nothing, as of a process that is killed."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
