from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from channels_app import snoozes
from channels_app.models import Membership, Snooze
from channels_app.snoozes import MOST, TooMany
from tests.factories import (
    BotFactory,
    MembershipFactory,
    NotificationFactory,
    SnoozeFactory,
    SubscriptionFactory,
)
from tests.races import at_once

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def fill(member: Membership, count: int, *, until: datetime) -> None:
    bot = BotFactory.create(organization=member.organization)
    Snooze.objects.bulk_create(
        Snooze(membership=member, source=bot, subject=f"c{n}", until=until) for n in range(count)
    )


def test_snoozing_again_moves_the_end() -> None:
    me, now = MembershipFactory.create(), timezone.now()

    first, created = snoozes.snooze(membership=me, until=now + HOUR, now=now)
    again, created_again = snoozes.snooze(membership=me, until=now + 2 * HOUR, now=now)

    assert (created, created_again, first.pk) == (True, False, again.pk)
    assert Snooze.objects.get().until == now + 2 * HOUR


def test_what_is_over_is_no_snooze_and_makes_room() -> None:
    me, now = MembershipFactory.create(), timezone.now()
    fill(me, MOST, until=now + HOUR)

    assert snoozes.active(membership=me, now=now + HOUR).count() == 0
    snoozes.snooze(membership=me, until=now + 3 * HOUR, now=now + 2 * HOUR)

    assert Snooze.objects.count() == 1


def test_a_subscription_is_not_needed_and_not_touched() -> None:
    subscription = SubscriptionFactory.create()
    me, now = subscription.membership, timezone.now()

    snoozes.snooze(membership=me, source=subscription.source, until=now + HOUR, now=now)

    subscription.refresh_from_db()
    assert subscription.level == ""


def test_only_ones_own_is_ended() -> None:
    theirs, now = SnoozeFactory.create(), timezone.now()
    me = MembershipFactory.create(organization=theirs.membership.organization)

    assert snoozes.end(membership=me, snooze_id=theirs.pk, now=now) is False
    assert Snooze.objects.get() == theirs


def test_ending_judges_again_what_was_kept_and_ending_nothing_does_not() -> None:
    snooze, now = SnoozeFactory.create(), timezone.now()
    me = snooze.membership
    held = NotificationFactory.create(
        membership=me,
        event__organization=me.organization,
        outcome="snoozed",
        held_until=snooze.until,
    )

    snoozes.end(membership=me, snooze_id=0, now=now)
    held.refresh_from_db()
    untouched = held.held_until
    snoozes.end(membership=me, snooze_id=snooze.pk, now=now)
    held.refresh_from_db()

    assert (untouched, held.held_until) == (snooze.until, now)


@pytest.mark.django_db(transaction=True)
def test_nobody_gets_past_the_limit_by_asking_at_once() -> None:
    me, now = MembershipFactory.create(), timezone.now()
    fill(me, MOST - 1, until=now + HOUR)
    bot = BotFactory.create(organization=me.organization)

    def one(number: int) -> bool:
        try:
            snoozes.snooze(
                membership=me, source=bot, subject=f"{number}", until=now + HOUR, now=now
            )
        except TooMany:
            return False
        return True

    assert sum(at_once(6, one)) == 1
    assert Snooze.objects.count() == MOST
