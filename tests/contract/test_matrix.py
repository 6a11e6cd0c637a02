"""Who may do what to whose things: every operation that writes, by every kind of person.

`matrix.txt` is the table. A new operation fails here until it stands there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from tests.contract import operations, worlds
from tests.contract.operations import Operation
from tests.contract.rows import Rows, rows
from tests.contract.worlds import Person, Tenant
from tests.factories import permit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("applications", "unlimited")]

MATRIX = Path(__file__).with_name("matrix.txt")
OWN = "their own"
Ids = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody in one of the columns.

    Attributes:
        colleague: another member of their organization.
        stranger: a member of the other organization, whose `marker` is in all that is there.
        forbidden: the rows of the other organization.
    """

    role: str
    person: Person
    app: APIClient
    colleague: Person
    stranger: Person
    marker: bytes
    forbidden: Rows

    def things(self) -> dict[str, Ids]:
        """What an operation may be about, by the title of its part of the table."""
        own = {**self.colleague.ids, **self.person.ids}
        known = {"secret": own["secret"]}
        return {
            OWN: own,
            "a colleague's": {**own, **self.colleague.personal, **known},
            "another organization's, at its address": {**self.stranger.ids, **known},
            "another organization's, at their own address": {
                **self.stranger.ids,
                **known,
                "org": own["org"],
            },
        }


@pytest.fixture
def callers() -> list[Caller]:
    acme = worlds.tenant("acme")
    alice = worlds.owner(acme, "alice")
    of_acme = rows()
    globex = worlds.tenant("globex")
    gina = worlds.owner(globex, "gina")
    of_globex = rows() - of_acme
    callers = [
        Caller(role, person, person.client(), alice, gina, b"globex", of_globex)
        for role, person in _people(acme).items()
    ]
    outsider = worlds.member(globex, "outsider")
    return [
        *callers,
        Caller("outsider", outsider, outsider.client(), gina, alice, b"acme", of_acme),
    ]


def _people(acme: Tenant) -> dict[str, Person]:
    people = {
        "anonymous": replace(worlds.owner(acme, "nobody"), token=""),
        "reader": worlds.owner(acme, "reader", scope="read"),
        "member": worlds.member(acme, "member"),
        "subscriber": worlds.member(acme, "subscriber"),
        "responder": worlds.member(acme, "responder"),
        "operator": worlds.member(acme, "operator", is_staff=True),
        "left": worlds.member(acme, "left", active=False),
        "disabled": worlds.owner(acme, "disabled", is_active=False),
        "superuser": worlds.person("superuser", is_staff=True, is_superuser=True),
    }
    worlds.subscribe(people["subscriber"], acme)
    permit(bot=acme.bot, to=people["responder"].user)
    return people


def test_everybody_may_do_what_the_matrix_says_and_nothing_else(callers: list[Caller]) -> None:
    before = rows()
    found = [line for title in callers[0].things() for line in _part(title, callers, before)]
    wanted = [line for line in MATRIX.read_text().splitlines() if not line.startswith("#")]

    difference = list(unified_diff(wanted, found, "matrix.txt", "what is answered", lineterm=""))
    assert not difference, "\n".join(difference)


def _part(title: str, callers: list[Caller], before: Rows) -> Iterator[str]:
    yield ""
    yield f"{title:<69}" + "".join(f"{caller.role:>11}" for caller in callers)
    for operation in operations.writing():
        if any(_is_about_it(operation, title, caller) for caller in callers):
            cells = [_status(operation, title, caller, before) for caller in callers]
            yield f"{operation!s:<69}" + "".join(f"{cell:>11}" for cell in cells)


def _is_about_it(operation: Operation, title: str, caller: Caller) -> bool:
    """Whether this part of the table says more than the first one."""
    own, these = caller.things()[OWN], caller.things()[title]
    return (
        title == OWN
        or operation.address(these) != operation.address(own)
        or worlds.body(operation, these) != worlds.body(operation, own)
    )


def _status(operation: Operation, title: str, caller: Caller, before: Rows) -> int:
    """What is answered; a refusal has changed nothing, and nobody sees or changes a stranger's."""
    ids = caller.things()[title]
    with transaction.atomic():
        answer = operation.send(caller.app, ids, worlds.body(operation, ids))
        after = rows()
        transaction.set_rollback(True)
    cell = f"{operation} by {caller.role}: {answer.status_code} {answer.content!r}"
    may_change = title == OWN and answer.status_code < 400
    assert may_change or after == before, f"{cell}, and changed {after ^ before}"
    assert caller.forbidden <= after, f"{cell}, and changed {caller.forbidden - after}"
    assert caller.marker not in answer.content.lower(), cell
    status: int = answer.status_code
    return status


def test_every_operation_that_a_view_answers_is_documented() -> None:
    assert operations.answered() == set(operations.operations())
