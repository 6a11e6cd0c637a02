from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from channels_app.deliveries import Taken
from channels_app.gateways.pushes import Platform
from channels_app.leases import LEASE
from channels_app.levels import Lane, Level
from channels_app.models import Delivery
from tests.channels_app.deliveries.rows import NOW, SECOND, call, due, ids, lease
from tests.factories import OrganizationFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db


def test_what_is_due_is_leased() -> None:
    delivery = due()
    assert ids(lease()) == {delivery.pk}
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.due_at) == ("sending", 1, NOW + LEASE)
    assert delivery.holder == settings.LEASE_HOLDER


def test_what_is_leased_is_not_leased_again() -> None:
    due()
    lease()
    assert lease(after=LEASE + SECOND) == Taken()


def test_what_is_not_due_yet_waits() -> None:
    due(due_at=NOW + SECOND)
    assert lease() == Taken()


def test_each_lane_is_leased_by_itself() -> None:
    update, escalation = due(), call()
    assert ids(lease(Lane.ESCALATION)) == {escalation.pk}
    assert ids(lease(Lane.DEFAULT)) == {update.pk}


@pytest.mark.parametrize("state", Delivery.SETTLED)
def test_what_is_settled_is_left_alone(state: str) -> None:
    due(state=state, settled_at=NOW)
    assert lease() == Taken()


def test_what_is_due_longest_comes_first() -> None:
    acme = OrganizationFactory.create()
    due(acme, due_at=NOW - SECOND)
    oldest = due(acme, due_at=NOW - 2 * SECOND)
    assert ids(lease(limit=1)) == {oldest.pk}


def test_one_organizations_storm_leaves_the_others_their_turn() -> None:
    storm = OrganizationFactory.create()
    for _ in range(9):
        due(storm, due_at=NOW - SECOND)
    quiet = {due(due_at=NOW).pk, due(due_at=NOW).pk}
    leased = ids(lease(limit=4))
    assert len(leased) == 4
    assert leased > quiet


def test_a_leased_delivery_says_all_that_the_push_needs() -> None:
    delivery = call(
        notification__event__facts={"epoch": 2},
        notification__event__subject="conv_1001",
        notification__event__connection__organization__slug="acme",
        notification__membership__user__locale="de",
    )
    (leased,) = lease(Lane.ESCALATION).leased
    event, phone = delivery.notification.event, delivery.installation
    assert phone and phone.apns and event.source
    assert leased.target.platform is Platform.APNS
    assert leased.target.registration_id == phone.apns.registration_id
    assert leased.target.application_id == "ios-sandbox"
    assert (leased.about.subject, leased.about.source) == ("conv_1001", event.source.external_id)
    assert (leased.organization, leased.locale, leased.level) == ("acme", "de", Level.CRITICAL)
    assert (leased.attempt, leased.facts) == (1, {"epoch": 2})
    assert leased.title == delivery.notification.title


@pytest.mark.parametrize(
    ("phone", "platform"), [("on_fcm", Platform.FCM), ("on_webpush", Platform.WEBPUSH)]
)
def test_a_leased_delivery_knows_its_platform(phone: str, platform: Platform) -> None:
    fields: dict[str, Any] = {f"installation__{phone}": True}
    due(**fields)
    (leased,) = lease().leased
    assert leased.target.platform is platform
    assert bool(leased.target.p256dh and leased.target.auth) is (phone == "on_webpush")


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_lease_each_delivery_once() -> None:
    acme = OrganizationFactory.create()
    made = {due(acme).pk for _ in range(20)}
    taken = at_once(4, lambda _: ids(lease(limit=7))) + [ids(lease())]
    assert sorted(pk for each in taken for pk in each) == sorted(made)
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_a_delivery_in_another_workers_hands_is_passed_over() -> None:
    held, free = due(), due()
    with transaction.atomic():
        Delivery.objects.select_for_update().get(pk=held.pk)
        assert at_once(1, lambda _: ids(lease())) == [{free.pk}]
