from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from channels_app import receipts
from channels_app.models import Receipt
from channels_app.receipts import Answer, Result, Told
from tests.factories import (
    ConnectionFactory,
    DeliveryFactory,
    EventFactory,
    InstallationFactory,
    MembershipFactory,
    NotificationFactory,
)
from tests.races import at_once

instants = st.datetimes(
    min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)
)


@given(instants, instants, instants)
def test_what_is_kept_lies_between_the_sending_and_now(
    at: datetime, one: datetime, other: datetime
) -> None:
    since, now = sorted((one, other))

    kept = receipts.possible(at, since=since, now=now)

    assert since <= kept <= now
    assert kept == at or not since <= at <= now


@pytest.mark.django_db(transaction=True)
def test_batches_that_come_at_once_in_any_order_keep_each_receipt_once() -> None:
    alice = MembershipFactory.create()
    phone = InstallationFactory.create(user=alice.user)
    connection = ConnectionFactory.create(organization=alice.organization)
    notifications = [
        NotificationFactory.create(
            event=EventFactory.create(connection=connection), membership=alice, listed=True
        )
        for _ in range(20)
    ]
    for notification in notifications:
        DeliveryFactory.create(notification=notification, installation=phone, accepted=True)
    now = timezone.now()
    told = [Told(row.pk, Receipt.Kind.OPENED, now) for row in notifications]

    def tell(number: int) -> list[Answer]:
        return receipts.record(
            membership_id=alice.pk,
            user_id=alice.user_id,
            installation_id=phone.pk,
            told=told if number % 2 else told[::-1],
            now=now,
        )

    batches = at_once(6, tell)

    results = Counter(answer.result for batch in batches for answer in batch)
    assert results == {Result.ACCEPTED: 20, Result.KNOWN: 100}
    assert Receipt.objects.count() == 20
