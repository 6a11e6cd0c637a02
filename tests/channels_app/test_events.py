from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from channels_app import events
from channels_app.event_types import CATALOGUE
from channels_app.events import AlreadyReceived
from channels_app.models import Connection, Event
from tests.factories import BotFactory, ConnectionFactory, EventFactory, OrganizationFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
HAPPENED = NOW - timedelta(seconds=3)


def publish(connection: Connection, webhook_id: str = "msg_1", **changes: Any) -> int:
    fields: dict[str, Any] = {
        "organization_id": connection.organization_id,
        "connection_id": connection.pk,
        "webhook_id": webhook_id,
        "type": "conversation.human_requested",
        "payload": {"data": {}},
        "occurred_at": HAPPENED,
        "now": NOW,
    }
    return events.publish(**{**fields, **changes})


def test_an_event_is_kept_as_it_was_told() -> None:
    connection = ConnectionFactory.create()
    bot = BotFactory.create(organization=connection.organization)
    payload = {
        "type": "x",
        "data": {"message": "Grüße 🆘\u2028", "unknown": [1.5, None, {"a": True}]},
    }
    pk = publish(
        connection, payload=payload, source_id=bot.pk, subject="conv_1", facts={"epoch": 2}
    )
    event = Event.objects.get(pk=pk)
    assert (event.payload, event.facts) == (payload, {"epoch": 2})
    assert (event.connection, event.source_id, event.subject) == (connection, bot.pk, "conv_1")
    assert (event.occurred_at, event.received_at, event.route_at) == (HAPPENED, NOW, NOW)


@pytest.mark.parametrize(
    ("type", "state", "lane"),
    [
        ("conversation.human_requested", "received", "escalation"),
        ("bot.retrained", "received", "default"),
        ("workflow.step_completed", "received", "default"),
        ("conversation.message", "recorded", "escalation"),
        ("conversation.claimed", "received", "escalation"),
        ("conversation.released", "recorded", "escalation"),
        ("workflow.step_started", "recorded", "default"),
        ("invoice.paid", "ignored", "default"),
        ("", "ignored", "default"),
    ],
)
def test_only_what_may_push_waits_to_be_routed(type: str, state: str, lane: str) -> None:
    event = Event.objects.get(pk=publish(ConnectionFactory.create(), type=type))
    assert (event.state, event.lane) == (state, lane)


@pytest.mark.parametrize("type", CATALOGUE)
def test_no_type_of_the_catalogue_is_ignored(type: str) -> None:
    assert events.initial_state(CATALOGUE[type]) is not Event.State.IGNORED


def test_the_same_id_again_is_the_same_event() -> None:
    connection = ConnectionFactory.create()
    first = publish(connection)
    with pytest.raises(AlreadyReceived) as caught:
        publish(connection, type="bot.retrained", payload={"other": "content"})
    assert caught.value.event_id == first
    assert Event.objects.get().payload == {"data": {}}


def test_the_same_id_from_another_connection_is_another_event() -> None:
    first = ConnectionFactory.create()
    second = ConnectionFactory.create(organization=first.organization)
    assert publish(first) != publish(second)


def own_event(organization_id: int) -> int:
    return events.publish(
        organization_id=organization_id,
        connection_id=None,
        webhook_id="stuck:1",
        type="workflow.step_stuck",
        payload={},
        occurred_at=NOW,
        now=NOW,
    )


def test_an_event_of_our_own_is_published_once_as_well() -> None:
    organization = OrganizationFactory.create()
    first = own_event(organization.pk)
    with pytest.raises(AlreadyReceived) as caught:
        own_event(organization.pk)
    assert caught.value.event_id == first


def test_an_event_of_our_own_is_published_to_each_organization() -> None:
    ours, theirs = OrganizationFactory.create_batch(2)
    assert own_event(ours.pk) != own_event(theirs.pk)


def deliver(connection_id: UUID, organization_id: int) -> tuple[bool, int]:
    try:
        with transaction.atomic():
            published = events.publish(
                organization_id=organization_id,
                connection_id=connection_id,
                webhook_id="msg_1",
                type="bot.retrained",
                payload={},
                occurred_at=NOW,
                now=NOW,
            )
        return True, published
    except AlreadyReceived as before:
        return False, before.event_id


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_at_once_one_becomes_the_event_and_all_are_told_which() -> None:
    connection = ConnectionFactory.create()
    answers = at_once(16, lambda _: deliver(connection.pk, connection.organization_id))
    assert sum(first for first, _ in answers) == 1
    assert {event_id for _, event_id in answers} == {Event.objects.get().pk}


def test_a_quarantined_event_gets_three_more_tries() -> None:
    event = EventFactory.create(state="quarantined", route_attempts=4, route_error="KeyError: 'x'")
    assert events.requeue(event_ids=[event.pk], now=NOW) == 1
    event.refresh_from_db()
    assert (event.state, event.route_attempts, event.route_error) == ("received", 0, "")
    assert event.route_at == NOW


@pytest.mark.parametrize("state", ["received", "routed", "recorded", "ignored"])
def test_only_what_is_quarantined_is_requeued(state: str) -> None:
    event = EventFactory.create(state=state)
    assert events.requeue(event_ids=[event.pk], now=NOW) == 0
