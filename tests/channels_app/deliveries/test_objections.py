from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from channels_app import deliveries
from channels_app.levels import Lane
from channels_app.models import BotUserPermission, Delivery, Event, Installation
from tests.channels_app.deliveries.rows import NOW, call, due, ids, lease, phone_of
from tests.factories import (
    BotFactory,
    ConversationFactory,
    InstallationFactory,
    RoleFactory,
    RunFactory,
    permit,
)

pytestmark = pytest.mark.django_db


def _expire(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(expires_at=NOW)


def _remove_device(delivery: Delivery) -> None:
    phone_of(delivery).delete()


def _give_device_away(delivery: Delivery) -> None:
    stranger = InstallationFactory.create().user
    Installation.objects.filter(pk=phone_of(delivery).pk).update(user=stranger)


def _kill_device(delivery: Delivery) -> None:
    Installation.objects.filter(pk=phone_of(delivery).pk).update(dead_since=NOW)


def _switch_token_off(delivery: Delivery) -> None:
    assert delivery.installation and delivery.installation.apns
    delivery.installation.apns.active = False
    delivery.installation.apns.save()


def _deactivate_user(delivery: Delivery) -> None:
    delivery.notification.membership.user.is_active = False
    delivery.notification.membership.user.save()


def _deactivate_member(delivery: Delivery) -> None:
    delivery.notification.membership.active = False
    delivery.notification.membership.save()


def _revoke(delivery: Delivery) -> None:
    BotUserPermission.objects.all().delete()


def _permit_on_another_bot_only(delivery: Delivery) -> None:
    _revoke(delivery)
    permit(bot=BotFactory.create(), to=delivery.notification.membership.user)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_expire, "expired"),
        (_remove_device, "device_gone"),
        (_give_device_away, "device_gone"),
        (_kill_device, "device_dead"),
        (_switch_token_off, "device_dead"),
        (_deactivate_user, "inactive"),
        (_deactivate_member, "inactive"),
        (_revoke, "no_permission"),
        (_permit_on_another_bot_only, "no_permission"),
    ],
)
def test_what_has_changed_since_the_fan_out_is_an_objection(
    change: Callable[[Delivery], None], reason: str
) -> None:
    delivery = call()
    change(delivery)
    taken = lease(Lane.ESCALATION)
    assert (taken.leased, taken.objections) == ([], [(delivery.pk, reason)])


def test_what_is_about_nothing_that_is_left_is_cancelled() -> None:
    delivery = call()
    with connection.cursor() as cursor:  # past the cascade, as a race would
        cursor.execute("DELETE FROM chatbot_event")
    assert lease(Lane.ESCALATION).objections == [(delivery.pk, "gone")]


def test_a_permission_that_is_held_by_role_is_enough() -> None:
    delivery = call()
    _revoke(delivery)
    event = delivery.notification.event
    role = RoleFactory.create(organization=event.organization)
    assert event.source
    permit(bot=event.source.bot, to=role)
    delivery.notification.membership.user.groups.add(role.group)
    assert ids(lease(Lane.ESCALATION)) == {delivery.pk}


@pytest.mark.parametrize(
    ("reason", "state"),
    [("expired", "expired"), ("device_gone", "cancelled"), ("unbuildable", "cancelled")],
)
def test_what_is_dropped_is_settled_with_its_reason(reason: str, state: str) -> None:
    delivery = due(state="sending", attempts=1)
    deliveries.drop([(delivery.pk, reason)], now=NOW)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason, delivery.settled_at) == (state, reason, NOW)


def test_nothing_that_is_settled_is_dropped() -> None:
    delivery = due(accepted=True)
    deliveries.drop([(delivery.pk, "expired")], now=NOW)
    delivery.refresh_from_db()
    assert delivery.state == "accepted"


def test_a_type_that_this_release_does_not_know_is_not_sent() -> None:
    delivery = due()
    Event.objects.update(type="conversation.from_the_future")
    taken = lease()
    assert (taken.leased, taken.objections) == ([], [(delivery.pk, "unknown_type")])


def _conversation(delivery: Delivery, **state: Any) -> None:
    event = delivery.notification.event
    made = ConversationFactory.create(
        organization=event.organization, external_id=event.subject, **state
    )
    Event.objects.filter(pk=event.pk).update(facts={"conversation": made.pk, "epoch": 2})


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"state": "claimed", "epoch": 2}, "already_claimed"),
        ({"state": "resolved", "epoch": 2}, "resolved"),
        ({"state": "with_bot", "epoch": 2}, "resolved"),
        ({"state": "waiting", "epoch": 3}, "moot"),
    ],
)
def test_a_call_that_is_answered_or_of_an_earlier_round_is_not_sent(
    state: dict[str, Any], reason: str
) -> None:
    delivery = call()
    _conversation(delivery, **state)
    taken = lease(Lane.ESCALATION)
    assert (taken.leased, taken.objections) == ([], [(delivery.pk, reason)])


def test_a_call_that_still_waits_is_sent() -> None:
    delivery = call()
    _conversation(delivery, state="waiting", epoch=2)
    assert ids(lease(Lane.ESCALATION)) == {delivery.pk}


@pytest.mark.parametrize(
    ("type", "sent"), [("workflow.run_started", False), ("workflow.run_finished", True)]
)
def test_what_tells_of_a_run_as_going_on_is_not_sent_after_its_end(type: str, sent: bool) -> None:
    run = RunFactory.create(state="failure", finished_at=NOW)
    delivery = due(
        notification__event__type=type,
        notification__event__source=run.workflow,
        notification__event__connection__organization=run.workflow.organization,
        notification__event__subject=run.external_id,
        notification__event__payload={"data": {}},
    )
    assert lease().objections == ([] if sent else [(delivery.pk, "moot")])
