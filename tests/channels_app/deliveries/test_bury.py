from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from push_notifications.models import APNSDevice

from channels_app.gateways.pushes import Verdict
from channels_app.models import Delivery, Installation
from tests.channels_app.deliveries.rows import NOW, SECOND, due, lease, leased_one, phone_of, settle
from tests.factories import InstallationFactory

pytestmark = pytest.mark.django_db


def alive(delivery: Delivery) -> tuple[bool, bool]:
    """Whether our row, and that of django-push-notifications, say that the device lives."""
    phone = phone_of(delivery)
    device = phone.apns or phone.fcm or phone.webpush
    assert device
    return phone.dead_since is None, device.active


def registered(delivery: Delivery, at: datetime) -> None:
    Installation.objects.filter(pk=phone_of(delivery).pk).update(registered_at=at)


@pytest.mark.parametrize(
    "phone", [{}, {"installation__on_fcm": True}, {"installation__on_webpush": True}]
)
def test_a_dead_device_is_taken_out_of_service(phone: dict[str, Any]) -> None:
    delivery, leased = leased_one(**phone)
    registered(delivery, NOW - SECOND)
    row = settle(leased, Verdict.DEAD, status=410, reason="Unregistered")
    assert row.state == "failed"
    assert alive(delivery) == (False, False)


def test_a_device_is_dead_since_the_push_service_says_so() -> None:
    delivery, leased = leased_one()
    registered(delivery, NOW - timedelta(days=9))
    settle(leased, Verdict.DEAD, dead_since=NOW - timedelta(days=2))
    assert phone_of(delivery).dead_since == NOW - timedelta(days=2)


def test_a_device_that_was_registered_after_its_death_lives() -> None:
    delivery, leased = leased_one()
    registered(delivery, NOW - timedelta(days=1))
    settle(leased, Verdict.DEAD, dead_since=NOW - timedelta(days=2))
    assert alive(delivery) == (True, True)


@pytest.mark.parametrize("verdict", [each for each in Verdict if each is not Verdict.DEAD])
def test_nothing_but_a_dead_token_takes_a_device_out_of_service(verdict: Verdict) -> None:
    delivery, leased = leased_one()
    registered(delivery, NOW - SECOND)
    settle(leased, verdict, status=400, reason="BadDeviceToken")
    assert alive(delivery) == (True, True)


def test_the_death_of_one_device_hurts_no_other() -> None:
    delivery, leased = leased_one()
    registered(delivery, NOW - SECOND)
    other = InstallationFactory.create(user=delivery.notification.membership.user)
    settle(leased, Verdict.DEAD)
    other.refresh_from_db()
    assert other.dead_since is None


def test_the_first_word_on_when_a_device_died_stays() -> None:
    delivery = due()
    due(installation=phone_of(delivery), notification__membership=delivery.notification.membership)
    registered(delivery, NOW - timedelta(days=9))
    first, second = lease().leased
    settle(first, Verdict.DEAD, dead_since=NOW - timedelta(days=2))
    settle(second, Verdict.DEAD, dead_since=NOW - timedelta(days=1))
    assert phone_of(delivery).dead_since == NOW - timedelta(days=2)


def test_a_device_that_is_gone_is_not_missed() -> None:
    delivery, leased = leased_one()
    phone_of(delivery).delete()
    assert settle(leased, Verdict.DEAD).state == "failed"


def test_a_device_that_has_told_another_token_since_lives() -> None:
    delivery, leased = leased_one()
    registered(delivery, NOW - SECOND)
    APNSDevice.objects.update(registration_id="b" * 64)
    settle(leased, Verdict.DEAD, status=410, reason="Unregistered")
    assert alive(delivery) == (True, True)
