"""What belongs to another organization is not there: not by its address, nor by any parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import pytest
from django.conf import settings

from channels_app.models import Membership
from tests.contract import operations, worlds
from tests.contract.operations import Operation
from tests.contract.worlds import Person, Tenant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("applications", "unlimited")]

MARKER = b"globex"
READING = [operation for operation in operations.operations() if not operation.writes]
# Those that are told by their address, or by what they cannot be asked without, what to show.
ABOUT_SOMETHING = [
    operation
    for operation in READING
    if set(operations.parameters(operation, "path")) - {"channel", "event_type"}
    or operation.path == "links/"
]


@dataclass(frozen=True, slots=True)
class Two:
    """Alice of acme and Gina of globex, who both have one of everything, and the admin."""

    acme: Tenant
    globex: Tenant
    alice: Person
    gina: Person

    def asks(self, address: str) -> Any:
        """What Alice is answered. Nothing of globex is ever in it."""
        answer = self.alice.client().get(address)
        assert MARKER not in answer.content.lower(), answer.content
        return answer


@pytest.fixture
def two() -> Two:
    acme, globex = worlds.tenant("acme"), worlds.tenant("globex")
    alice = worlds.owner(acme, "alice", is_staff=True, is_superuser=True)
    return Two(acme, globex, alice, worlds.owner(globex, "gina"))


def query(operation: Operation, person: Person) -> str:
    """What the operation cannot be asked without, about a person's things."""
    link = f"{settings.LINK_BASE}/o/{person.ids['org']}/conversations/{person.ids['conversation']}"
    needed = {"{org}/why/": f"?event={person.ids['event']}", "links/": f"?link={link}"}
    return needed.get(operation.path, "")


@pytest.mark.parametrize("operation", READING, ids=str)
def test_what_one_reads_is_ones_own(two: Two, operation: Operation) -> None:
    answer = two.asks(operation.address(two.alice.ids) + query(operation, two.alice))

    assert answer.status_code == HTTPStatus.OK, answer.content


@pytest.mark.parametrize("operation", ABOUT_SOMETHING, ids=str)
def test_what_others_read_is_not_there(two: Two, operation: Operation) -> None:
    answer = two.asks(operation.address(two.gina.ids) + query(operation, two.gina))

    assert answer.status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("operation", ABOUT_SOMETHING, ids=str)
def test_nor_is_it_under_ones_own_organization(two: Two, operation: Operation) -> None:
    mixed: Mapping[str, str] = {**two.gina.ids, "org": "acme"}
    names_only_the_organization = operation.address(mixed) == operation.address(two.alice.ids)
    ids = two.gina.ids if names_only_the_organization else mixed

    answer = two.asks(operation.address(ids) + query(operation, two.gina))

    assert answer.status_code == HTTPStatus.NOT_FOUND


def test_a_digest_of_another_organization_has_nothing_in_it(two: Two) -> None:
    answer = two.asks(f"/api/v1/acme/inbox/?digest={two.globex.escalation.pk}")

    assert answer.json()["results"] == []


def test_a_place_in_a_list_of_another_organization_shows_ones_own(two: Two) -> None:
    worlds.member(two.globex, "somebody")
    for path in ("bots/", "inbox/", "snoozes/", "workflows/"):
        gina = two.gina.client()
        for name in ("next", "previous"):
            given = gina.get(f"/api/v1/globex/{path}?limit=1").json()[name]
            if given is not None:
                assert two.asks(given.replace("/globex/", "/acme/")).status_code == HTTPStatus.OK


@pytest.mark.parametrize("username", ["gina_of_globex", "nobody"])
def test_operators_ask_about_nobody_elses_members(two: Two, username: str) -> None:
    asked = two.asks(f"/api/v1/acme/why/?event={two.acme.escalation.pk}&user={username}")

    rehearsal = two.alice.client().post(
        "/api/v1/acme/why/rehearsal/",
        {"type": "bot.tool_linked", "source": "acme_bot", "user": username},
        format="json",
    )

    assert (asked.status_code, rehearsal.status_code) == (400, 400)
    assert "names no member" in asked.json()["errors"][0]["detail"]
    assert rehearsal.json()["errors"][0]["pointer"] == "/user"


def test_a_member_of_both_sees_in_each_what_is_there(two: Two) -> None:
    Membership.objects.create(
        organization=two.globex.organization, user=two.alice.user, external_id="alice"
    )

    def seen(org: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = two.alice.client().get(f"/api/v1/{org}/bots/").json()
        return found

    assert [row["id"] for row in seen("acme")["results"]] == ["acme_bot"]
    assert [row["id"] for row in seen("globex")["results"]] == ["globex_bot"]
    assert two.alice.client().get("/api/v1/globex/inbox/").json()["results"] == []
