from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from claims.models import Endpoint, MessageAttempt
from claims.outbound.answers import Answer, Outcome
from claims.outbound.health import OUTAGE, Health, judge
from claims.outbound.schedule import LASTING

NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
JUST_NOW = NOW - timedelta(seconds=2)


def tried(
    outcome: Outcome, status: int | None = None, *, given_up: bool = False
) -> tuple[Answer, bool]:
    at = JUST_NOW.timestamp()
    return Answer(outcome, status, "", at, at + 1), given_up


TAKEN = tried(Outcome.DELIVERED, 204)
REFUSED = tried(Outcome.REFUSED, 503)
GIVEN_UP = tried(Outcome.UNANSWERED, given_up=True)
GONE = tried(Outcome.REFUSED, 410)
LOST = tried(Outcome.LOST)


@pytest.mark.parametrize(
    ("failing_for", "tries", "expected"),
    [
        (None, [TAKEN], Health(None)),
        (None, [LOST], Health(None)),
        (None, [REFUSED], Health(JUST_NOW)),
        (None, [REFUSED, TAKEN], Health(None)),
        (None, [GIVEN_UP], Health(JUST_NOW)),
        (None, [GONE], Health(JUST_NOW, "gone")),
        (None, [GONE, TAKEN], Health(JUST_NOW, "gone")),
        (timedelta(minutes=1), [TAKEN], Health(None)),
        (OUTAGE, [TAKEN], Health(None, recovered=True)),
        (OUTAGE, [REFUSED], Health(NOW - OUTAGE)),
        (OUTAGE, [LOST], Health(NOW - OUTAGE)),
        (LASTING, [REFUSED], Health(NOW - LASTING)),
        (LASTING, [GIVEN_UP], Health(NOW - LASTING, "failing")),
        (LASTING, [GIVEN_UP, TAKEN], Health(None, recovered=True)),
        (LASTING - timedelta(seconds=1), [GIVEN_UP], Health(NOW - LASTING + timedelta(seconds=1))),
    ],
)
def test_tries_say_how_an_endpoint_is(
    failing_for: timedelta | None, tries: list[tuple[Answer, bool]], expected: Health
) -> None:
    since = NOW - failing_for if failing_for is not None else None
    assert judge(failing_since=since, tries=tries, now=NOW) == expected


def test_the_words_are_those_of_the_database() -> None:
    assert {outcome.value for outcome in Outcome} == set(MessageAttempt.Outcome.values)
    assert {"gone", "failing"} == set(Endpoint.Reason.values)
