from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from channels_app import sources
from channels_app.models import Bot, Connection, Event
from claims.models import Conversation
from pushbridge.webhooks import connections, intake, messages
from pushbridge.webhooks.connections import LiveConnection
from pushbridge.webhooks.intake import Receipt
from tests.factories import BotFactory, ConnectionFactory, WorkflowFactory
from tests.pushbridge.webhooks.signing import human_requested
from workflows.models import Run

BOT_EVENT = {
    "type": "bot.tool_linked",
    "timestamp": "2026-11-23T10:03:00Z",
    "data": {
        "bot": {"id": "bot_x", "name": "Bot X"},
        "tool": {"id": "tool_9", "name": "Stripe refunds"},
    },
}


def live() -> LiveConnection:
    found = connections.find(ConnectionFactory.create().pk, now=timezone.now())
    assert found is not None
    return found


def take(connection: LiveConnection, event: dict[str, Any], webhook_id: str = "msg_1") -> Receipt:
    now = timezone.now()
    return intake.take(
        messages.parse(event, now=now), connection=connection, webhook_id=webhook_id, now=now
    )


def run_event(event_type: str, **data: Any) -> dict[str, Any]:
    return {
        "type": event_type,
        "timestamp": "2026-11-23T11:00:00Z",
        "data": {
            "workflow": {"id": "wf_lead", "name": "Lead enrichment"},
            "run": {"id": "run_501", "steps": 4},
            **data,
        },
    }


@pytest.mark.django_db
def test_an_escalation_makes_the_bot_the_conversation_and_the_event() -> None:
    connection = live()
    event = {**human_requested(), "unknown": {"kept": True}}

    receipt = take(connection, event)

    stored = Event.objects.get(pk=receipt.event_id)
    bot = Bot.objects.get()
    conversation = Conversation.objects.get()
    assert (stored.state, stored.lane) == (Event.State.RECEIVED, "escalation")
    assert stored.payload == event
    assert stored.connection_id == connection.id
    assert (stored.source_id, stored.subject) == (bot.pk, "conv_1")
    assert stored.facts == {"conversation": conversation.pk, "epoch": 1}
    assert (bot.external_id, bot.name) == ("bot_x", "Bot X")
    assert bot.organization_id == connection.organization_id


@pytest.mark.django_db
def test_a_bot_event_belongs_to_its_bot() -> None:
    connection = live()
    bot = BotFactory.create(organization_id=connection.organization_id, external_id="bot_x")

    receipt = take(connection, BOT_EVENT)

    stored = Event.objects.get(pk=receipt.event_id)
    assert (stored.source_id, stored.subject, stored.lane) == (bot.pk, "", "default")


@pytest.mark.django_db
def test_a_run_event_brings_the_run_up_to_date() -> None:
    connection = live()
    workflow = WorkflowFactory.create(
        organization_id=connection.organization_id, external_id="wf_lead"
    )

    take(connection, run_event("workflow.run_started"), "msg_1")
    receipt = take(connection, run_event("workflow.run_finished", status="success"), "msg_2")

    stored = Event.objects.get(pk=receipt.event_id)
    assert (stored.source_id, stored.subject) == (workflow.pk, "run_501")
    assert stored.facts["steps"] == 4
    assert Run.objects.get().state == Run.State.SUCCESS


@pytest.mark.django_db
def test_a_type_that_only_changes_a_state_is_recorded() -> None:
    receipt = take(live(), {**human_requested(), "type": "conversation.released"})

    assert Event.objects.get(pk=receipt.event_id).state == Event.State.RECORDED
    assert Conversation.objects.get().state == Conversation.State.WAITING


@pytest.mark.django_db
def test_an_end_changes_a_state_and_is_routed_to_whoever_was_called() -> None:
    receipt = take(live(), {**human_requested(), "type": "conversation.resolved"})

    assert Event.objects.get(pk=receipt.event_id).state == Event.State.RECEIVED
    assert Conversation.objects.get().state == Conversation.State.RESOLVED


@pytest.mark.django_db
def test_an_unknown_type_is_kept_and_ignored() -> None:
    receipt = take(
        live(), {"type": "invoice.paid", "timestamp": "2026-11-23T10:00:00Z", "data": {"n": 1}}
    )

    stored = Event.objects.get(pk=receipt.event_id)
    assert (stored.state, stored.source_id) == (Event.State.IGNORED, None)
    assert stored.payload["data"] == {"n": 1}


@pytest.mark.django_db
def test_the_same_id_again_changes_nothing() -> None:
    connection = live()
    first = take(connection, human_requested())
    later = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()

    again = take(
        connection,
        {
            **human_requested(bot={"id": "bot_y", "name": "Bot Y"}, conversation={"id": "other"}),
            "timestamp": later,
        },
    )

    assert again == Receipt(first.event_id, created=False)
    assert Event.objects.count() == Bot.objects.count() == Conversation.objects.count() == 1


@pytest.mark.django_db
def test_another_connection_may_use_the_same_id() -> None:
    assert take(live(), human_requested()).created
    assert take(live(), human_requested()).created


@pytest.mark.django_db
def test_a_source_takes_the_name_that_the_platform_gives_it_now() -> None:
    connection = live()
    take(connection, human_requested())

    take(connection, human_requested(bot={"id": "bot_x", "name": "Bot Y"}), "msg_2")

    assert Bot.objects.get().name == "Bot Y"
    assert set(Event.objects.values_list("source_id", flat=True)) == {Bot.objects.get().pk}


@pytest.mark.django_db
@pytest.mark.parametrize(("unanswered", "facts"), [(2, set()), (3, {"conversation", "epoch"})])
def test_trouble_below_the_bots_threshold_is_an_event_without_a_conversation(
    unanswered: int, facts: set[str]
) -> None:
    event = {
        **human_requested(consecutive_unanswered=unanswered),
        "type": "conversation.unanswered",
    }

    receipt = take(live(), event)

    assert Event.objects.get(pk=receipt.event_id).facts.keys() == facts
    assert Conversation.objects.exists() is bool(facts)


@pytest.mark.django_db(transaction=True)
def test_what_belongs_to_a_deleted_connection_is_not_stored() -> None:
    connection = live()
    take(connection, human_requested())
    Event.objects.all().delete()
    Connection.objects.filter(pk=connection.id).delete()

    with pytest.raises(sources.Vanished):
        take(connection, {**human_requested(), "type": "conversation.resolved"}, "msg_2")

    assert Conversation.objects.get().state == Conversation.State.WAITING


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "event",
    [
        human_requested(),
        {**human_requested(), "type": "conversation.claimed"},
        {**human_requested(), "type": "conversation.message"},
        run_event("workflow.run_started"),
        BOT_EVENT,
        {"type": "invoice.paid", "timestamp": "2026-11-23T10:00:00Z", "data": {}},
    ],
    ids=lambda event: event["type"],
)
def test_an_event_of_a_known_source_is_one_statement_and_so_is_its_repetition(
    event: dict[str, Any], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    connection = live()
    take(connection, event, "msg_1")

    with django_assert_num_queries(1):
        assert take(connection, event, "msg_2").created
    with django_assert_num_queries(1):
        assert not take(connection, event, "msg_2").created
