from __future__ import annotations

import pytest
from push_notifications.models import APNSDevice, WebPushDevice

from channels_app import deliveries, installations
from channels_app.installations import Unregistered, WrongSecret
from channels_app.levels import Lane
from channels_app.models import Installation
from channels_app.push_tokens import Address, TokenTaken
from tests.channels_app.registering import (
    NOW,
    OTHER_PHONE,
    OTHER_SECRET,
    OTHER_TOKEN,
    PHONE,
    TOKEN,
    browser,
    enter,
    iphone,
    register,
    wait_for,
)
from tests.factories import DeliveryFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", [iphone(), iphone(OTHER_TOKEN), browser()])
def test_who_does_not_know_the_secret_changes_nothing(address: Address) -> None:
    alice, mallory = UserFactory.create_batch(2)
    register(alice, about={"name": "iPhone"})
    before = Installation.objects.values().get()

    for user in (alice, mallory):
        with pytest.raises(WrongSecret):
            register(user, address, secret=OTHER_SECRET, about={"name": "mine now"})

    assert Installation.objects.values().get() == before
    assert list(APNSDevice.objects.values_list("registration_id", "user")) == [(TOKEN, alice.pk)]
    assert WebPushDevice.objects.count() == 0


def test_an_installation_without_a_secret_gets_one_from_its_owner_only() -> None:
    alice, mallory = UserFactory.create_batch(2)
    phone = enter(alice)

    with pytest.raises(WrongSecret):
        register(mallory, iphone(OTHER_TOKEN), installation_id=phone.pk)
    register(alice, installation_id=phone.pk)

    with pytest.raises(WrongSecret):
        register(alice, installation_id=phone.pk, secret=OTHER_SECRET)


def test_who_signs_in_on_the_same_installation_takes_it_over() -> None:
    alice, bob = UserFactory.create_batch(2)
    register(alice, about={"name": "Alice's iPhone", "app_version": "1.1"})
    installations.change(
        user=alice,
        installation_id=PHONE,
        changes={"muted_channels": ["escalation"], "privacy": "ids"},
    )

    phone = register(bob).installation

    assert (phone.user, phone.name, phone.app_version) == (bob, "", "1.1")
    assert (phone.muted_channels, phone.privacy) == ([], ""), "these were Alice's wishes"
    assert phone.apns is not None and phone.apns.user == bob


def test_what_waits_for_the_last_owner_never_goes_to_the_next() -> None:
    alice = MembershipFactory.create()
    register(alice.user)
    waiting = wait_for(PHONE, alice)

    register(UserFactory.create())

    taken = deliveries.lease(lane=Lane(waiting.lane), now=NOW, limit=10)
    assert taken.leased == []
    assert taken.objections == [(waiting.pk, "device_gone")]


def test_a_token_of_somebody_else_is_refused_and_stays_theirs() -> None:
    alice, bob = UserFactory.create_batch(2)
    register(alice, about={"name": "iPhone"})

    with pytest.raises(TokenTaken):
        enter(bob)
    with pytest.raises(TokenTaken):
        register(bob, installation_id=OTHER_PHONE, secret=OTHER_SECRET)

    assert Installation.objects.get().user == alice
    assert APNSDevice.objects.get().user == alice


def test_an_own_installation_gets_no_token_of_somebody_else() -> None:
    alice, bob = UserFactory.create_batch(2)
    register(alice)
    register(bob, iphone(OTHER_TOKEN), installation_id=OTHER_PHONE)

    with pytest.raises(TokenTaken):
        register(bob, installation_id=OTHER_PHONE)

    kept = Installation.objects.get(pk=OTHER_PHONE).apns
    assert kept is not None and kept.registration_id == OTHER_TOKEN


def test_a_token_that_no_installation_has_is_free_for_its_person_alone() -> None:
    alice, bob = UserFactory.create_batch(2)
    APNSDevice.objects.create(registration_id=TOKEN, user=alice)

    with pytest.raises(TokenTaken):
        register(bob)
    register(alice)

    assert Installation.objects.get().apns == APNSDevice.objects.get()


def test_an_app_that_was_installed_anew_goes_on_under_its_new_id() -> None:
    alice = MembershipFactory.create()
    register(alice.user, about={"name": "iPhone"})
    waiting = wait_for(PHONE, alice)

    anew = register(alice.user, installation_id=OTHER_PHONE, secret=OTHER_SECRET)

    assert anew.created
    assert [row.pk for row in Installation.objects.all()] == [OTHER_PHONE]
    taken = deliveries.lease(lane=Lane(waiting.lane), now=NOW, limit=10)
    assert [row.installation_id for row in taken.leased] == [OTHER_PHONE], "nothing is lost"
    register(alice.user, installation_id=OTHER_PHONE, secret=OTHER_SECRET)


def test_two_installations_of_one_person_become_one_when_they_have_one_token() -> None:
    alice = MembershipFactory.create()
    register(alice.user)
    register(alice.user, iphone(OTHER_TOKEN), installation_id=OTHER_PHONE)
    to_both = wait_for(PHONE, alice)
    DeliveryFactory.create(
        notification=to_both.notification,
        installation=Installation.objects.get(pk=OTHER_PHONE),
        due_at=NOW,
        state="pending",
    )
    to_one = wait_for(PHONE, alice)

    register(alice.user, installation_id=OTHER_PHONE)

    kept = Installation.objects.get()
    assert kept.pk == OTHER_PHONE
    assert APNSDevice.objects.get() == kept.apns
    assert APNSDevice.objects.get().registration_id == TOKEN
    assert set(kept.deliveries.values_list("notification", flat=True)) == {
        to_both.notification_id,
        to_one.notification_id,
    }


def test_nobody_changes_or_unregisters_a_device_of_somebody_else() -> None:
    alice, mallory = UserFactory.create_batch(2)
    register(alice)

    with pytest.raises(Unregistered):
        installations.unregister(user=mallory, installation_id=PHONE)
    with pytest.raises(Unregistered):
        installations.change(user=mallory, installation_id=PHONE, changes={"name": "mine"})

    assert Installation.objects.get().name == ""
