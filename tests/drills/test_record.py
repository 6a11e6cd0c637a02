"""A drill that could not fail would prove nothing: each broken promise must be seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bench.drills.events import plan
from bench.drills.ledger import DeliveryRow
from bench.drills.phones import Arrival
from bench.drills.platform import Post
from bench.drills.record import Record

NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
PHONES = ("phone-a", "phone-b")
STRUCK_AT = 100.0


def flawless() -> Record:
    """Two events for two phones; a worker died with one delivery in hand, which came twice."""
    posts = [
        Post(planned, tries=1, status=202, event_id=number, taken_at=90.0 + number)
        for number, planned in enumerate(plan("test", 2, NOW), start=1)
    ]
    deliveries = [
        DeliveryRow(pk, pk, 1 + pk // 3, "default", "accepted", 1, ("accepted",), 95.0, 95.3)
        for pk in (1, 2, 3, 4)
    ]
    deliveries[0] = replace(deliveries[0], attempts=2, verdicts=("lost", "accepted"))
    arrivals = [
        Arrival(PHONES[pk % 2], 1 + pk // 3, pk, seq, 95.0 + seq)
        for seq, pk in enumerate((1, 2, 3, 4, 1))
    ]
    return Record(
        name="worker killed",
        posts=posts,
        phones=frozenset(PHONES),
        hung=frozenset(),
        bystanders=frozenset({"phone-c"}),
        in_flight=Counter(dead=1, alive=1),
        dead=frozenset({"dead"}),
        repeats=True,
        gateway_forgets=False,
        last_look_at=STRUCK_AT - 1,
        struck_at=STRUCK_AT,
        healed_at=STRUCK_AT,
        settled_at=110.0,
        events=[(post.planned.webhook_id, post.event_id, "routed") for post in posts],
        outcomes={(1, "pushed"): 2, (2, "pushed"): 2},
        deliveries=deliveries,
        arrivals=arrivals,
        dead_devices=0,
    )


def test_a_drill_without_fault_has_no_complaints() -> None:
    record = flawless()
    assert record.complaints() == []
    assert (record.expected, record.missing, record.repeated) == (4, 0, 1)
    assert record.slowest_seconds == 6.0


def last_delivery(**changes: object) -> Callable[[Record], Record]:
    def change(record: Record) -> Record:
        rows = [*record.deliveries[:-1], replace(record.deliveries[-1], **changes)]  # type: ignore[arg-type]
        return replace(record, deliveries=rows)

    return change


@pytest.mark.parametrize(
    ("flaw", "complaint"),
    [
        (lambda it: replace(it, events=it.events[:1]), "stored 0 times"),
        (lambda it: replace(it, events=[*it.events, it.events[0]]), "stored 2 times"),
        (lambda it: replace(it, events=[(*it.events[0][:2], "received")]), "is received"),
        (lambda it: replace(it, posts=[*it.posts, Post(it.posts[0].planned)]), "were not taken"),
        (lambda it: replace(it, outcomes={(1, "pushed"): 2}), "has the outcomes {}"),
        (lambda it: replace(it, arrivals=it.arrivals[:3]), "1 banners are missing"),
        (lambda it: replace(it, bystanders=frozenset({"phone-a"})), "bystanders were told"),
        (lambda it: replace(it, repeats=False), "1 banners came twice, 0 were in flight"),
        (lambda it: replace(it, in_flight=Counter()), "1 banners came twice, 0 were in flight"),
        (lambda it: replace(it, dead_devices=1), "taken out of service"),
        (lambda it: replace(it, settled_at=None), "not all was settled"),
        (lambda it: replace(it, deliveries=it.deliveries[:3]), "there are 3 deliveries"),
        (last_delivery(state="sending"), "1 deliveries are not settled"),
        (last_delivery(state="failed"), "deliveries ended"),
        (last_delivery(attempts=2), "do not tell of all their attempts"),
        (lambda it: replace(it, in_flight=Counter(dead=2)), "1 leases are recorded as lost, 2"),
    ],
)
def test_each_broken_promise_is_seen(flaw: Callable[[Record], Record], complaint: str) -> None:
    assert complaint in "\n".join(flaw(flawless()).complaints())


def test_what_the_gateway_took_before_it_was_killed_is_not_held_against_us() -> None:
    record = replace(flawless(), arrivals=flawless().arrivals[:3])
    forgetful = replace(record, gateway_forgets=True, last_look_at=95.2, struck_at=97.0)
    assert (forgetful.missing, forgetful.forgotten) == (1, 1)
    assert forgetful.complaints() == []


def test_what_the_gateway_took_long_before_must_have_been_seen() -> None:
    record = replace(flawless(), arrivals=flawless().arrivals[:3], gateway_forgets=True)
    assert record.complaints() == ["1 banners are missing (0 the gateway forgot)"]
