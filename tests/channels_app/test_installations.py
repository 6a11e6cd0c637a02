from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from push_notifications.models import APNSDevice

from channels_app import installations
from channels_app.installations import TokenTaken
from channels_app.models import Installation, User
from tests.factories import AUTH, P256DH, UserFactory

NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
TOKEN = "ab" * 32


def register(
    user: User, *, token: str = TOKEN, name: str = "iPhone", now: datetime = NOW
) -> Installation:
    return installations.register(
        user=user,
        platform=Installation.Platform.APNS,
        application_id="ios-sandbox",
        registration_id=token,
        name=name,
        now=now,
    )


@pytest.mark.django_db
def test_a_new_token_makes_a_living_installation_of_its_owner() -> None:
    alice = UserFactory.create()

    made = register(alice)

    assert (made.user, made.platform, made.name) == (alice, "apns", "iPhone")
    assert made.apns is not None
    assert (made.apns.registration_id, made.apns.application_id) == (TOKEN, "ios-sandbox")
    assert (made.apns.user, made.apns.active, made.dead_since) == (alice, True, None)


@pytest.mark.django_db
@pytest.mark.parametrize("platform", [Installation.Platform.FCM, Installation.Platform.WEBPUSH])
def test_each_platform_has_a_device_of_its_own_kind(platform: Installation.Platform) -> None:
    made = installations.register(
        user=UserFactory.create(),
        platform=platform,
        application_id="some-application",
        registration_id="https://localhost/push/1",
        p256dh=P256DH,
        auth=AUTH,
        now=NOW,
    )

    assert getattr(made, platform.value).registration_id == "https://localhost/push/1"


@pytest.mark.django_db
def test_a_browsers_keys_are_kept_for_the_encryption() -> None:
    made = installations.register(
        user=UserFactory.create(),
        platform=Installation.Platform.WEBPUSH,
        application_id="web-sandbox",
        registration_id="https://localhost/push/1",
        p256dh=P256DH,
        auth=AUTH,
        now=NOW,
    )

    assert made.webpush is not None
    assert (made.webpush.p256dh, made.webpush.auth) == (P256DH, AUTH)


@pytest.mark.django_db
def test_the_same_token_again_is_the_same_installation_brought_up_to_date() -> None:
    alice = UserFactory.create()

    first, again = register(alice), register(alice, name="Alice's iPhone")

    assert first.pk == again.pk
    assert Installation.objects.get().name == "Alice's iPhone"


@pytest.mark.django_db
def test_a_dead_installation_lives_again_when_its_token_is_registered_again() -> None:
    alice = UserFactory.create()
    dead = register(alice)
    Installation.objects.update(dead_since=NOW)
    APNSDevice.objects.update(active=False)
    later = NOW + timedelta(days=1)

    register(alice, now=later)

    dead.refresh_from_db()
    assert dead.dead_since is None
    assert dead.registered_at == later, "or an old report of its death would bury it again"
    assert APNSDevice.objects.get().active


@pytest.mark.django_db
def test_a_token_of_somebody_else_is_refused_and_stays_theirs() -> None:
    alice = UserFactory.create()
    register(alice)

    with pytest.raises(TokenTaken):
        register(UserFactory.create(), name="mine now")

    assert Installation.objects.get().user == alice
    assert APNSDevice.objects.get().name == "iPhone"


@pytest.mark.django_db(transaction=True)
def test_a_token_registered_many_times_at_once_is_one_installation() -> None:
    alice = UserFactory.create()
    start = threading.Barrier(8)
    failures: list[Exception] = []

    def run() -> None:
        try:
            start.wait(timeout=10)
            register(alice)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert failures == []
    assert Installation.objects.count() == APNSDevice.objects.count() == 1
