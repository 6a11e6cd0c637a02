"""Endpoints and messages as operators see them, and what they may do with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from channels_app.models import Connection
from claims.models import Endpoint, Message, MessageAttempt
from tests.channels_app.admin.worlds import operator
from tests.factories import (
    ConnectionFactory,
    EndpointFactory,
    MessageFactory,
    OrganizationFactory,
)

pytestmark = pytest.mark.django_db
URL = "https://platform.example/hooks"


@pytest.fixture
def connection() -> Connection:
    acme = OrganizationFactory.create(name="Acme", slug="acme")
    return ConnectionFactory.create(organization=acme, name="Platform")


@pytest.fixture
def as_operator(client: Client, connection: Connection) -> Client:
    client.force_login(operator(connection.organization))
    return client


@pytest.fixture
def endpoint(connection: Connection) -> Endpoint:
    return EndpointFactory.create(connection=connection, url=URL)


def stranger() -> Endpoint:
    return EndpointFactory.create(connection__organization=OrganizationFactory.create())


def page(client: Client, row: Endpoint | Message) -> str:
    name = str(row._meta.model_name)
    answer = client.get(reverse(f"admin:claims_{name}_change", args=[row.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def press(client: Client, row: Endpoint | Message, path: str, **fields: object) -> Any:
    """A button on top of a page, and the one in its dialog."""
    address = reverse(f"admin:claims_{row._meta.model_name}_change", args=[row.pk])
    sent = {"_form_submitted": "True", **fields}
    return client.post(address.replace("/change/", f"/{path}/"), sent, follow=True)


def add(client: Client, connection: Connection, url: str) -> Any:
    sent = {"connection": connection.pk, "url": url}
    return client.post(reverse("admin:claims_endpoint_add"), sent, follow=True)


def test_a_new_endpoint_shows_its_secret_once(as_operator: Client, connection: Connection) -> None:
    first = add(as_operator, connection, f" {URL} ").content.decode()

    endpoint = Endpoint.objects.get()
    assert (endpoint.url, endpoint.connection) == (URL, connection)
    assert endpoint.secret in first
    assert endpoint.secret not in page(as_operator, endpoint)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://platform.example/", "It must begin with https://."),
        ("https://10.0.0.8/", "It is no public address."),
        ("https://platform.example:25/", "Its port must be 443, or 1024 or above."),
    ],
)
def test_what_is_wrong_with_an_address_is_said_in_words(
    as_operator: Client, connection: Connection, url: str, sentence: str
) -> None:
    answer = add(as_operator, connection, url)
    assert answer.context["adminform"].form.errors == {"url": [sentence]}
    assert not Endpoint.objects.exists()


def test_a_connection_has_one_endpoint(as_operator: Client, endpoint: Endpoint) -> None:
    answer = add(as_operator, endpoint.connection, URL)
    assert "connection" in answer.context["adminform"].form.errors


def test_a_connection_of_another_organization_cannot_be_chosen(
    as_operator: Client,
) -> None:
    answer = add(as_operator, ConnectionFactory.create(), URL)
    assert "connection" in answer.context["adminform"].form.errors


def test_saving_the_page_changes_what_was_changed_and_nothing_else(
    as_operator: Client, endpoint: Endpoint
) -> None:
    before = endpoint.secret
    address = reverse("admin:claims_endpoint_change", args=[endpoint.pk])
    as_operator.post(address, {"url": f"{URL}/2"})  # the switch is off

    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.enabled, endpoint.secret) == (f"{URL}/2", False, before)


def test_a_rotation_shows_the_new_secret_once(as_operator: Client, endpoint: Endpoint) -> None:
    press(as_operator, endpoint, "rotate-secret")

    old, new = endpoint.secret, Endpoint.objects.get().secret
    assert new != old
    assert new in page(as_operator, endpoint)
    assert new not in page(as_operator, endpoint)


def test_during_a_rotation_there_is_no_other_until_the_old_secret_is_retired(
    as_operator: Client, endpoint: Endpoint
) -> None:
    press(as_operator, endpoint, "rotate-secret")
    rotated = Endpoint.objects.get().secret
    press(as_operator, endpoint, "rotate-secret")
    assert Endpoint.objects.get().secret == rotated

    press(as_operator, endpoint, "retire-previous-secret")
    press(as_operator, endpoint, "rotate-secret")
    assert Endpoint.objects.get().secret != rotated


def test_a_test_is_queued_even_where_the_endpoint_is_off(
    as_operator: Client, endpoint: Endpoint
) -> None:
    Endpoint.objects.update(enabled=False)
    press(as_operator, endpoint, "test")
    assert Message.objects.get().type == "endpoint.test"


def test_an_endpoint_that_was_disabled_says_why_and_is_enabled_again(
    as_operator: Client, endpoint: Endpoint
) -> None:
    Endpoint.objects.update(
        disabled_at=timezone.now(), disabled_reason="gone", failing_since=timezone.now()
    )
    assert "410 Gone" in page(as_operator, endpoint)

    press(as_operator, endpoint, "enable")

    endpoint.refresh_from_db()
    assert (endpoint.disabled_at, endpoint.failing_since) == (None, None)
    assert "410 Gone" not in page(as_operator, endpoint)


def failed(endpoint: Endpoint, **ago: float) -> Message:
    at = timezone.now() - timedelta(**ago)
    return MessageFactory.create(endpoint=endpoint, created_at=at, state="failed", settled_at=at)


def test_what_failed_in_a_time_is_replayed(as_operator: Client, endpoint: Endpoint) -> None:
    recent, old, other = failed(endpoint, hours=2), failed(endpoint, days=3), failed(stranger())

    press(as_operator, endpoint, "replay-failed", since="24h")

    states = dict(Message.objects.values_list("pk", "state"))
    assert states == {recent.pk: "pending", old.pk: "failed", other.pk: "failed"}


def test_nothing_is_replayed_to_an_endpoint_that_is_disabled(
    as_operator: Client, endpoint: Endpoint
) -> None:
    message = failed(endpoint)
    Endpoint.objects.update(disabled_at=timezone.now(), disabled_reason="failing")
    press(as_operator, endpoint, "replay-failed", since="24h")
    press(as_operator, message, "replay")
    message.refresh_from_db()
    assert message.state == "failed"


def test_one_message_is_replayed_from_its_page(as_operator: Client, endpoint: Endpoint) -> None:
    message = failed(endpoint)
    press(as_operator, message, "replay")
    message.refresh_from_db()
    assert message.state == "pending"


def test_selected_messages_are_replayed_and_never_those_of_others(
    as_operator: Client, endpoint: Endpoint
) -> None:
    mine, theirs = failed(endpoint), failed(stranger())
    as_operator.post(
        reverse("admin:claims_message_changelist"),
        {"action": "replay_selected", "_selected_action": [mine.pk, theirs.pk]},
    )
    assert dict(Message.objects.values_list("pk", "state")) == {
        mine.pk: "pending",
        theirs.pk: "failed",
    }


@pytest.mark.parametrize("path", ["test", "enable", "rotate-secret", "replay-failed"])
def test_nothing_can_be_done_to_the_endpoint_of_another_organization(
    as_operator: Client, path: str
) -> None:
    theirs = stranger()
    Endpoint.objects.filter(pk=theirs.pk).update(disabled_at=timezone.now(), disabled_reason="gone")
    before = Endpoint.objects.filter(pk=theirs.pk).values().get()

    assert press(as_operator, theirs, path, since="24h").status_code in (403, 404)

    assert Endpoint.objects.filter(pk=theirs.pk).values().get() == before
    assert not Message.objects.exists()


def test_a_message_shows_its_tries_and_when_the_next_is(
    as_operator: Client, endpoint: Endpoint
) -> None:
    now = timezone.now()
    message = MessageFactory.create(
        endpoint=endpoint,
        due_at=now + timedelta(minutes=5, seconds=30),
        attempts=1,
        reason="Timeout",
        body='{"type": "conversation.claimed"}',
    )
    MessageAttempt.objects.create(
        message=message,
        number=1,
        outcome="unanswered",
        reason="Timeout",
        sent_at=now,
        answered_at=now + timedelta(seconds=15),
    )
    shown = page(as_operator, message)
    assert "in 5 min" in shown
    assert "Timeout: no answer came in time" in shown
    assert "15.0 s" in shown


@pytest.mark.parametrize("field", ["webhook_id", "subject"])
def test_a_message_is_found_by_each_of_its_ids(
    as_operator: Client, endpoint: Endpoint, field: str
) -> None:
    wanted, _ = MessageFactory.create_batch(2, endpoint=endpoint)
    answer = as_operator.get(
        reverse("admin:claims_message_changelist"), {"q": str(getattr(wanted, field))}
    )
    assert [row.pk for row in answer.context["cl"].result_list] == [wanted.pk]


def test_an_endpoints_page_leads_to_what_failed(as_operator: Client, endpoint: Endpoint) -> None:
    mine = failed(endpoint)
    failed(stranger())
    assert "1 failed" in page(as_operator, endpoint)
    answer = as_operator.get(
        reverse("admin:claims_message_changelist"),
        {"endpoint": str(endpoint.pk), "state": "failed"},
    )
    assert [row.pk for row in answer.context["cl"].result_list] == [mine.pk]


def test_who_may_only_look_is_offered_nothing_to_do(
    client: Client, connection: Connection, endpoint: Endpoint
) -> None:
    person = operator(connection.organization)
    views = person.user_permissions.filter(codename__startswith="view_")
    person.user_permissions.set(list(views))
    client.force_login(person)

    message = failed(endpoint)
    press(client, endpoint, "test")
    press(client, endpoint, "rotate-secret")
    press(client, message, "replay")

    assert Message.objects.get().state == "failed"
    assert Endpoint.objects.get().secret == endpoint.secret
