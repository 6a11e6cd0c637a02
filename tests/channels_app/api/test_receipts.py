from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from channels_app.models import Delivery, Installation, Membership, Receipt
from tests.api import PROBLEM, client_for, pointers
from tests.factories import (
    ConnectionFactory,
    DeliveryFactory,
    EventFactory,
    InstallationFactory,
    MembershipFactory,
    NotificationFactory,
    OrganizationFactory,
)

pytestmark = pytest.mark.django_db
RECEIPTS = "/api/v1/acme/receipts/"
SENT = timezone.now() - timedelta(days=3)
SEEN = SENT + timedelta(seconds=2)


@pytest.fixture
def alice() -> Membership:
    return MembershipFactory.create(organization=OrganizationFactory.create(slug="acme"))


@pytest.fixture
def phone(alice: Membership) -> Installation:
    return InstallationFactory.create(user=alice.user)


def sent(member: Membership, phone: Installation) -> Delivery:
    """A banner that went to a phone three days ago."""
    event = EventFactory.create(
        connection=ConnectionFactory.create(organization=member.organization), received_at=SENT
    )
    notification = NotificationFactory.create(event=event, membership=member, listed=True)
    return DeliveryFactory.create(notification=notification, installation=phone, accepted=True)


def receipt(delivery: Delivery, kind: str = "displayed", **fields: object) -> dict[str, Any]:
    receipt = {
        "notification_id": delivery.notification_id,
        "kind": kind,
        "at": SEEN.isoformat(),
    }
    return {**receipt, **fields}


def tell(phone: Installation, *receipts: dict[str, Any], to: APIClient | None = None) -> Any:
    client = to or client_for(phone.user)
    answer = client.post(RECEIPTS, {"installation_id": str(phone.pk), "receipts": list(receipts)})
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def results(answers: Any) -> list[str]:
    assert [answer["index"] for answer in answers] == list(range(len(answers)))
    return [answer["result"] for answer in answers]


def test_what_a_device_says_is_kept_days_later(alice: Membership, phone: Installation) -> None:
    delivery = sent(alice, phone)

    answers = tell(
        phone,
        receipt(delivery),
        receipt(delivery, "opened"),
        receipt(delivery, "action", action="claim"),
    )

    assert results(answers) == ["accepted"] * 3
    assert {answer["detail"] for answer in answers} == {""}
    kept = Receipt.objects.filter(delivery=delivery).values_list("kind", "action", "occurred_at")
    assert set(kept) == {
        ("displayed", "", SEEN),
        ("opened", "", SEEN),
        ("action", "claim", SEEN),
    }


def test_the_id_of_the_notification_may_be_the_text_that_a_push_carries(
    alice: Membership, phone: Installation
) -> None:
    delivery = sent(alice, phone)

    answers = tell(phone, receipt(delivery, notification_id=str(delivery.notification_id)))

    assert results(answers) == ["accepted"]


def test_what_was_opened_is_read(alice: Membership, phone: Installation) -> None:
    seen, opened = sent(alice, phone), sent(alice, phone)

    tell(phone, receipt(seen), receipt(opened, "opened"))

    for delivery in (seen, opened):
        delivery.notification.refresh_from_db()
    assert (seen.notification.read_at, opened.notification.read_at) == (None, SEEN)


def test_when_it_was_read_first_stays(alice: Membership, phone: Installation) -> None:
    delivery = sent(alice, phone)
    notification = delivery.notification
    notification.read_at = SENT
    notification.save()

    tell(phone, receipt(delivery, "opened"))

    notification.refresh_from_db()
    assert notification.read_at == SENT


def test_telling_it_again_changes_nothing(alice: Membership, phone: Installation) -> None:
    delivery = sent(alice, phone)
    tell(phone, receipt(delivery, "opened"))
    client_for(alice.user).delete(f"/api/v1/acme/inbox/{delivery.notification_id}/read/")

    again = tell(phone, receipt(delivery, "opened", at=timezone.now().isoformat()))

    delivery.notification.refresh_from_db()
    assert results(again) == ["known"]
    assert delivery.notification.read_at is None
    assert Receipt.objects.get().occurred_at == SEEN


def test_what_stands_twice_in_a_batch_is_accepted_once(
    alice: Membership, phone: Installation
) -> None:
    delivery = sent(alice, phone)
    later = (SEEN + timedelta(hours=1)).isoformat()

    answers = tell(phone, receipt(delivery), receipt(delivery, at=later))

    assert results(answers) == ["accepted", "known"]
    assert Receipt.objects.get().occurred_at == SEEN


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1999-12-31T23:59:59.999999-12:00"]
)
def test_a_moment_before_it_was_sent_is_when_it_was_sent(
    alice: Membership, phone: Installation, at: str
) -> None:
    delivery = sent(alice, phone)

    (answer,) = tell(phone, receipt(delivery, at=at))

    assert (answer["result"], answer["detail"] != "") == ("accepted", True)
    assert Receipt.objects.get().occurred_at == delivery.created_at
    assert datetime.fromisoformat(answer["at"]) == delivery.created_at


