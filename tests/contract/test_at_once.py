"""Every operation that writes, twice at the same moment: as if one had come after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from http import HTTPStatus

import pytest

from channels_app.models import Organization
from tests.contract import operations, worlds
from tests.contract.operations import Operation
from tests.contract.rows import rows
from tests.contract.worlds import Person
from tests.races import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("applications", "unlimited"),
]

ROUNDS = 3
Outcome = tuple[list[int], dict[str, int]]


def alice() -> Person:
    """Another one, in an organization of her own."""
    return worlds.owner(worlds.tenant(f"acme{Organization.objects.count()}"), "alice")


def send(person: Person, operation: Operation) -> int:
    answer = operation.send(person.client(), person.ids, worlds.body(operation, person.ids))
    assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, answer.content
    status: int = answer.status_code
    return status


def counted() -> Counter[str]:
    """The number of rows, by table."""
    return Counter(table for table, _ in rows())


def in_turn(person: Person, operation: Operation) -> list[int]:
    return [send(person, operation) for _ in range(2)]


def together(person: Person, operation: Operation) -> list[int]:
    return at_once(2, lambda _: send(person, operation))


def outcome(do: Callable[[Person, Operation], list[int]], operation: Operation) -> Outcome:
    """What is answered, and how many rows there are more or less, by table."""
    person = alice()
    before = counted()
    statuses = do(person, operation)
    changed = counted()
    changed.subtract(before)
    return sorted(statuses), {table: number for table, number in changed.items() if number}


@pytest.mark.parametrize("operation", operations.writing(), ids=str)
def test_two_at_once_do_what_two_in_turn_do(operation: Operation) -> None:
    wanted = outcome(in_turn, operation)

    for _ in range(ROUNDS):
        assert outcome(together, operation) == wanted
