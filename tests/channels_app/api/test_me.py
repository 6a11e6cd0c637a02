from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels_app.api.credentials import Scope
from tests.api import PROBLEM, client_for, pointers
from tests.factories import (
    BotFactory,
    MembershipFactory,
    OrganizationFactory,
    RoleFactory,
    UserFactory,
    permit,
)

pytestmark = pytest.mark.django_db
ME = "/api/v1/me/"


def test_a_person_sees_who_they_are_and_where_they_belong() -> None:
    alice = UserFactory.create(username="alice", first_name="Alice", last_name="Smith")
    acme = OrganizationFactory.create(slug="acme", name="Acme")
    MembershipFactory.create(user=alice, organization=acme)

    answer = client_for(alice).get(ME)

    assert answer.status_code == 200
    assert answer.json() == {
        "id": alice.pk,
        "username": "alice",
        "name": "Alice Smith",
        "locale": "en",
        "time_zone": "UTC",
        "memberships": [{"organization": {"slug": "acme", "name": "Acme"}, "capabilities": []}],
    }


def test_organizations_that_a_person_left_are_not_named() -> None:
    left = MembershipFactory.create(active=False)

    assert client_for(left.user).get(ME).json()["memberships"] == []


def test_who_may_respond_to_a_bot_is_told_so_for_its_organization_alone() -> None:
    alice = UserFactory.create()
    here, there = MembershipFactory.create_batch(2, user=alice)
    permit(bot=BotFactory.create(organization=here.organization), to=alice)

    memberships = client_for(alice).get(ME).json()["memberships"]

    assert {row["organization"]["slug"]: row["capabilities"] for row in memberships} == {
        here.organization.slug: ["respond"],
        there.organization.slug: [],
    }


def test_a_role_lets_its_holders_respond() -> None:
    member = MembershipFactory.create()
    role = RoleFactory.create(organization=member.organization)
    role.group.user_set.add(member.user)
    permit(bot=BotFactory.create(organization=member.organization), to=role)

    (membership,) = client_for(member.user).get(ME).json()["memberships"]

    assert membership["capabilities"] == ["respond"]


def test_staff_operate_their_organizations() -> None:
    member = MembershipFactory.create(user=UserFactory.create(is_staff=True))

    (membership,) = client_for(member.user).get(ME).json()["memberships"]

    assert membership["capabilities"] == ["operate"]


def test_many_memberships_take_as_many_queries_as_one() -> None:
    one, many = UserFactory.create_batch(2)
    MembershipFactory.create(user=one)
    MembershipFactory.create_batch(20, user=many)

    counts = []
    for person in (one, many):
        with CaptureQueriesContext(connection) as queries:
            client_for(person).get(ME)
        counts.append(len(queries))

    assert counts == [2, 2]


@pytest.mark.parametrize(
    ("said", "kept"), [("de-AT", "de"), ("de_AT", "de"), ("EN-us", "en"), ("de-u-co-phonebk", "de")]
)
def test_the_phones_language_becomes_one_that_we_speak(said: str, kept: str) -> None:
    alice = UserFactory.create()

    answer = client_for(alice).patch(ME, {"locale": said})

    assert (answer.status_code, answer.json()["locale"]) == (200, kept)
    alice.refresh_from_db()
    assert alice.locale == kept


def test_what_is_not_sent_stays_as_it_is() -> None:
    alice = UserFactory.create(locale="de", time_zone="Europe/Vienna")

    client_for(alice).patch(ME, {"time_zone": "Asia/Tokyo"})

    alice.refresh_from_db()
    assert (alice.locale, alice.time_zone) == ("de", "Asia/Tokyo")


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({"locale": "tlh"}, {"/locale"}),
        ({"locale": ""}, {"/locale"}),
        ({"locale": None}, {"/locale"}),
        ({"locale": ["de"]}, {"/locale"}),
        ({"time_zone": "Europe/Atlantis"}, {"/time_zone"}),
        ({"time_zone": "europe/berlin"}, {"/time_zone"}),
        ({"time_zone": "Factory"}, {"/time_zone"}),
        ({"locale": "tlh", "time_zone": "x" * 65}, {"/locale", "/time_zone"}),
        ({"timezone": "UTC", "a/b": 1}, {"/timezone", "/a~1b"}),
        (["de"], {""}),
        ("de", {""}),
    ],
)
def test_what_cannot_be_used_is_named(body: object, places: set[str]) -> None:
    answer = client_for(UserFactory.create()).patch(ME, body)

    assert answer.status_code == 400
    assert pointers(answer) == places


def test_what_is_not_a_persons_to_change_stays() -> None:
    alice = UserFactory.create(username="alice")

    client_for(alice).patch(ME, {"id": 1, "username": "root", "locale": "de"})

    alice.refresh_from_db()
    assert alice.username == "alice"


def test_a_change_that_was_based_on_something_older_is_refused() -> None:
    alice = UserFactory.create()
    client = client_for(alice)
    seen = client.get(ME)["ETag"]

    changed = client.patch(ME, {"locale": "de"}, headers={"If-Match": seen})
    too_late = client.patch(ME, {"locale": "en"}, headers={"If-Match": seen})

    assert (changed.status_code, too_late.status_code) == (200, 412)
    alice.refresh_from_db()
    assert alice.locale == "de"


def test_a_token_to_read_with_changes_nothing() -> None:
    client = client_for(UserFactory.create(), scopes=frozenset({Scope.READ}))

    answer = client.patch(ME, {"locale": "de"})

    assert client.get(ME).status_code == 200
    assert (answer.status_code, answer["Content-Type"]) == (403, PROBLEM)
    assert 'scope="write"' in answer["WWW-Authenticate"]
