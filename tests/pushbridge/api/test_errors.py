from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from channels_app.models import User
from tests.api import PROBLEM, client_for, pointers
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.pushbridge.api.addresses")]
ME = "/api/v1/me/"


@pytest.fixture
def client() -> APIClient:
    client = client_for(UserFactory.create())
    client.raise_request_exception = False
    return client


def failing(client: APIClient, name: str) -> tuple[int, dict[str, object]]:
    answer = client.get(f"/api/test/failing/{name}/")
    assert answer["Content-Type"] == PROBLEM
    return answer.status_code, answer.json()


def patched(client: APIClient, body: bytes, **extra: Any) -> Any:
    """The answer to a PATCH with exactly these bytes."""
    return client.patch(ME, body, content_type="application/json", **extra)


def test_a_problem_of_ours_is_sent_as_it_was_raised(client: APIClient) -> None:
    answer = client.get("/api/test/failing/conflict/")

    assert answer["X-Holder"] == "Bob"
    assert answer.json() == {
        "title": "Conflict",
        "status": 409,
        "detail": "Somebody else holds it.",
        "holder": "Bob",
        "errors": [{"pointer": "/epoch", "detail": "is over"}],
    }


@pytest.mark.parametrize(("name", "status"), [("not-found", 404), ("forbidden", 403)])
def test_what_django_raises_is_told_without_its_details(
    client: APIClient, name: str, status: int
) -> None:
    found, body = failing(client, name)

    assert (found, body["status"]) == (status, status)
    assert "Bob" not in str(body) and "Acme" not in str(body)


def test_a_wait_is_told_in_whole_seconds(client: APIClient) -> None:
    answer = client.get("/api/test/failing/framework/")

    assert (answer.status_code, answer["Retry-After"]) == (429, "4")


def test_while_the_database_is_away_callers_are_asked_to_come_again(client: APIClient) -> None:
    answer = client.get("/api/test/failing/outage/")

    assert (answer.status_code, answer["Content-Type"]) == (503, PROBLEM)
    assert int(answer["Retry-After"]) > 0
    assert "db.internal" not in answer.content.decode()


@pytest.mark.parametrize("name", ["defect", "refused-by-database"])
def test_a_defect_of_ours_is_told_without_details(client: APIClient, name: str) -> None:
    status, body = failing(client, name)

    assert status == 500
    assert "secret" not in str(body)


def test_an_address_that_is_none_is_a_problem_too(client: APIClient) -> None:
    answer = client.get("/api/v1/no/such/address/")

    assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)


def test_elsewhere_errors_stay_pages(client: APIClient) -> None:
    answer = client.get("/no/such/page")

    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_without_a_token_callers_are_told_how_to_come_in() -> None:
    answer = APIClient().get(ME)

    assert (answer.status_code, answer["Content-Type"]) == (401, PROBLEM)
    assert answer["WWW-Authenticate"].startswith("Bearer ")


def test_a_method_that_is_none_is_told_which_there_are(client: APIClient) -> None:
    for answer in (client.delete(ME), client.options(ME)):
        assert (answer.status_code, answer["Content-Type"]) == (405, PROBLEM)
        assert set(answer["Allow"].split(", ")) == {"GET", "PATCH", "HEAD"}


def test_who_accepts_no_json_gets_a_problem(client: APIClient) -> None:
    answer = client.get(ME, headers={"Accept": "text/html"})

    assert (answer.status_code, answer["Content-Type"]) == (406, PROBLEM)


def test_every_place_of_a_body_is_named_by_its_pointer(client: APIClient) -> None:
    answer = client.post(
        "/api/test/schedule/",
        {
            "windows": [
                {"start": "22:00", "days": [1]},
                {"start": "late", "days": [1, 8, "x"]},
                {"start": "22:00", "days": []},
                [],
            ]
        },
    )

    assert answer.status_code == 400
    assert pointers(answer) == {
        "/zone",
        "/windows/1/start",
        "/windows/1/days/1",
        "/windows/1/days/2",
        "/windows/2",
        "/windows/3",
    }


def test_a_body_of_another_type_is_refused(client: APIClient) -> None:
    answer = client.generic("PATCH", ME, "locale=de", "application/x-www-form-urlencoded")

    assert (answer.status_code, answer["Content-Type"]) == (415, PROBLEM)


def test_a_compressed_body_is_refused(client: APIClient) -> None:
    answer = patched(client, b"\x1f\x8b", headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("body", "places"),
    [
        (b"{", None),
        (b"[" * 100_000, None),
        (b'{"locale": NaN}', {"/locale"}),
        (b'{"locale": 1e999}', {"/locale"}),
        (b'{"locale": ' + b"9" * 5000 + b"}", {"/locale"}),
        (rb'{"locale": "\u0000"}', {"/locale"}),
        (rb'{"locale": "\ud800"}', {"/locale"}),
        (b'{"locale": "\xff"}', None),
        (b'{"locale": "de", "locale": "en"}', None),
        (b'"', None),
    ],
)
def test_what_is_no_strict_json_is_refused(
    client: APIClient, body: bytes, places: set[str] | None
) -> None:
    answer = patched(client, body)

    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
    if places:
        assert pointers(answer) == places


def test_a_body_of_three_megabytes_is_too_large(client: APIClient) -> None:
    answer = patched(client, b'"' + b"x" * 3_000_000 + b'"')

    assert (answer.status_code, answer["Content-Type"]) == (413, PROBLEM)


def test_a_session_without_its_csrf_token_changes_nothing() -> None:
    alice = UserFactory.create()
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(alice)

    answer = browser.patch(ME, {"locale": "de"}, format="json")

    assert (answer.status_code, answer["Content-Type"]) == (403, PROBLEM)
    assert browser.get(ME).status_code == 200
    assert User.objects.get(pk=alice.pk).locale != "de"
