from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from channels_app.api.credentials import Scope
from channels_app.models import Installation
from tests.api import PROBLEM, client_for, pointers
from tests.channels_app.api.registrations import (
    ANDROID,
    BROWSER,
    ENDPOINT,
    IPHONE,
    OTHER_SECRET,
    OTHER_TOKEN,
    PHONE,
    SECRET,
    TOKEN,
    address,
    put,
)
from tests.factories import AUTH, P256DH, InstallationFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("applications")]


def test_an_app_registers_itself_and_is_shown_as_it_is() -> None:
    alice = UserFactory.create()
    about = {
        "name": "Alice's iPhone",
        "app_version": "1.4.0",
        "locale": "de-AT",
        "time_zone": "Europe/Vienna",
        "os_permission": "granted",
        "critical_allowed": True,
    }

    made = put(alice, {**IPHONE, **about})

    assert made.status_code == 201
    shown = made.json()
    assert shown == {
        "registered_at": shown["registered_at"],
        "id": PHONE,
        "platform": "apns",
        "application_id": "ios",
        **about,
        "muted_channels": [],
        "privacy": "",
        "dead_since": None,
    }
    assert client_for(alice).get(address()).json() == shown
    alice.refresh_from_db()
    assert (alice.locale, alice.time_zone) == ("de", "Europe/Vienna")


@pytest.mark.parametrize(
    ("body", "registered"),
    [(IPHONE, TOKEN), (ANDROID, ANDROID["token"]), (BROWSER, ENDPOINT)],
)
def test_each_platform_registers_with_what_its_push_service_gave_it(
    body: dict[str, Any], registered: str
) -> None:
    made = put(UserFactory.create(), body)

    assert made.status_code == 201, made.content
    row = Installation.objects.get()
    token = row.apns or row.fcm or row.webpush
    assert token is not None and token.registration_id == registered
    assert token.application_id == made.json()["application_id"]


def test_a_browsers_keys_are_kept() -> None:
    put(UserFactory.create(), BROWSER)

    token = Installation.objects.get().webpush
    assert token is not None and (token.p256dh, token.auth) == (P256DH, AUTH)


def test_neither_token_nor_secret_is_ever_shown() -> None:
    alice = UserFactory.create()

    for answer in (put(alice, IPHONE), client_for(alice).get("/api/v1/devices/")):
        assert TOKEN not in answer.content.decode()
        assert SECRET not in answer.content.decode()


def test_the_same_request_again_changes_nothing() -> None:
    alice = UserFactory.create()
    made = put(alice, {**IPHONE, "name": "iPhone"}).json()

    again = put(alice, {**IPHONE, "name": "iPhone"})

    assert again.status_code == 200
    assert {**again.json(), "registered_at": ""} == {**made, "registered_at": ""}
    assert Installation.objects.count() == 1


def test_an_id_in_upper_case_is_the_same_id() -> None:
    alice = UserFactory.create()
    put(alice, IPHONE, PHONE.upper())

    assert put(alice, IPHONE).status_code == 200


def test_a_token_of_apples_is_the_same_in_upper_case() -> None:
    alice = UserFactory.create()
    put(alice, {**IPHONE, "token": TOKEN.upper()})

    row = Installation.objects.get()
    assert row.apns is not None and row.apns.registration_id == TOKEN


def test_a_new_token_is_the_same_request_with_it() -> None:
    alice = UserFactory.create()
    put(alice, {**IPHONE, "name": "iPhone"})

    rotated = put(alice, {**IPHONE, "token": OTHER_TOKEN})

    assert (rotated.status_code, rotated.json()["name"]) == (200, "iPhone")
    row = Installation.objects.get()
    assert row.apns is not None and row.apns.registration_id == OTHER_TOKEN


def test_who_signs_in_on_the_phone_has_it() -> None:
    alice, bob = UserFactory.create_batch(2)
    put(alice, IPHONE)

    assert put(bob, IPHONE).status_code == 200

    assert client_for(alice).get(address()).status_code == 404
    assert client_for(bob).get(address()).status_code == 200


