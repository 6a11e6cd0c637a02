from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import psycopg2
import pytest
from django.db import connection, transaction
from pytest_django import Settings

from channels_app import orphans
from channels_app.gateways.pushes import Verdict
from channels_app.leases import LEASE, ORPHAN_AGE, Leased
from channels_app.levels import Lane
from channels_app.models import Attempt, Delivery
from tests.channels_app.deliveries.rows import NOW, SECOND, due, lease, leased_one, settle
from tests.races import at_once

pytestmark = pytest.mark.django_db


def sweep(after: timedelta = LEASE, lane: Lane = Lane.DEFAULT) -> int:
    return orphans.take_back(lane=lane, now=NOW + after)


def sweep_orphans(after: timedelta = ORPHAN_AGE, grace: timedelta = timedelta()) -> int:
    return orphans.take_back(lane=Lane.DEFAULT, now=NOW + after, grace=grace)


def orphan(holder: str = "deadbeef") -> tuple[Delivery, Leased]:
    """A delivery that a process has leased which may be gone."""
    delivery, leased = leased_one()
    Delivery.objects.update(holder=holder)
    return delivery, leased


def test_what_a_dead_sender_had_leased_is_due_again() -> None:
    delivery, _ = leased_one()
    assert sweep() == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason, delivery.settled_at) == (
        "pending",
        "sender_lost",
        None,
    )
    assert [leased.attempt for leased in lease(after=LEASE).leased] == [2]


def test_an_attempt_that_was_lost_leaves_a_row() -> None:
    delivery, _ = leased_one()
    sweep()
    attempt = Attempt.objects.get(delivery=delivery)
    assert (attempt.number, attempt.verdict, attempt.status) == (1, "lost", None)
    assert (attempt.sent_at, attempt.answered_at) == (NOW, NOW + LEASE)


def test_a_living_senders_lease_is_left_alone() -> None:
    leased_one()
    assert sweep(after=LEASE - SECOND) == 0


def test_what_a_process_without_a_session_had_leased_is_free_within_seconds() -> None:
    delivery, _ = orphan()
    assert sweep_orphans() == 1
    delivery.refresh_from_db()
    attempt = Attempt.objects.get(delivery=delivery)
    assert (delivery.state, attempt.verdict, attempt.sent_at) == ("pending", "lost", NOW)
    assert [leased.attempt for leased in lease(after=ORPHAN_AGE).leased] == [2]


def test_a_process_has_seconds_to_make_a_new_session() -> None:
    orphan()
    assert sweep_orphans(after=ORPHAN_AGE - SECOND) == 0


def test_a_process_with_a_session_keeps_what_it_leased() -> None:
    orphan(holder="0badcafe")
    name = {"application_name": "pushbridge 0badcafe"}
    with closing(psycopg2.connect(**{**connection.get_connection_params(), **name})):
        assert sweep_orphans() == 0


def test_our_own_leases_are_not_orphans() -> None:
    leased_one()
    assert sweep_orphans() == 0


def test_after_a_restart_of_the_server_nobody_is_dead_for_want_of_a_session() -> None:
    orphan()
    assert sweep_orphans(grace=timedelta(days=36_500)) == 0


def test_a_list_of_sessions_that_does_not_show_us_proves_nothing(settings: Settings) -> None:
    orphan()
    settings.LEASE_HOLDER = "00000000"
    assert sweep_orphans() == 0


def test_what_waits_for_its_time_is_not_swept() -> None:
    due(due_at=NOW - timedelta(hours=1))
    assert sweep() == 0


def test_each_lane_is_swept_by_itself() -> None:
    leased_one()
    assert sweep(lane=Lane.ESCALATION) == 0


def test_what_has_cost_five_senders_their_life_is_left_alone() -> None:
    delivery = due(state="sending", attempts=5)
    sweep()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.settled_at) == ("unknown", NOW + LEASE)


@pytest.mark.django_db(transaction=True)
def test_of_an_answer_and_a_sweep_at_once_the_answer_is_what_remains() -> None:
    delivery, leased = leased_one()
    at_once(8, lambda number: sweep() if number % 2 else settle(leased, Verdict.ACCEPTED))
    row = Delivery.objects.get(pk=delivery.pk)
    attempt = Attempt.objects.get(delivery=delivery)
    assert (row.state, attempt.verdict) == ("accepted", "accepted")


@pytest.mark.django_db(transaction=True)
def test_of_two_sweeps_at_once_one_finds_what_was_lost() -> None:
    leased_one()
    assert sorted(at_once(2, lambda _: sweep())) == [0, 1]
    assert Attempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_lease_that_is_being_settled_is_passed_over() -> None:
    delivery, _ = leased_one()
    with transaction.atomic():
        Delivery.objects.select_for_update().get(pk=delivery.pk)
        assert at_once(1, lambda _: sweep()) == [0]
