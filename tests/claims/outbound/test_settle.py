from __future__ import annotations

from datetime import timedelta

import pytest

from channels_app.models import Event
from claims.models import Endpoint, Message
from claims.outbound import messages, tries
from claims.outbound.answers import Answer, Outcome
from tests.claims.outbound.conftest import NOW
from tests.claims.outbound.steps import MOST_TRIES, due, fail_until_given_up, ids, lease, settle
from tests.factories import EndpointFactory, MembershipFactory, MessageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint() -> Endpoint:
    return EndpointFactory.create()


def test_what_was_refused_is_tried_again(endpoint: Endpoint) -> None:
    message = due(endpoint)

    settle(lease(), Outcome.REFUSED, 503)

    message.refresh_from_db()
    assert (message.state, message.reason, message.settled_at) == ("pending", "HTTP 503", None)
    assert timedelta(seconds=5) <= message.due_at - NOW <= timedelta(seconds=5.5)
    endpoint.refresh_from_db()
    assert endpoint.failing_since == NOW


def test_a_success_ends_the_failing(endpoint: Endpoint) -> None:
    Endpoint.objects.update(failing_since=NOW - timedelta(minutes=1))
    due(endpoint)

    settle(lease(), Outcome.DELIVERED, 204)

    endpoint.refresh_from_db()
    assert endpoint.failing_since is None


def test_after_an_outage_what_waits_for_hours_is_sent_at_once(endpoint: Endpoint) -> None:
    Endpoint.objects.update(failing_since=NOW - timedelta(hours=3))
    waiting = [due(endpoint, due_at=NOW + timedelta(hours=hours)) for hours in (5, 2)]
    due(endpoint)

    settle(lease(), Outcome.DELIVERED, 204)

    assert ids(lease()) == sorted(message.pk for message in waiting)


def test_an_answer_to_an_earlier_try_changes_nothing(endpoint: Endpoint) -> None:
    message = due(endpoint)
    early = lease()
    Message.objects.update(state="pending", due_at=NOW)
    lease()

    settle(early, Outcome.REFUSED, 500)

    message.refresh_from_db()
    assert (message.state, message.attempts) == ("sending", 2)


def test_settling_twice_is_settling_once(endpoint: Endpoint) -> None:
    message = due(endpoint)
    leased = lease()

    settle(leased, Outcome.DELIVERED, 200)
    settle(leased, Outcome.REFUSED, 500)

    message.refresh_from_db()
    assert message.state == "delivered"
    assert message.tries.get().outcome == "delivered"


def test_after_days_of_failure_an_endpoint_is_disabled_and_the_operators_are_told_once(
    endpoint: Endpoint,
) -> None:
    organization = endpoint.connection.organization
    operator = MembershipFactory.create(organization=organization, user__is_staff=True)
    MembershipFactory.create(organization=organization)
    MembershipFactory.create(organization=organization, user__is_staff=True, active=False)
    MembershipFactory.create(organization=organization, user__is_staff=True, user__is_active=False)
    MembershipFactory.create(user__is_staff=True)
    message = due(endpoint)

    fail_until_given_up(message)
    messages.enqueue_test(endpoint=endpoint, now=NOW)
    settle(lease(), Outcome.REFUSED, 410)

    assert message.attempts == 10
    endpoint.refresh_from_db()
    assert (endpoint.disabled_reason, endpoint.enabled) == ("failing", True)
    event = Event.objects.get(type="connection.webhook_disabled")
    assert event.facts == {"members": [operator.pk]}
    assert event.payload["data"] == {
        "connection": {"id": str(endpoint.connection_id), "name": endpoint.connection.name},
        "reason": "failing",
    }


def test_one_message_that_nobody_wants_disables_nothing(endpoint: Endpoint) -> None:
    poison = due(endpoint)
    for _ in range(MOST_TRIES):
        now = poison.due_at
        at = now.timestamp()
        good = MessageFactory.create(endpoint=endpoint, created_at=now)
        tries.settle(
            [
                (
                    one,
                    Answer(
                        Outcome.DELIVERED if one.message_id == good.pk else Outcome.REFUSED,
                        200,
                        "",
                        at,
                        at,
                    ),
                )
                for one in tries.lease(now=now, limit=10)
            ],
            now=now,
        )
        poison.refresh_from_db()
        if poison.state != "pending":
            break

    endpoint.refresh_from_db()
    assert (poison.state, poison.attempts) == ("failed", 10)
    assert endpoint.disabled_at is None


def test_gone_disables_at_once(endpoint: Endpoint) -> None:
    due(endpoint)

    settle(lease(), Outcome.REFUSED, 410)

    endpoint.refresh_from_db()
    assert (endpoint.disabled_at, endpoint.disabled_reason) == (NOW, "gone")
    assert Event.objects.filter(type="connection.webhook_disabled").count() == 1


def test_a_test_is_tried_once(endpoint: Endpoint) -> None:
    test = messages.enqueue_test(endpoint=endpoint, now=NOW)

    settle(lease(), Outcome.REFUSED, 500)

    test.refresh_from_db()
    assert (test.state, test.attempts) == ("failed", 1)