def test_another_secret_is_refused_whoever_asks() -> None:
    alice, mallory = UserFactory.create_batch(2)
    put(alice, IPHONE)

    answers = [put(user, {**IPHONE, "secret": OTHER_SECRET}) for user in (alice, mallory)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json() == answers[1].json(), "and nobody learns whose it is"
    assert answers[0].json()["reason"] == "wrong_secret"
    assert Installation.objects.get().user == alice


@pytest.mark.parametrize(
    ("body", "place"), [(IPHONE, "/token"), (BROWSER, "/subscription/endpoint")]
)
def test_a_token_of_somebody_else_is_refused_without_saying_whose(
    body: dict[str, Any], place: str
) -> None:
    alice, mallory = UserFactory.create_batch(2)
    put(alice, {**body, "name": "Alice's phone"})

    answer = put(mallory, {**body, "secret": OTHER_SECRET}, uuid.uuid4())

    assert (answer.status_code, answer.json()["reason"]) == (409, "token_taken")
    assert pointers(answer) == {place}
    assert alice.username not in answer.content.decode()
    assert PHONE not in answer.content.decode()
    assert Installation.objects.get().user == alice


def test_an_app_that_was_installed_anew_takes_the_place_of_the_old_one() -> None:
    alice = UserFactory.create()
    put(alice, IPHONE)
    anew = str(uuid.uuid4())

    assert put(alice, {**IPHONE, "secret": OTHER_SECRET}, anew).status_code == 201

    (device,) = client_for(alice).get("/api/v1/devices/").json()["results"]
    assert device["id"] == anew


def test_one_device_too_many_is_refused_with_the_limit(settings: Settings) -> None:
    settings.MAX_DEVICES_PER_USER = 2
    alice = UserFactory.create()
    InstallationFactory.create_batch(2, user=alice)

    answer = put(alice, IPHONE)

    assert (answer.status_code, answer["Content-Type"]) == (409, PROBLEM)
    assert answer.json()["reason"] == "too_many_devices"
    assert answer.json()["limit"] == 2


def test_the_list_has_the_callers_devices_alone_and_the_dead_ones_too() -> None:
    alice = UserFactory.create()
    first, second = InstallationFactory.create_batch(2, user=alice)
    Installation.objects.filter(pk=first.pk).update(dead_since="2026-11-23T09:00:00Z")
    InstallationFactory.create()

    rows = client_for(alice).get("/api/v1/devices/").json()["results"]

    assert [row["id"] for row in rows] == [str(second.pk), str(first.pk)]
    assert [row["dead_since"] for row in rows] == [None, "2026-11-23T09:00:00Z"]


def test_many_devices_take_as_many_queries_as_one() -> None:
    one, many = UserFactory.create_batch(2)
    InstallationFactory.create(user=one)
    InstallationFactory.create_batch(3, user=many)
    InstallationFactory.create_batch(3, user=many, on_fcm=True)

    counts = []
    for user in (one, many):
        client = client_for(user)
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/api/v1/devices/").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_a_person_mutes_a_channel_on_one_device() -> None:
    alice = UserFactory.create()
    put(alice, {**IPHONE, "name": "iPhone"})

    answer = client_for(alice).patch(
        address(),
        {"muted_channels": ["workflow", "escalation", "workflow"], "privacy": "ids"},
    )

    assert answer.status_code == 200
    assert answer.json()["muted_channels"] == ["escalation", "workflow"]
    row = Installation.objects.get()
    assert (row.muted_channels, row.privacy, row.name) == (
        ["escalation", "workflow"],
        "ids",
        "iPhone",
    )


def test_an_app_tells_what_it_learned_of_the_phone() -> None:
    alice = UserFactory.create()
    put(alice, IPHONE)
    learned = {
        "name": "Alice's phone",
        "app_version": "2.0",
        "locale": "fr",
        "time_zone": "Europe/Paris",
        "os_permission": "denied",
        "critical_allowed": True,
    }

    shown = client_for(alice).patch(address(), learned).json()

    assert {name: shown[name] for name in learned} == learned


def test_what_is_shown_may_be_sent_back_and_changes_nothing_that_is_ours() -> None:
    alice, mallory = UserFactory.create_batch(2)
    put(alice, {**IPHONE, "time_zone": "Europe/Vienna"})
    shown = client_for(alice).get(address()).json()

    answer = client_for(alice).patch(
        address(),
        {**shown, "id": str(uuid.uuid4()), "platform": "fcm", "dead_since": "2026-11-23T09:00:00Z"},
    )

    assert answer.json() == shown
    assert mallory.installations.count() == 0


def test_a_change_of_something_older_is_refused() -> None:
    alice = UserFactory.create()
    put(alice, IPHONE)
    client = client_for(alice)
    seen = client.get(address())["ETag"]

    changed = client.patch(address(), {"name": "one"}, headers={"If-Match": seen})
    late = client.patch(address(), {"name": "two"}, headers={"If-Match": seen})
    registered = client.put(address(), IPHONE, headers={"If-Match": seen})
    new = client.put(address(uuid.uuid4()), IPHONE, headers={"If-Match": seen})

    answers = (changed, late, registered, new)
    assert [answer.status_code for answer in answers] == [200, 412, 412, 412]
    assert Installation.objects.get().name == "one"


def test_a_device_that_is_unregistered_is_gone() -> None:
    alice = UserFactory.create()
    put(alice, IPHONE)
    client = client_for(alice)

    assert client.delete(address()).status_code == 204

    assert client.delete(address()).status_code == 404
    assert client.get(address()).status_code == 404
    assert put(UserFactory.create(), {**IPHONE, "secret": OTHER_SECRET}).status_code == 201


def test_a_device_of_somebody_else_is_not_there() -> None:
    device = InstallationFactory.create(name="Alice's iPhone")
    client = client_for(UserFactory.create())

    answers = [
        client.get(address(device.pk)),
        client.patch(address(device.pk), {"name": "mine"}),
        client.delete(address(device.pk)),
        client.post(f"{address(device.pk)}test/"),
        client.get(f"{address(device.pk)}test/1/"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert Installation.objects.get().name == "Alice's iPhone"


def test_a_token_to_read_with_registers_and_unregisters_nothing() -> None:
    device = InstallationFactory.create()
    client = client_for(device.user, scopes=frozenset({Scope.READ}))

    answers = [
        client.put(address(), IPHONE),
        client.patch(address(device.pk), {"name": "x"}),
        client.delete(address(device.pk)),
        client.post(f"{address(device.pk)}test/"),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert client.get("/api/v1/devices/").status_code == 200
    assert Installation.objects.count() == 1


@pytest.mark.parametrize("wrong", ["1", "not-a-uuid", "6f9a3c1e6a534b5e9d0f0f6a5d9e2b11", "%00"])
def test_an_id_that_is_no_uuid_is_no_address(wrong: str) -> None:
    assert put(UserFactory.create(), IPHONE, wrong).status_code == 404
