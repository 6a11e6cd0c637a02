from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.db import connection

from channels_app import deliveries, orphans
from channels_app.deliveries import Taken
from channels_app.gateways.pushes import Verdict
from channels_app.leases import LEASE
from channels_app.levels import Lane, Level
from channels_app.models import Attempt, Delivery
from tests.channels_app.deliveries.rows import NOW, SECOND, answer, due, lease, leased_one, settle
from tests.factories import OrganizationFactory
from tests.queries import taken_by

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("verdict", "attempt", "level", "retry_after", "state", "wait"),
    [
        (Verdict.ACCEPTED, 1, Level.LOUD, None, "accepted", None),
        (Verdict.DEAD, 1, Level.LOUD, None, "failed", None),
        (Verdict.REJECTED, 1, Level.LOUD, None, "failed", None),
        (Verdict.REJECTED, 1, Level.LOUD, 5.0, "failed", None),
        (Verdict.CREDENTIALS, 1, Level.CRITICAL, None, "pending", 60),
        (Verdict.CREDENTIALS, 50, Level.QUIET, None, "pending", 60),
        (Verdict.RETRY, 1, Level.LOUD, None, "pending", 1),
        (Verdict.RETRY, 4, Level.LOUD, None, "pending", 8),
        (Verdict.RETRY, 9, Level.CRITICAL, None, "pending", 30),
        (Verdict.RETRY, 50, Level.QUIET, None, "pending", 600),
        (Verdict.RETRY, 1, Level.CRITICAL, 45.0, "pending", 45),
        (Verdict.UNKNOWN, 1, Level.LOUD, None, "pending", 1),
        (Verdict.UNKNOWN, 4, Level.LOUD, None, "pending", 8),
        (Verdict.UNKNOWN, 5, Level.LOUD, None, "unknown", None),
    ],
)
def test_each_verdict_leads_to_its_state(
    verdict: Verdict,
    attempt: int,
    level: Level,
    retry_after: float | None,
    state: str,
    wait: float | None,
) -> None:
    given = answer(1, verdict, retry_after=retry_after)
    due_at = None if wait is None else NOW + timedelta(seconds=wait)
    assert deliveries.after(given, attempt=attempt, level=level, now=NOW) == (state, due_at)


def test_an_accepted_delivery_is_settled() -> None:
    _, leased = leased_one()
    row = settle(leased, Verdict.ACCEPTED)
    assert (row.state, row.settled_at, row.reason) == ("accepted", NOW, "")


def test_a_rejected_delivery_keeps_the_push_services_word() -> None:
    _, leased = leased_one()
    row = settle(leased, Verdict.REJECTED, status=413, reason="PayloadTooLarge")
    assert (row.state, row.settled_at, row.reason) == ("failed", NOW, "PayloadTooLarge")


def test_a_delivery_that_is_worth_another_try_is_due_again() -> None:
    delivery, leased = leased_one()
    row = settle(leased, Verdict.RETRY, status=503, reason="Shutdown", retry_after=20.0)
    assert (row.state, row.settled_at, row.due_at) == ("pending", None, NOW + 20 * SECOND)
    assert lease(after=19 * SECOND) == Taken()
    assert lease(after=20 * SECOND).leased[0].attempt == 2


@pytest.mark.parametrize("verdict", [Verdict.RETRY, Verdict.UNKNOWN, Verdict.CREDENTIALS])
def test_a_delivery_that_would_be_due_after_its_time_has_expired(verdict: Verdict) -> None:
    _, leased = leased_one(expires_at=NOW + SECOND)
    row = settle(leased, verdict, reason="Shutdown")
    assert (row.state, row.settled_at, row.reason) == ("expired", NOW, "Shutdown")


def test_every_attempt_leaves_a_row() -> None:
    delivery, first = leased_one()
    settle(first, Verdict.RETRY, status=503, reason="Shutdown")
    (second,) = lease(after=SECOND).leased
    settle(second, Verdict.ACCEPTED, status=200, gateway_id="EC1BF194")
    rows = Attempt.objects.filter(delivery=delivery).order_by("number")
    assert list(rows.values_list("number", "verdict", "status", "reason", "gateway_id")) == [
        (1, "retry", 503, "Shutdown", ""),
        (2, "accepted", 200, "", "EC1BF194"),
    ]


