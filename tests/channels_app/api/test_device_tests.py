from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from channels_app import notifications
from channels_app.levels import Lane
from channels_app.models import Attempt, Delivery, Event, Installation, Membership, Receipt
from tests.api import PROBLEM, client_for
from tests.factories import InstallationFactory, MembershipFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Membership:
    # Of an id that no earlier run of the tests has used: Redis remembers limits for a minute.
    return MembershipFactory.create(organization__slug="acme", user__pk=uuid4().int % 2**31)


@pytest.fixture
def phone(alice: Membership) -> Installation:
    InstallationFactory.create(user=alice.user)
    return InstallationFactory.create(user=alice.user, name="Alice's iPhone")


def start(phone: Installation) -> Any:
    return client_for(phone.user).post(f"/api/v1/devices/{phone.pk}/test/")


def ask(phone: Installation, test: object) -> Any:
    return client_for(phone.user).get(f"/api/v1/devices/{phone.pk}/test/{test}/")


def route(event: Event) -> None:
    notifications.route(lane=Lane(event.lane), now=event.received_at, limit=10, room=0)


def settle(event: Event, state: str, reason: str = "", *, after_ms: int = 61) -> Delivery:
    """The push service answers so many milliseconds after the request."""
    delivery = Delivery.objects.get(notification__event=event)
    at = event.received_at + timedelta(milliseconds=after_ms)
    Attempt.objects.create(
        delivery=delivery,
        number=1,
        verdict="accepted" if state == "accepted" else "rejected",
        reason=reason,
        sent_at=at,
        answered_at=at,
    )
    Delivery.objects.filter(pk=delivery.pk).update(
        state=state, reason=reason, settled_at=at, attempts=1
    )
    return delivery


def test_a_test_push_goes_the_way_of_every_push_to_that_device_alone(
    phone: Installation,
) -> None:
    started = start(phone)

    assert started.status_code == 202
    assert started.json()["state"] == "waiting"
    event = Event.objects.get()
    assert started["Location"].endswith(f"/devices/{phone.pk}/test/{event.pk}/")
    route(event)
    (delivery,) = Delivery.objects.filter(notification__event=event)
    assert delivery.installation == phone
    assert "Alice's iPhone" in delivery.notification.body


def test_the_workers_are_told_as_soon_as_it_is_committed(
    phone: Installation, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks() as after:
        start(phone)

    assert len(after) == 1


def test_its_progress_is_told_up_to_the_receipt(phone: Installation) -> None:
    location = start(phone)["Location"]
    client = client_for(phone.user)
    event = Event.objects.get()

    waiting = client.get(location).json()
    route(event)
    routed = client.get(location).json()
    delivery = settle(event, "accepted")
    accepted = client.get(location).json()
    Receipt.objects.create(
        delivery=delivery,
        kind="displayed",
        occurred_at=event.received_at - timedelta(hours=1),
        received_at=event.received_at + timedelta(milliseconds=240),
    )
    displayed = client.get(location).json()

    assert [one["state"] for one in (waiting, routed, accepted, displayed)] == [
        "waiting",
        "waiting",
        "accepted",
        "displayed",
    ]
    assert waiting["notification_id"] is None
    assert (routed["organization"], routed["notification_id"]) == ("acme", delivery.notification_id)
    assert (accepted["accepted_ms"], accepted["displayed_ms"]) == (61, None)
    assert (displayed["accepted_ms"], displayed["displayed_ms"]) == (61, 240)
    assert "Alice's iPhone" in displayed["sentence"]


def test_a_push_that_fails_says_why_in_words(phone: Installation) -> None:
    location = start(phone)["Location"]
    event = Event.objects.get()
    route(event)
    settle(event, "failed", "BadDeviceToken")

    failed = client_for(phone.user).get(location).json()

    assert (failed["state"], failed["reason"]) == ("failed", "BadDeviceToken")
    assert "BadDeviceToken" in failed["sentence"]
    assert (failed["accepted_ms"], failed["attempts"]) == (None, 1)


def test_a_dead_device_is_told_that_nothing_goes_there(phone: Installation) -> None:
    Installation.objects.filter(pk=phone.pk).update(dead_since="2026-11-23T09:00:00Z")
    location = start(phone)["Location"]
    route(Event.objects.get())

    answer = client_for(phone.user).get(location).json()

    assert answer["state"] == "not_told"
    assert answer["sentence"]


def test_a_test_that_could_not_be_routed_has_failed(phone: Installation) -> None:
    location = start(phone)["Location"]
    Event.objects.update(state=Event.State.QUARANTINED)

    assert client_for(phone.user).get(location).json()["state"] == "failed"


def test_who_belongs_to_no_organization_is_told_so() -> None:
    left = MembershipFactory.create(active=False)
    phone = InstallationFactory.create(user=left.user)

    answer = start(phone)

    assert (answer.status_code, answer["Content-Type"]) == (409, PROBLEM)
    assert Event.objects.count() == 0


def test_a_seventh_test_within_a_minute_is_refused(phone: Installation) -> None:
    answers = [start(phone) for _ in range(7)]

    assert [answer.status_code for answer in answers] == [202] * 6 + [429]
    assert int(answers[-1]["Retry-After"]) <= 10
    assert Event.objects.count() == 6


def test_tests_of_others_and_of_other_devices_are_not_there(
    alice: Membership, phone: Installation
) -> None:
    start(phone)
    test = Event.objects.get().pk
    other = InstallationFactory.create(user=alice.user)
    mallory = InstallationFactory.create()
    client = client_for(mallory.user)

    assert ask(phone, test).status_code == 200
    assert ask(other, test).status_code == 404
    assert ask(mallory, test).status_code == 404
    assert client.get(f"/api/v1/devices/{phone.pk}/test/{test}/").status_code == 404
    assert client.post(f"/api/v1/devices/{phone.pk}/test/").status_code == 404


@pytest.mark.parametrize("wrong", ["0", "999", "9" * 30, "-1", "x", "1.5"])
def test_a_test_that_there_is_none_of_is_not_there(phone: Installation, wrong: str) -> None:
    assert ask(phone, wrong).status_code == 404


def test_an_event_of_another_type_is_no_test(alice: Membership, phone: Installation) -> None:
    event = Event.objects.create(
        organization=alice.organization,
        webhook_id="digest-1",
        type="member.digest",
        occurred_at="2026-11-23T09:00:00Z",
        received_at="2026-11-23T09:00:00Z",
        route_at="2026-11-23T09:00:00Z",
        payload={},
        facts={"membership": alice.pk},
    )

    assert ask(phone, event.pk).status_code == 404
