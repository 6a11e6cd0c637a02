from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from push_notifications.models import APNSDevice
from pytest_django import Settings

from channels_app import deliveries, installations
from channels_app.installations import TooManyDevices, Unregistered, WrongSecret
from channels_app.levels import Lane
from channels_app.models import Delivery, Installation
from channels_app.push_tokens import TokenTaken
from tests.channels_app.registering import (
    NOW,
    OTHER_PHONE,
    OTHER_SECRET,
    PHONE,
    dead,
    enter,
    iphone,
    register,
    wait_for,
)
from tests.factories import MembershipFactory, UserFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_installation_that_registers_many_times_at_once_is_one() -> None:
    alice = UserFactory.create()

    made = at_once(8, lambda _: register(alice))

    assert [row.created for row in made].count(True) == 1
    assert Installation.objects.count() == APNSDevice.objects.count() == 1


def test_a_token_without_an_id_that_is_entered_many_times_at_once_is_one_installation() -> None:
    alice = UserFactory.create()

    at_once(8, lambda _: enter(alice))

    assert Installation.objects.count() == APNSDevice.objects.count() == 1


def test_a_token_that_two_people_register_at_once_is_one_persons() -> None:
    people = UserFactory.create_batch(8)

    def run(number: int) -> bool:
        try:
            register(people[number], installation_id=uuid.UUID(int=number + 1))
        except TokenTaken:
            return False
        return True

    outcomes = at_once(8, run)

    assert outcomes.count(True) == 1
    assert Installation.objects.get().user == people[outcomes.index(True)]
    assert APNSDevice.objects.get().user == people[outcomes.index(True)]


def test_an_id_that_many_choose_at_once_is_the_installation_of_one_secret() -> None:
    people = UserFactory.create_batch(8)

    def run(number: int) -> bool:
        try:
            register(people[number], iphone(f"{number:064x}"), secret=str(number) * 32)
        except WrongSecret:
            return False
        return True

    outcomes = at_once(8, run)

    assert outcomes.count(True) == 1
    assert Installation.objects.get().user == people[outcomes.index(True)]
    assert APNSDevice.objects.count() == 1


def test_one_phone_that_many_sign_in_on_at_once_is_the_last_ones() -> None:
    people = UserFactory.create_batch(8)

    at_once(8, lambda number: register(people[number], iphone(f"{number % 2:064x}")))

    phone = Installation.objects.get()
    token = APNSDevice.objects.get()
    assert phone.apns == token
    assert phone.user == token.user


def test_the_limit_holds_when_all_register_at_once(settings: Settings) -> None:
    settings.MAX_DEVICES_PER_USER = 3
    alice = UserFactory.create()

    def run(number: int) -> bool:
        try:
            register(alice, iphone(f"{number:064x}"), installation_id=uuid.UUID(int=number + 1))
        except TooManyDevices:
            return False
        return True

    assert at_once(8, run).count(True) == 3
    assert alice.installations.count() == 3


def test_registering_and_unregistering_at_once_leaves_both_or_neither() -> None:
    alice = UserFactory.create()

    def run(number: int) -> None:
        for _ in range(5):
            if number % 2:
                register(alice, iphone(f"{number:064x}"))
            elif Installation.objects.filter(pk=PHONE).exists():
                try:
                    installations.unregister(user=alice, installation_id=PHONE)
                except Unregistered:
                    continue

    at_once(4, run)

    assert Installation.objects.count() == APNSDevice.objects.count() <= 1


def test_an_app_installed_anew_while_pushes_are_settled_neither_fails_nor_waits() -> None:
    alice = MembershipFactory.create()
    register(alice.user)
    rows = [wait_for(PHONE, alice) for _ in range(20)]
    leased = deliveries.lease(lane=Lane(rows[0].lane), now=NOW, limit=50).leased
    assert len(leased) == 20
    answers = [(one, dead(one, sent_at=NOW - timedelta(days=1))) for one in leased]

    def run(number: int) -> None:
        if number:
            register(alice.user, installation_id=OTHER_PHONE, secret=OTHER_SECRET)
        else:
            deliveries.settle(answers, now=NOW)

    at_once(2, run)

    assert [row.pk for row in Installation.objects.all()] == [OTHER_PHONE]
    assert set(Delivery.objects.values_list("installation", "state")) == {(OTHER_PHONE, "failed")}
