from __future__ import annotations

import time
from datetime import timedelta

import pytest

from claims.models import Endpoint, Message
from claims.outbound import messages, tries
from claims.outbound.answers import Outcome
from claims.outbound.tries import LEASE, MOST_UNDER_WAY, Leased
from tests.claims.outbound.conftest import NOW
from tests.claims.outbound.steps import answer, due, ids, lease, settle
from tests.factories import EndpointFactory
from tests.queries import taken_by

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint() -> Endpoint:
    return EndpointFactory.create()


def test_a_lease_is_a_try(endpoint: Endpoint) -> None:
    message = due(endpoint)

    (leased,) = lease()

    message.refresh_from_db()
    assert (message.state, message.attempts, message.due_at) == ("sending", 1, NOW + LEASE)
    assert (leased.attempt, leased.url, leased.secrets) == (1, endpoint.url, (endpoint.secret,))
    assert lease() == []


def test_what_is_not_due_waits(endpoint: Endpoint) -> None:
    due(endpoint, due_at=NOW + timedelta(seconds=1))
    assert lease() == []


@pytest.mark.parametrize(
    "off",
    [
        {"enabled": False},
        {"disabled_at": NOW, "disabled_reason": "gone"},
    ],
)
def test_an_endpoint_that_is_off_is_sent_a_test_and_nothing_else(off: dict[str, object]) -> None:
    endpoint = EndpointFactory.create(**off)
    due(endpoint)
    test = messages.enqueue_test(endpoint=endpoint, now=NOW)

    assert ids(lease()) == [test.pk]


def test_a_connection_that_is_off_is_sent_nothing() -> None:
    endpoint = EndpointFactory.create(connection__active=False)
    due(endpoint)
    messages.enqueue_test(endpoint=endpoint, now=NOW)
    assert lease() == []


def test_an_endpoint_has_few_places(endpoint: Endpoint) -> None:
    other = due(EndpointFactory.create())
    mine = [due(endpoint).pk for _ in range(10)]

    assert ids(lease()) == sorted([*mine[:MOST_UNDER_WAY], other.pk])
    assert lease() == []


def test_an_endpoint_that_fails_has_one_place() -> None:
    endpoint = EndpointFactory.create(failing_since=NOW)
    first, *_ = [due(endpoint) for _ in range(5)]
    assert ids(lease()) == [first.pk]


def test_every_endpoint_has_its_turn_before_any_has_a_second() -> None:
    firsts = []
    for _ in range(3):
        endpoint = EndpointFactory.create()
        firsts.append(due(endpoint).pk)
        due(endpoint)
    assert ids(lease(limit=3)) == firsts


def test_of_one_conversation_one_message_is_under_way_at_a_time(endpoint: Endpoint) -> None:
    first, second = (due(endpoint, subject="c-1") for _ in range(2))
    other = due(endpoint, subject="c-2")

    assert ids(lease()) == [first.pk, other.pk]
    assert lease() == []
    tries.settle([(one, answer(Outcome.DELIVERED, 200)) for one in lease() or []], now=NOW)
    Message.objects.filter(pk=first.pk).update(state="delivered", settled_at=NOW)
    assert ids(lease()) == [second.pk]


def test_the_same_conversation_at_another_endpoint_does_not_wait(endpoint: Endpoint) -> None:
    here, there = due(endpoint, subject="c"), due(EndpointFactory.create(), subject="c")
    assert ids(lease()) == [here.pk, there.pk]


def test_a_message_waits_for_an_earlier_one_that_is_tried_again_in_seconds(
    endpoint: Endpoint,
) -> None:
    first, second = (due(endpoint, subject="c-1") for _ in range(2))

    settle(lease(), Outcome.REFUSED, 503)
    assert lease() == []

    settle(lease(seconds=6), Outcome.DELIVERED, 200, seconds=6)
    assert ids(lease(seconds=6)) == [second.pk]
    first.refresh_from_db()
    assert first.state == "delivered"


def test_a_message_does_not_wait_for_an_earlier_one_that_is_tried_again_in_minutes(
    endpoint: Endpoint,
) -> None:
    due(endpoint, subject="c-1", due_at=NOW + timedelta(minutes=5))
    second = due(endpoint, subject="c-1")
    assert ids(lease()) == [second.pk]


@pytest.mark.parametrize("number", [1, 30])
def test_leasing_and_settling_take_the_same_number_of_statements(number: int) -> None:
    for _ in range(number):
        due(EndpointFactory.create())
    leased: list[Leased] = []

    assert taken_by(lambda: leased.extend(lease())) == 4  # SAVEPOINT and RELEASE among them
    assert len(leased) == number
    assert taken_by(lambda: settle(leased, Outcome.DELIVERED, 200)) == 4


def test_the_lease_reads_no_history(endpoint: Endpoint) -> None:
    over = [
        Message(
            endpoint=endpoint,
            webhook_id=f"msg_{number}",
            type="conversation.claimed",
            subject=f"c-{number}",
            body="{}",
            created_at=NOW,
            due_at=NOW,
            round_at=NOW,
            state="delivered",
            settled_at=NOW,
        )
        for number in range(5000)
    ]
    Message.objects.bulk_create(over)
    due(endpoint)
    started = time.perf_counter()
    assert len(lease()) == 1
    assert time.perf_counter() - started < 1
