"""A connection's secret is shown once; the one before a rotation stays valid for a day."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from channels_app.models import Connection
from tests.channels_app.admin.worlds import operator
from tests.factories import ConnectionFactory, MembershipFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

SUBMITTED = {"_form_submitted": "on"}


@pytest.fixture
def connection() -> Connection:
    return ConnectionFactory.create()


@pytest.fixture
def as_operator(client: Client, connection: Connection) -> Client:
    client.force_login(operator(connection.organization))
    return client


def address(view: str, connection: Connection) -> str:
    return reverse(f"admin:chatbot_connection_{view}", args=[connection.pk])


def test_a_new_secret_is_shown_once(as_operator: Client, connection: Connection) -> None:
    answer = as_operator.post(
        reverse("admin:chatbot_connection_add"),
        {"organization": connection.organization_id, "name": "second"},
        follow=True,
    )
    made = Connection.objects.get(name="second")
    assert made.secret.startswith("whsec_")
    assert made.secret in answer.content.decode()
    again = as_operator.get(address("change", made)).content.decode()
    assert made.secret not in again
    assert made.secret[-4:] in again


def test_a_rotation_shows_the_new_secret_and_keeps_the_old_one_valid(
    as_operator: Client, connection: Connection
) -> None:
    before = connection.secret
    answer = as_operator.post(address("rotate", connection), SUBMITTED)
    assert answer.headers["HX-Redirect"] == address("change", connection)
    connection.refresh_from_db()
    assert connection.previous_secret == before
    page = as_operator.get(address("change", connection)).content.decode()
    assert connection.secret in page
    assert before not in page


def test_a_secret_is_not_shown_on_the_page_of_another_connection(
    as_operator: Client, connection: Connection
) -> None:
    other = ConnectionFactory.create(organization=connection.organization)
    as_operator.post(address("rotate", connection), SUBMITTED)
    connection.refresh_from_db()
    assert connection.secret not in as_operator.get(address("change", other)).content.decode()


def test_looking_at_the_question_rotates_nothing(
    as_operator: Client, connection: Connection
) -> None:
    before = connection.secret
    assert as_operator.get(address("rotate", connection)).status_code == 200
    connection.refresh_from_db()
    assert connection.secret == before


def test_a_second_rotation_on_the_same_day_is_refused(
    as_operator: Client, connection: Connection
) -> None:
    as_operator.post(address("rotate", connection), SUBMITTED)
    connection.refresh_from_db()
    first = connection.secret
    as_operator.post(address("rotate", connection), SUBMITTED)
    connection.refresh_from_db()
    assert connection.secret == first
    page = as_operator.get(address("change", connection)).content.decode()
    assert "A rotation is under way" in page


def test_the_previous_secret_can_be_retired_at_once(
    as_operator: Client, connection: Connection
) -> None:
    as_operator.post(address("rotate", connection), SUBMITTED)
    assert (
        address("retire", connection)
        in as_operator.get(address("change", connection)).content.decode()
    )
    as_operator.post(address("retire", connection), SUBMITTED)
    connection.refresh_from_db()
    assert connection.previous_secret == ""


def test_the_secret_of_another_organization_cannot_be_rotated(
    client: Client, connection: Connection
) -> None:
    client.force_login(operator(OrganizationFactory.create()))
    assert client.post(address("rotate", connection), SUBMITTED).status_code == 404
    before = connection.secret
    connection.refresh_from_db()
    assert connection.secret == before


def test_renaming_writes_the_name_alone(as_operator: Client, connection: Connection) -> None:
    """A rotation between the opening of the page and its saving is not undone."""
    before = connection.secret
    as_operator.post(address("change", connection), {"name": "renamed", "active": "on"})
    connection.refresh_from_db()
    assert (connection.name, connection.secret) == ("renamed", before)


def test_the_url_is_ready_to_copy(as_operator: Client, connection: Connection) -> None:
    page = as_operator.get(address("change", connection)).content.decode()
    assert f"/webhooks/v1/{connection.pk}" in page


def test_a_member_who_is_not_staff_does_not_come_in(client: Client, connection: Connection) -> None:
    member = MembershipFactory.create(organization=connection.organization)
    client.force_login(member.user)
    assert client.get(address("change", connection)).status_code == 302
