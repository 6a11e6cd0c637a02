from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from channels_app.models import Organization
from claims.models import Message
from claims.outbound import enqueue
from tests.factories import ConnectionFactory, EndpointFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
CLAIMED = {
    "bot": {"id": "bot-1", "name": "Bot X"},
    "conversation": {"id": "c-1"},
    "agent": {"id": "agent-7", "name": "Alice"},
    "epoch": 3,
}


@pytest.fixture
def acme() -> Organization:
    return OrganizationFactory.create(slug="acme")


def claimed(organization: Organization) -> None:
    enqueue(organization_id=organization.pk, type="conversation.claimed", data=CLAIMED, now=NOW)


def test_every_endpoint_of_the_organization_is_told_under_the_same_id(acme: Organization) -> None:
    for _ in range(2):
        EndpointFactory.create(connection__organization=acme)
    EndpointFactory.create()

    claimed(acme)

    first, second = Message.objects.all()
    assert {first.endpoint.connection.organization, second.endpoint.connection.organization} == {
        acme
    }
    assert first.endpoint != second.endpoint
    assert first.webhook_id == second.webhook_id
    assert first.body == second.body
    assert first.webhook_id.startswith("msg_")
    assert (first.state, first.due_at, first.subject) == ("pending", NOW, "c-1")


def test_the_body_is_that_of_standard_webhooks(acme: Organization) -> None:
    EndpointFactory.create(connection__organization=acme)

    claimed(acme)

    body = json.loads(Message.objects.get().body)
    sequence = body["data"].pop("sequence")
    assert isinstance(sequence, int)
    assert body == {
        "type": "conversation.claimed",
        "timestamp": "2026-11-23T09:15:00.000Z",
        "data": {"organization": "acme", **CLAIMED},
    }


def test_a_later_change_has_a_higher_sequence(acme: Organization) -> None:
    EndpointFactory.create(connection__organization=acme)

    for _ in range(3):
        claimed(acme)

    sequences = [
        json.loads(message.body)["data"]["sequence"] for message in Message.objects.order_by("pk")
    ]
    assert sequences == sorted(set(sequences))


@pytest.mark.parametrize(
    "off", [{"enabled": False}, {"connection__active": False}], ids=["endpoint", "connection"]
)
def test_what_is_switched_off_is_not_told(acme: Organization, off: dict[str, bool]) -> None:
    EndpointFactory.create(connection__organization=acme, **off)

    claimed(acme)

    assert not Message.objects.exists()


def test_what_we_disabled_ourselves_keeps_the_message_for_a_replay(acme: Organization) -> None:
    EndpointFactory.create(
        connection__organization=acme, disabled_at=NOW, disabled_reason="failing"
    )

    claimed(acme)

    message = Message.objects.get()
    assert (message.state, message.reason) == ("failed", "endpoint_disabled")


def test_a_change_that_is_undone_is_not_told(acme: Organization) -> None:
    EndpointFactory.create(connection__organization=acme)

    with transaction.atomic():
        claimed(acme)
        transaction.set_rollback(True)

    assert not Message.objects.exists()


@pytest.mark.parametrize(("endpoints", "statements"), [(0, 1), (1, 2), (20, 2)])
def test_any_number_of_endpoints_costs_the_same(
    acme: Organization, endpoints: int, statements: int
) -> None:
    for _ in range(endpoints):
        EndpointFactory.create(connection=ConnectionFactory.create(organization=acme))

    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        claimed(acme)

    assert len(queries) == statements
