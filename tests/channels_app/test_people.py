from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from channels_app import people
from tests.factories import MembershipFactory, NotificationFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_who_moves_has_what_is_held_in_all_organizations_judged_again() -> None:
    alice, now = UserFactory.create(), timezone.now()
    later = now + timedelta(hours=8)
    of_alice = MembershipFactory.create_batch(2, user=alice)
    held = [
        NotificationFactory.create(
            membership=member,
            event__organization=member.organization,
            outcome="held",
            held_until=later,
        )
        for member in (*of_alice, MembershipFactory.create())
    ]

    people.localize(user=alice, now=now, time_zone="Asia/Tokyo")

    for row in held:
        row.refresh_from_db()
    assert [row.held_until for row in held] == [now, now, later]
    assert alice.time_zone == "Asia/Tokyo"


def test_another_language_changes_nothing_about_when() -> None:
    alice, now = UserFactory.create(), timezone.now()
    held = NotificationFactory.create(
        membership__user=alice, outcome="held", held_until=now + timedelta(hours=8)
    )

    people.localize(user=alice, now=now, locale="de")

    held.refresh_from_db()
    alice.refresh_from_db()
    assert held.held_until == now + timedelta(hours=8)
    assert (alice.locale, alice.time_zone) == ("de", "")
