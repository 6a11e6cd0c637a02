from __future__ import annotations

import pytest
from django.utils import translation
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from tests.api import PROBLEM, client_for, newcomer
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.pushbridge.api.addresses")]
ME = "/api/v1/me/"
TIGHT = "/api/test/tight/"


@pytest.fixture
def client() -> APIClient:
    return client_for(newcomer())


def test_a_member_comes_to_their_organization_with_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    member = MembershipFactory.create()
    client = client_for(member.user)

    with django_assert_num_queries(1):
        answer = client.get(f"/api/test/{member.organization.slug}/")

    assert answer.json() == {"name": member.organization.name}


@pytest.mark.parametrize("method", ["get", "post", "delete", "patch", "options"])
def test_for_everyone_else_there_is_no_such_organization(method: str) -> None:
    acme = OrganizationFactory.create(slug="acme")
    left = MembershipFactory.create(organization=acme, active=False)
    stranger = MembershipFactory.create()

    answers = [
        getattr(client_for(user), method)(f"/api/test/{slug}/")
        for user, slug in ((left.user, "acme"), (stranger.user, "acme"), (left.user, "nobody"))
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_what_has_not_changed_is_not_sent_again(client: APIClient) -> None:
    first = client.get(ME)

    again = client.get(ME, headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    assert "private" in first["Cache-Control"] and "no-cache" in first["Cache-Control"]
    assert {"Authorization", "Cookie"} <= set(first["Vary"].split(", "))


def test_what_has_changed_is_sent(client: APIClient) -> None:
    before = client.get(ME)["ETag"]
    client.patch(ME, {"locale": "ar"})

    assert client.get(ME, headers={"If-None-Match": before}).status_code == 200


def test_a_problem_is_never_what_somebody_has_already(client: APIClient) -> None:
    answer = client.get("/api/test/nobody/", headers={"If-None-Match": "*"})

    assert answer.status_code == 404
    assert "ETag" not in answer


def test_each_answer_says_how_the_limits_stand(client: APIClient) -> None:
    answer = client.get(TIGHT)

    assert answer["RateLimit-Policy"] == ", ".join(
        ['"user";q=600;w=60', '"client";q=12000;w=60', '"tight";q=3;w=3600']
    )
    assert '"tight";r=2;t=1200' in answer["RateLimit"]


def test_who_has_used_up_a_limit_is_told_when_to_come_again(client: APIClient) -> None:
    answers = [client.get(TIGHT) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1]["Content-Type"] == PROBLEM
    assert 1190 <= int(answers[-1]["Retry-After"]) <= 1200
    assert '"tight";r=0' in answers[-1]["RateLimit"]


def test_the_language_of_an_answer_ends_with_it() -> None:
    client = client_for(UserFactory.create(locale="ar"))

    with translation.override("en"):
        client.get(ME)
        after = translation.get_language()

    assert after == "en"
