from __future__ import annotations

from datetime import timedelta

import pytest

from claims.models import Endpoint, Message
from claims.outbound import messages, tries
from tests.claims.outbound.conftest import NOW
from tests.claims.outbound.steps import due, fail_until_given_up
from tests.factories import EndpointFactory, MessageFactory

LATER = NOW + timedelta(days=10)

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint() -> Endpoint:
    return EndpointFactory.create()


def test_a_replay_is_the_same_message_for_as_long_as_a_new_one(endpoint: Endpoint) -> None:
    message = due(endpoint)
    fail_until_given_up(message)
    webhook_id = message.webhook_id
    Endpoint.objects.update(disabled_at=None, disabled_reason="")

    assert messages.replay(message_ids=[message.pk], now=LATER) == 1

    message.refresh_from_db()
    assert (message.state, message.webhook_id) == ("pending", webhook_id)
    (leased,) = tries.lease(now=LATER, limit=10)
    assert (leased.attempt, leased.tries) == (11, 1)


def test_a_replay_to_an_endpoint_that_is_disabled_waits_until_it_is_enabled(
    endpoint: Endpoint,
) -> None:
    message = due(endpoint)
    fail_until_given_up(message)
    assert messages.replay(message_ids=[message.pk], now=LATER) == 0


def test_all_that_failed_since_a_time_is_replayed(endpoint: Endpoint) -> None:
    old, recent, other = (
        due(endpoint, state="failed", settled_at=NOW),
        MessageFactory.create(
            endpoint=endpoint, created_at=LATER, state="failed", settled_at=LATER
        ),
        MessageFactory.create(created_at=LATER, state="failed", settled_at=LATER),
    )

    again = messages.replay_failed(
        endpoint_id=endpoint.pk, since=NOW + timedelta(seconds=1), now=LATER
    )

    assert again == 1
    states = dict(Message.objects.values_list("pk", "state"))
    assert states == {old.pk: "failed", recent.pk: "pending", other.pk: "failed"}