@pytest.mark.parametrize("at", ["2199-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_moment_to_come_is_now(alice: Membership, phone: Installation, at: str) -> None:
    before = timezone.now()

    (answer,) = tell(phone, receipt(sent(alice, phone), at=at))

    assert answer["detail"]
    assert before <= Receipt.objects.get().occurred_at <= timezone.now()


def test_each_receipt_has_its_own_answer(alice: Membership, phone: Installation) -> None:
    delivery = sent(alice, phone)
    nobodys = receipt(delivery, notification_id=2**63 - 1)

    answers = tell(phone, nobodys, receipt(delivery), nobodys)

    assert results(answers) == ["unknown", "accepted", "unknown"]
    assert (answers[0]["at"], answers[0]["detail"] != "") == (None, True)


def test_what_is_not_mine_is_unknown(alice: Membership, phone: Installation) -> None:
    colleague = MembershipFactory.create(organization=alice.organization)
    elsewhere = MembershipFactory.create(user=alice.user)
    theirs = sent(colleague, InstallationFactory.create(user=colleague.user))
    of_another_organization = sent(elsewhere, phone)
    of_another_phone = sent(alice, InstallationFactory.create(user=alice.user))

    answers = tell(
        phone,
        *(receipt(one, "opened") for one in (theirs, of_another_organization, of_another_phone)),
    )

    assert results(answers) == ["unknown"] * 3
    assert not Receipt.objects.exists()
    theirs.notification.refresh_from_db()
    assert theirs.notification.read_at is None


def test_with_the_installation_of_somebody_else_all_is_unknown(alice: Membership) -> None:
    bob = MembershipFactory.create(organization=alice.organization)
    theirs = InstallationFactory.create(user=bob.user)
    # A phone that changed hands keeps what was sent to it before.
    before, now = sent(alice, theirs), sent(bob, theirs)

    answers = tell(theirs, receipt(before), receipt(now), to=client_for(alice.user))

    assert results(answers) == ["unknown", "unknown"]
    assert not Receipt.objects.exists()


def test_an_installation_that_is_gone_is_told_so_for_each(alice: Membership) -> None:
    gone = Installation(pk=uuid.uuid4(), user=alice.user)
    delivery = sent(alice, InstallationFactory.create(user=alice.user))

    assert results(tell(gone, receipt(delivery))) == ["unknown"]


def test_a_phone_that_has_nothing_to_tell_may_say_so(phone: Installation) -> None:
    assert tell(phone) == []


def test_a_hundred_receipts_take_as_many_statements_as_one(
    alice: Membership, phone: Installation
) -> None:
    counts = []
    for size in (1, 100):
        receipts = [receipt(sent(alice, phone), "opened") for _ in range(size)]
        with CaptureQueriesContext(connection) as queries:
            answers = tell(phone, *receipts)
        assert results(answers) == ["accepted"] * size
        counts.append(len(queries))

    assert counts == [3, 3]


GOOD = {"notification_id": 1, "kind": "displayed", "at": "2026-11-23T09:15:00Z"}


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"notification_id": 0}, "/notification_id"),
        ({"notification_id": 2**63}, "/notification_id"),
        ({"notification_id": "x"}, "/notification_id"),
        ({"notification_id": None}, "/notification_id"),
        ({"kind": "dismissed"}, "/kind"),
        ({"kind": None}, "/kind"),
        ({"kind": "action"}, "/action"),
        ({"action": "claim"}, "/action"),
        ({"kind": "action", "action": ""}, "/action"),
        ({"kind": "action", "action": "x" * 33}, "/action"),
        ({"kind": "action", "action": "a b"}, "/action"),
        ({"kind": "action", "action": "cl\naim"}, "/action"),
        ({"at": "2026-11-23T09:15:00"}, "/at"),
        ({"at": "2026-11-23"}, "/at"),
        ({"at": 1795425300}, "/at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "/at"),
        ({"at": None}, "/at"),
        ({"delivery": 5}, "/delivery"),
    ],
)
def test_a_receipt_that_cannot_be_read_is_named_and_none_is_kept(
    alice: Membership, phone: Installation, wrong: dict[str, object], place: str
) -> None:
    good = receipt(sent(alice, phone))

    answer = client_for(alice.user).post(
        RECEIPTS, {"installation_id": str(phone.pk), "receipts": [good, {**GOOD, **wrong}]}
    )

    assert answer.status_code == 400
    assert pointers(answer) == {f"/receipts/1{place}"}
    assert not Receipt.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "places"),
    [
        ({"installation_id": "x"}, {"/installation_id"}),
        ({"installation_id": None}, {"/installation_id"}),
        ({"installation_id": 2**200}, {"/installation_id"}),
        ({"receipts": None}, {"/receipts"}),
        ({"receipts": {}}, {"/receipts"}),
        ({"receipts": "x"}, {"/receipts"}),
        ({"receipts": [GOOD] * 101}, {"/receipts"}),
        ({"receipts": [GOOD, []]}, {"/receipts/1"}),
        ({"device": 1}, {"/device"}),
    ],
)
def test_a_batch_that_cannot_be_read_is_refused(
    alice: Membership, wrong: dict[str, object], places: set[str]
) -> None:
    good = {"installation_id": str(uuid.uuid4()), "receipts": [GOOD]}

    answer = client_for(alice.user).post(RECEIPTS, {**good, **wrong})

    assert answer.status_code == 400
    assert pointers(answer) == places


@pytest.mark.parametrize("method", ["get", "put", "delete", "post"])
def test_an_outsider_has_nobody_to_tell(alice: Membership, method: str) -> None:
    answer = getattr(client_for(MembershipFactory.create().user), method)(RECEIPTS)

    assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)


def test_the_moments_are_told_in_utc(alice: Membership, phone: Installation) -> None:
    local = SEEN.replace(microsecond=0).astimezone(UTC) + timedelta(hours=2)

    (answer,) = tell(
        phone, receipt(sent(alice, phone), at=f"{local.replace(tzinfo=None).isoformat()}+02:00")
    )

    assert answer["at"] == f"{SEEN.replace(microsecond=0, tzinfo=None).isoformat()}Z"
