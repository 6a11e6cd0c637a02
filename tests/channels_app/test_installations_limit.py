from __future__ import annotations

from datetime import timedelta

import pytest
from push_notifications.models import APNSDevice
from pytest_django import Settings

from channels_app.installations import TooManyDevices
from channels_app.models import Installation
from tests.channels_app.registering import (
    NOW,
    OTHER_PHONE,
    OTHER_TOKEN,
    PHONE,
    iphone,
    kill,
    register,
)
from tests.factories import InstallationFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_person_gets_no_more_devices_than_one_may_have(settings: Settings) -> None:
    settings.MAX_DEVICES_PER_USER = 3
    alice = UserFactory.create()
    InstallationFactory.create_batch(2, user=alice)
    register(alice)

    with pytest.raises(TooManyDevices):
        register(alice, iphone(OTHER_TOKEN), installation_id=OTHER_PHONE)

    assert alice.installations.count() == APNSDevice.objects.count() == 3
    register(UserFactory.create(), iphone(OTHER_TOKEN), installation_id=OTHER_PHONE)


def test_devices_that_are_there_are_brought_up_to_date_beyond_the_limit(
    settings: Settings,
) -> None:
    alice = UserFactory.create()
    InstallationFactory.create_batch(2, user=alice)
    register(alice)
    settings.MAX_DEVICES_PER_USER = 1

    register(alice, iphone(OTHER_TOKEN))
    register(alice, iphone(OTHER_TOKEN), installation_id=OTHER_PHONE)

    assert alice.installations.count() == 3, "the living are nobody's to remove but hers"


def test_who_takes_a_device_over_needs_room_for_it(settings: Settings) -> None:
    settings.MAX_DEVICES_PER_USER = 1
    alice, bob = UserFactory.create_batch(2)
    InstallationFactory.create(user=bob)
    register(alice)

    with pytest.raises(TooManyDevices):
        register(bob)

    assert Installation.objects.get(pk=PHONE).user == alice


def test_a_dead_device_that_comes_back_needs_room(settings: Settings) -> None:
    settings.MAX_DEVICES_PER_USER = 1
    alice = UserFactory.create()
    register(alice)
    kill(PHONE)
    InstallationFactory.create(user=alice)

    with pytest.raises(TooManyDevices):
        register(alice)


def test_dead_devices_do_not_count_and_the_longest_dead_are_forgotten(settings: Settings) -> None:
    settings.MAX_DEVICES_PER_USER = 3
    alice = UserFactory.create()
    oldest, older, old = InstallationFactory.create_batch(3, user=alice)
    for days, device in ((3, oldest), (2, older), (1, old)):
        kill(device.pk, at=NOW - timedelta(days=days))
    of_others = InstallationFactory.create(dead_since=NOW - timedelta(days=9))

    register(alice)
    register(alice, iphone(OTHER_TOKEN), installation_id=OTHER_PHONE)

    left = set(alice.installations.values_list("pk", flat=True))
    assert left == {PHONE, OTHER_PHONE, old.pk}
    assert APNSDevice.objects.filter(user=alice).count() == 3
    assert Installation.objects.filter(pk=of_others.pk).exists()
