from __future__ import annotations

import pytest

from channels_app.pace import ROUTE_LIMIT, SILENCE_SECONDS, WAIT_SECONDS, Pace

CAPACITY = 1000
SOON = SILENCE_SECONDS / 2


def routed(*, events: int, limit: int, deliveries: int = 0) -> Pace:
    """A pace that has just learned of one batch, at moment 0."""
    pace = Pace()
    pace.learn(events=events, deliveries=deliveries or events, limit=limit, at=0.0)
    return pace


@pytest.mark.parametrize(("events", "more", "slack"), [(10, True, False), (6, False, False)])
def test_a_batch_that_was_full_says_that_there_is_more(
    events: int, more: bool, slack: bool
) -> None:
    pace = routed(events=events, limit=10)
    assert (pace.more, pace.slack) == (more, slack)


@pytest.mark.parametrize("events", [0, 1, 4])
def test_a_batch_that_was_nearly_empty_says_that_fewer_workers_would_do(events: int) -> None:
    pace = routed(events=events, limit=10)
    assert (pace.more, pace.slack) == (False, True)


def test_a_new_drain_knows_nothing_of_how_much_there_is() -> None:
    pace = routed(events=10, limit=10)
    pace.begin()
    assert not pace.more
    assert not pace.is_to_wait(room=0, capacity=CAPACITY, at=0.0)


def test_a_new_drain_is_careful_with_its_first_batch() -> None:
    pace = routed(events=100, limit=100)
    assert pace.events(room=CAPACITY, capacity=CAPACITY) == 100
    pace.begin()
    assert pace.events(room=CAPACITY, capacity=CAPACITY) == 10


@pytest.mark.parametrize(
    ("deliveries_per_event", "room", "limit"),
    [(1, CAPACITY, ROUTE_LIMIT), (1, 7, 7), (100, CAPACITY, 10), (100, 250, 2), (100, 99, 0)],
)
def test_as_many_events_are_routed_as_there_is_room_for(
    deliveries_per_event: int, room: int, limit: int
) -> None:
    pace = routed(events=10, limit=10, deliveries=10 * deliveries_per_event)
    assert pace.events(room=room, capacity=CAPACITY) == limit


def test_an_event_for_more_than_there_can_ever_be_room_for_is_routed_all_the_same() -> None:
    pace = routed(events=1, limit=1, deliveries=50 * CAPACITY)
    assert pace.events(room=CAPACITY // 2, capacity=CAPACITY) == 1
    assert pace.events(room=CAPACITY // 2 - 1, capacity=CAPACITY) == 0


def test_an_event_for_nobody_takes_no_room() -> None:
    pace = Pace()
    pace.learn(events=5, deliveries=0, limit=10, at=0.0)
    assert pace.events(room=CAPACITY, capacity=CAPACITY) == ROUTE_LIMIT


def test_in_a_storm_a_worker_waits_for_half_of_its_room() -> None:
    storm = routed(events=10, limit=10)
    assert storm.is_to_wait(room=CAPACITY // 2 - 1, capacity=CAPACITY, at=SOON)
    assert not storm.is_to_wait(room=CAPACITY // 2, capacity=CAPACITY, at=SOON)


def test_where_there_is_no_storm_nothing_waits() -> None:
    calm = routed(events=6, limit=10)
    assert not calm.is_to_wait(room=1, capacity=CAPACITY, at=SOON)


def test_whoever_hangs_is_not_waited_for() -> None:
    storm = routed(events=10, limit=10)
    storm.answered(SOON)
    assert storm.is_to_wait(room=1, capacity=CAPACITY, at=SOON + SILENCE_SECONDS / 2)
    assert not storm.is_to_wait(room=1, capacity=CAPACITY, at=SOON + 2 * SILENCE_SECONDS)


def test_answers_that_trickle_in_are_not_waited_for_without_end() -> None:
    storm = routed(events=10, limit=10)
    for moment in range(1000):
        at = moment * SOON
        storm.answered(at)
        assert storm.is_to_wait(room=1, capacity=CAPACITY, at=at) is (at < WAIT_SECONDS)