def test_an_attempt_keeps_its_times() -> None:
    delivery, leased = leased_one()
    settle(leased, Verdict.ACCEPTED)
    attempt = Attempt.objects.get()
    assert (attempt.sent_at, attempt.answered_at) == (NOW, NOW + timedelta(milliseconds=40))


def test_words_without_end_are_cut() -> None:
    _, leased = leased_one()
    row = settle(leased, Verdict.REJECTED, reason="x" * 5000, gateway_id="y" * 5000, status=None)
    attempt = Attempt.objects.get()
    assert (len(row.reason), len(attempt.reason), len(attempt.gateway_id)) == (100, 100, 200)


def test_an_answer_to_an_earlier_attempt_changes_nothing() -> None:
    _, first = leased_one()
    orphans.take_back(lane=Lane.DEFAULT, now=NOW + LEASE)
    lease(after=LEASE)
    row = settle(first, Verdict.REJECTED)
    assert (row.state, row.attempts) == ("sending", 2)
    assert list(Attempt.objects.values_list("number", "verdict")) == [(1, "lost")]


def test_the_same_answer_again_changes_nothing() -> None:
    _, leased = leased_one()
    settle(leased, Verdict.ACCEPTED)
    assert settle(leased, Verdict.RETRY).state == "accepted"
    assert Attempt.objects.get().verdict == "accepted"


def test_each_of_a_batch_is_settled_by_its_own_answer() -> None:
    for _ in range(3):
        due()
    taken = lease().leased
    verdicts = [Verdict.ACCEPTED, Verdict.REJECTED, Verdict.RETRY]
    given = [answer(leased.delivery_id, v) for leased, v in zip(taken, verdicts, strict=True)]
    deliveries.settle(list(zip(taken, given, strict=True)), now=NOW)
    states = dict(Delivery.objects.values_list("pk", "state"))
    assert [states[leased.delivery_id] for leased in taken] == ["accepted", "failed", "pending"]


@pytest.mark.django_db(transaction=True)
def test_answers_of_every_kind_are_written_down_by_a_prepared_statement_too() -> None:
    for _ in range(4):
        due()
    taken = lease().leased
    given = [
        answer(taken[0].delivery_id, Verdict.ACCEPTED, gateway_id='{"a,b"}\\'),
        answer(taken[1].delivery_id, Verdict.RETRY, status=503, reason="it's {busy}"),
        answer(taken[2].delivery_id, Verdict.UNKNOWN, status=None, reason="Timeout"),
    ]
    deliveries.settle(list(zip(taken[:3], given, strict=True)), now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")  # as a pooler might
    lone = answer(taken[3].delivery_id, Verdict.UNKNOWN, status=None)
    deliveries.settle([(taken[3], lone)], now=NOW)

    tries = {each.delivery_id: each for each in Attempt.objects.all()}
    assert [(tries[one.delivery_id].verdict, tries[one.delivery_id].status) for one in taken] == [
        ("accepted", 200),
        ("retry", 503),
        ("unknown", None),
        ("unknown", None),
    ]
    assert tries[taken[0].delivery_id].gateway_id == '{"a,b"}\\'
    assert tries[taken[1].delivery_id].reason == "it's {busy}"


def test_fifty_answers_are_written_down_by_as_many_queries_as_one() -> None:
    acme, counts = OrganizationFactory.create(), []
    for size in (1, 50):
        for _ in range(size):
            due(acme)
        results = [(each, answer(each.delivery_id, Verdict.ACCEPTED)) for each in lease().leased]
        counts.append(taken_by(partial(deliveries.settle, results, now=NOW)))
    assert counts == [1, 1]


def test_no_answers_are_no_work() -> None:
    assert taken_by(lambda: deliveries.settle([], now=NOW)) == 0
