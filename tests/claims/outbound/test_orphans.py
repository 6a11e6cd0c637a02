from __future__ import annotations

from datetime import timedelta

import pytest

from channels_app.leases import ORPHAN_AGE
from claims.models import Endpoint, Message
from claims.outbound import orphans, tries
from claims.outbound.answers import Answer, Outcome
from claims.outbound.tries import LEASE, Leased
from tests.claims.outbound.conftest import NOW
from tests.factories import MessageFactory

pytestmark = pytest.mark.django_db

BRIEFLY = timedelta(seconds=1)


@pytest.fixture
def message() -> Message:
    return MessageFactory.create(created_at=NOW)


@pytest.fixture
def leased(message: Message) -> Leased:
    (one,) = tries.lease(now=NOW, limit=1)
    return one


def take_back(after: timedelta, *, grace: timedelta = timedelta(0)) -> int:
    return orphans.take_back(now=NOW + after, limit=10, grace=grace)


def test_what_a_dead_sender_had_is_tried_again_within_seconds(
    message: Message, leased: Leased
) -> None:
    Message.objects.update(holder="deadbeef")

    assert take_back(ORPHAN_AGE - BRIEFLY) == 0
    assert take_back(ORPHAN_AGE) == 1

    message.refresh_from_db()
    assert (message.state, message.reason) == ("pending", "SenderLost")
    assert message.due_at - NOW < timedelta(seconds=11)
    lost = message.tries.get()
    assert (lost.number, lost.outcome, lost.sent_at) == (1, "lost", NOW)


def test_what_a_living_sender_has_is_left_to_it(message: Message, leased: Leased) -> None:
    assert take_back(LEASE - BRIEFLY) == 0
    assert take_back(LEASE) == 1


def test_it_is_taken_back_once(message: Message, leased: Leased) -> None:
    take_back(LEASE)
    assert take_back(LEASE) == 0
    message.refresh_from_db()
    assert message.tries.count() == 1


def test_that_a_sender_died_says_nothing_of_the_receiver(message: Message, leased: Leased) -> None:
    take_back(LEASE)
    assert message.endpoint.failing_since is None


def test_an_answer_that_comes_after_all_takes_the_place_of_the_loss(
    message: Message, leased: Leased
) -> None:
    take_back(LEASE)
    at = NOW.timestamp()

    tries.settle([(leased, Answer(Outcome.DELIVERED, 200, "", at, at + 60))], now=NOW + LEASE)

    message.refresh_from_db()
    assert message.state == "delivered"
    assert message.tries.get().outcome == "delivered"


def test_a_message_whose_senders_always_die_comes_less_and_less_often(message: Message) -> None:
    now, waits = NOW, []
    for _ in range(4):
        assert tries.lease(now=now, limit=1)
        orphans.take_back(now=now + LEASE, limit=10)
        message.refresh_from_db()
        waits.append(message.due_at - now - LEASE)
        now = message.due_at
    assert waits == sorted(waits)
    assert waits[-1] > timedelta(hours=1)


def test_what_waits_for_a_disabled_endpoint_is_given_up(message: Message) -> None:
    Endpoint.objects.update(disabled_at=NOW, disabled_reason="gone")

    assert orphans.give_up_disabled(now=NOW) == 1

    message.refresh_from_db()
    assert (message.state, message.reason) == ("failed", "endpoint_disabled")
