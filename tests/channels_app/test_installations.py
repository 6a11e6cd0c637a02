from __future__ import annotations

from datetime import timedelta

import pytest
from push_notifications.models import APNSDevice, GCMDevice, WebPushDevice

from channels_app import deliveries, installations
from channels_app.levels import Lane
from channels_app.models import Installation
from channels_app.push_tokens import Address
from tests.channels_app.registering import (
    NOW,
    OTHER_PHONE,
    OTHER_SECRET,
    OTHER_TOKEN,
    PHONE,
    SECRET,
    TOKEN,
    browser,
    dead,
    enter,
    iphone,
    kill,
    register,
    wait_for,
)
from tests.factories import AUTH, P256DH, InstallationFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_new_installation_lives_and_is_its_owners() -> None:
    alice = UserFactory.create()

    made = register(alice, about={"name": "iPhone", "critical_allowed": True})

    phone = made.installation
    assert made.created
    assert (phone.pk, phone.user, phone.platform, phone.name) == (PHONE, alice, "apns", "iPhone")
    assert (phone.critical_allowed, phone.dead_since, phone.registered_at) == (True, None, NOW)
    assert phone.apns is not None
    assert (phone.apns.registration_id, phone.apns.application_id) == (TOKEN, "ios-sandbox")
    assert (phone.apns.user, phone.apns.active) == (alice, True)


@pytest.mark.parametrize("platform", Installation.Platform)
def test_each_platform_has_a_token_of_its_own_kind(platform: Installation.Platform) -> None:
    made = enter(UserFactory.create(), Address(platform, "some-application", "token", P256DH, AUTH))

    assert getattr(made, platform.value).registration_id == "token"


def test_a_browsers_keys_are_kept_for_the_encryption() -> None:
    made = enter(UserFactory.create(), browser())

    assert made.webpush is not None
    assert (made.webpush.p256dh, made.webpush.auth) == (P256DH, AUTH)


def test_of_the_secret_only_a_hash_is_kept() -> None:
    phone = register(UserFactory.create()).installation

    assert SECRET not in phone.secret_hash
    assert len(phone.secret_hash) == 64


def test_registering_again_changes_what_is_said_and_keeps_the_rest() -> None:
    alice = UserFactory.create()
    register(alice, about={"name": "iPhone", "app_version": "1.0"})
    installations.change(
        user=alice, installation_id=PHONE, changes={"muted_channels": ["workflow"]}
    )

    again = register(alice, about={"app_version": "1.1"})

    phone = again.installation
    assert not again.created
    assert (phone.name, phone.app_version, phone.muted_channels) == ("iPhone", "1.1", ["workflow"])
    assert Installation.objects.count() == APNSDevice.objects.count() == 1


def test_a_new_token_takes_the_place_of_the_old_one() -> None:
    alice = UserFactory.create()
    register(alice)

    rotated = register(alice, iphone(OTHER_TOKEN))

    assert not rotated.created
    assert rotated.installation.apns is not None
    assert rotated.installation.apns.registration_id == OTHER_TOKEN
    assert APNSDevice.objects.count() == 1, "the old token is nobody's"


def test_an_installation_may_even_change_its_platform() -> None:
    alice = UserFactory.create()
    register(alice)

    moved = register(alice, browser()).installation

    assert (moved.platform, moved.apns) == ("webpush", None)
    assert (APNSDevice.objects.count(), WebPushDevice.objects.count()) == (0, 1)


def test_a_dead_installation_lives_again_when_it_is_registered_again() -> None:
    alice = UserFactory.create()
    register(alice)
    kill(PHONE)
    later = NOW + timedelta(days=1)

    phone = register(alice, now=later).installation

    assert phone.dead_since is None
    assert phone.registered_at == later, "or an old report of its death would bury it again"
    assert APNSDevice.objects.get().active


def test_the_first_device_brings_its_language_and_time_zone() -> None:
    alice = UserFactory.create()

    register(alice, about={"locale": "de-AT", "time_zone": "Europe/Vienna"})
    register(
        alice,
        iphone(OTHER_TOKEN),
        installation_id=OTHER_PHONE,
        about={"locale": "ar", "time_zone": "Africa/Cairo"},
    )

    alice.refresh_from_db()
    assert (alice.locale, alice.time_zone) == ("de", "Europe/Vienna")
    assert Installation.objects.get(pk=PHONE).locale == "de-AT", "as the device said it"


def test_what_a_person_chose_is_theirs() -> None:
    alice = UserFactory.create(locale="ar")

    register(alice, about={"locale": "de", "time_zone": "Europe/Vienna"})

    alice.refresh_from_db()
    assert (alice.locale, alice.time_zone) == ("ar", "Europe/Vienna")


def test_a_language_that_we_do_not_speak_leaves_the_choice_open() -> None:
    alice = UserFactory.create()

    register(alice, about={"locale": "ja-JP"})

    alice.refresh_from_db()
    assert alice.locale == ""


def test_an_installation_that_is_unregistered_is_gone_with_its_token() -> None:
    alice = MembershipFactory.create()
    register(alice.user)
    waiting = wait_for(PHONE, alice)

    installations.unregister(user=alice.user, installation_id=PHONE)

    assert Installation.objects.count() == APNSDevice.objects.count() == 0
    taken = deliveries.lease(lane=Lane(waiting.lane), now=NOW, limit=10)
    assert taken.objections == [(waiting.pk, "device_gone")]
    register(UserFactory.create(), secret=OTHER_SECRET)


def test_a_report_of_the_old_tokens_death_does_not_bury_the_new_one() -> None:
    alice = MembershipFactory.create()
    phone = register(alice.user).installation
    row = wait_for(PHONE, alice)
    (leased,) = deliveries.lease(lane=Lane(row.lane), now=NOW, limit=1).leased

    later = NOW + timedelta(seconds=1)
    register(alice.user, iphone(OTHER_TOKEN), now=later)
    deliveries.settle([(leased, dead(leased, sent_at=NOW))], now=later)

    phone.refresh_from_db()
    assert phone.dead_since is None


def test_no_other_platforms_tokens_are_touched() -> None:
    alice = UserFactory.create()
    others = InstallationFactory.create(user=alice, on_fcm=True)
    register(alice)

    register(alice, iphone(OTHER_TOKEN))
    installations.unregister(user=alice, installation_id=PHONE)

    assert GCMDevice.objects.get() == others.fcm
