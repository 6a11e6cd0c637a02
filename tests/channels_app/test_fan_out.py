from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings

from channels_app import deliveries
from channels_app.fan_out import fan_out
from channels_app.leases import LEASE, Leased
from channels_app.levels import Lane
from channels_app.models import (
    Bot,
    Delivery,
    Event,
    Installation,
    Membership,
    Notification,
    Organization,
    Source,
)
from tests.crowds import agent, crowd
from tests.examples import SMALLEST
from tests.factories import (
    BotFactory,
    ConversationFactory,
    EventFactory,
    InstallationFactory,
    MembershipFactory,
    PreferenceFactory,
    SubscriptionFactory,
    WorkflowFactory,
    permit,
)
from tests.queries import taken_by

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
RECEIVED = NOW - timedelta(seconds=2)


def event_of(source: Source, type: str = "conversation.human_requested", **fields: Any) -> Event:
    data = {**SMALLEST[type], **fields.pop("data", {})}
    return EventFactory.create(
        connection__organization=source.organization,
        source=source,
        type=type,
        payload={"type": type, "data": data},
        received_at=RECEIVED,
        **fields,
    )


def route(*events: Event, room: int = 0) -> list[Leased]:
    return fan_out(event_ids=[event.pk for event in events], now=NOW, room=room).leased


@pytest.fixture
def bot() -> Bot:
    return BotFactory.create()


def test_a_candidate_gets_the_outcome_the_level_and_the_banner(bot: Bot) -> None:
    alice = agent(bot=bot)
    event = event_of(bot, data={"message": "I want to talk to a human about my refund."})
    route(event)
    told = Notification.objects.get(event=event, membership=alice)
    assert (told.outcome, told.level, told.decided_by) == ("pushed", "critical", "catalogue")
    assert told.title == "🆘 Customer escalation: Bot X"
    assert told.body == ('"I want to talk to a human about my refund."\nTap to claim and respond.')
    assert told.created_at == NOW


def test_each_device_of_a_candidate_gets_a_delivery(bot: Bot) -> None:
    alice = agent(bot=bot, devices=3)
    event = event_of(bot)
    route(event)
    made = Delivery.objects.filter(notification__membership=alice)
    assert {row.installation for row in made} == set(alice.user.installations.all())
    assert {(row.state, row.attempts, row.due_at) for row in made} == {("pending", 0, NOW)}
    assert {(row.lane, row.organization) for row in made} == {("escalation", bot.organization)}


def test_a_candidate_who_is_not_pushed_gets_an_outcome_and_nothing_else(bot: Bot) -> None:
    agent(bot=bot, subscribed=False)
    route(event_of(bot))
    told = Notification.objects.get()
    assert (told.outcome, told.title, told.body) == ("not_subscribed", "", "")
    assert not Delivery.objects.exists()


def test_a_candidate_without_a_device_is_recorded(bot: Bot) -> None:
    agent(bot=bot, devices=0)
    route(event_of(bot))
    assert Notification.objects.get().outcome == "no_device"


def test_the_setting_that_decided_is_recorded(bot: Bot) -> None:
    alice = agent(bot=bot)
    PreferenceFactory.create(membership=alice, event_type="bot.retrained", source=bot)
    route(event_of(bot, "bot.retrained"))
    told = Notification.objects.get()
    assert (told.outcome, told.level, told.decided_by) == ("type_off", "off", "source_level")


def test_the_bots_threshold_holds(bot: Bot) -> None:
    Bot.objects.filter(pk=bot.pk).update(unanswered_threshold=4)
    agent(bot=bot)
    route(event_of(bot, "conversation.unanswered"))
    assert Notification.objects.get().outcome == "below_threshold"


def test_what_is_overtaken_is_not_pushed() -> None:
    workflow = WorkflowFactory.create()
    alice = MembershipFactory.create(organization=workflow.organization)
    SubscriptionFactory.create(membership=alice, source=workflow)
    InstallationFactory.create(user=alice.user)
    route(event_of(workflow, "workflow.run_started", facts={"state": "finished"}))
    assert Notification.objects.get().outcome == "moot"


def test_another_organization_is_told_nothing(bot: Bot) -> None:
    agent(bot=bot)
    theirs = BotFactory.create(external_id=bot.external_id)
    stranger = agent(bot=theirs)
    route(event_of(bot))
    assert not Notification.objects.filter(membership=stranger).exists()


@pytest.mark.parametrize(
    ("type", "lives"),
    [
        ("conversation.human_requested", timedelta(minutes=7)),
        ("bot.tool_linked", timedelta(hours=12)),
        ("bot.retrained", timedelta(hours=24)),
    ],
)
def test_a_push_is_worth_as_much_time_as_its_level(bot: Bot, type: str, lives: timedelta) -> None:
    bot.organization.claim_window = timedelta(minutes=7)
    bot.organization.save()
    agent(bot=bot)
    route(event_of(bot, type))
    assert Delivery.objects.get().expires_at == RECEIVED + lives


@pytest.mark.parametrize(
    ("type", "downgraded"), [("conversation.human_requested", True), ("bot.tool_linked", False)]
)
def test_a_critical_push_to_a_phone_that_does_not_allow_it_is_downgraded(
    bot: Bot, type: str, downgraded: bool
) -> None:
    agent(bot=bot)
    route(event_of(bot, type))
    assert Delivery.objects.get().downgraded is downgraded


def test_the_event_is_routed_whoever_was_told(bot: Bot) -> None:
    event = event_of(bot)
    route(event)
    event.refresh_from_db()
    assert (event.state, event.routed_at) == ("routed", NOW)


@pytest.mark.parametrize("state", ["routed", "recorded", "ignored", "quarantined"])
def test_what_does_not_wait_to_be_routed_is_left_alone(bot: Bot, state: str) -> None:
    agent(bot=bot)
    route(event_of(bot, state=state))
    assert not Notification.objects.exists()


def test_to_route_an_event_again_changes_nothing(bot: Bot) -> None:
    agent(bot=bot, devices=2)
    event = event_of(bot)
    route(event, room=1)
    before = list(Delivery.objects.order_by("pk").values())
    Event.objects.update(state="received")
    assert route(event, room=5) == []
    assert list(Delivery.objects.order_by("pk").values()) == before
    assert Notification.objects.count() == 1


def test_only_as_many_deliveries_are_born_leased_as_there_is_room(bot: Bot) -> None:
    agent(bot=bot, devices=3)
    leased = route(event_of(bot), room=2)
    rows = Delivery.objects.filter(state="sending")
    assert {delivery.delivery_id for delivery in leased} == {row.pk for row in rows}
    assert {(row.attempts, row.due_at) for row in rows} == {(1, NOW + LEASE)}
    assert {row.holder for row in rows} == {settings.LEASE_HOLDER}
    assert Delivery.objects.filter(state="pending", attempts=0, due_at=NOW).count() == 1


def test_what_has_expired_by_now_is_not_born_leased(bot: Bot) -> None:
    agent(bot=bot)
    event = event_of(bot)
    Event.objects.update(received_at=NOW - timedelta(minutes=15))
    assert route(event, room=5) == []
    taken = deliveries.lease(lane=Lane.ESCALATION, now=NOW, limit=5)
    assert [reason for _, reason in taken.objections] == ["expired"]


FACTS = {"conversation": 7, "epoch": 2}


@pytest.mark.parametrize("phone", [{}, {"on_fcm": True}, {"on_webpush": True}])
@pytest.mark.parametrize(
    "type", ["conversation.human_requested", "bot.tool_linked", "workflow.step_stuck"]
)
def test_what_is_born_leased_is_what_would_have_been_leased(
    phone: dict[str, Any], type: str
) -> None:
    source = (WorkflowFactory if type.startswith("workflow") else BotFactory).create()
    alice = MembershipFactory.create(organization=source.organization)
    SubscriptionFactory.create(membership=alice, source=source)
    if isinstance(source, Bot):
        permit(bot=source, to=alice.user)
    InstallationFactory.create(user=alice.user, critical_allowed=True, **phone)
    event = event_of(source, type, facts=FACTS)
    born = route(event, room=1)
    Delivery.objects.update(state="pending", attempts=0, due_at=NOW)
    assert deliveries.lease(lane=Lane(event.lane), now=NOW, limit=5).leased == born


def queries(*events: Event) -> int:
    return taken_by(lambda: route(*events, room=100))


def test_one_candidate_and_five_hundred_take_as_many_queries() -> None:
    counts = []
    for size in (1, 50, 500):
        bot = BotFactory.create()
        crowd(bot=bot, size=size)
        event = event_of(bot)
        counts.append(queries(event))
        assert Delivery.objects.filter(notification__event=event).count() == size
    assert counts == counts[:1] * 3


def test_one_event_and_many_take_as_many_queries() -> None:
    bots = BotFactory.create_batch(20)
    for bot in bots:
        agent(bot=bot)
    events = [event_of(bot) for bot in bots]
    assert queries(events[0]) == queries(*events[1:])
    assert Delivery.objects.count() == 20


@pytest.mark.parametrize(
    ("organization", "member", "device", "expected"),
    [
        ("full", "", "", "full"),
        ("redacted", "", "", "redacted"),
        ("full", "redacted", "", "redacted"),
        ("full", "", "ids", "ids"),
        ("ids", "full", "full", "ids"),
        ("redacted", "ids", "full", "ids"),
    ],
)
def test_privacy_is_the_narrowest_word(
    bot: Bot, organization: str, member: str, device: str, expected: str
) -> None:
    Organization.objects.update(privacy=organization)
    alice = agent(bot=bot)
    Membership.objects.filter(pk=alice.pk).update(privacy=member)
    Installation.objects.update(privacy=device)
    event = event_of(bot)
    [born] = route(event, room=1)
    assert born.privacy == expected
    Delivery.objects.update(state="pending", due_at=NOW)
    [again] = deliveries.lease(lane=Lane.ESCALATION, now=NOW, limit=1).leased
    assert again.privacy == expected


def notice(member: Membership, **facts: Any) -> Event:
    return EventFactory.create(
        connection__organization=member.organization,
        source=None,
        type="device.test",
        payload={"type": "device.test", "data": {"device": "Alice's iPhone"}},
        facts={"membership": member.pk, **facts},
        received_at=RECEIVED,
    )


def test_a_notice_goes_to_its_member_and_to_nobody_else(bot: Bot) -> None:
    alice, _ = agent(bot=bot), agent(bot=bot)
    route(notice(alice))
    told = Notification.objects.get()
    assert (told.membership, told.outcome, told.listed) == (alice, "pushed", False)


def test_a_test_goes_to_its_device_and_to_no_other(bot: Bot) -> None:
    alice = agent(bot=bot, devices=3)
    phone = alice.user.installations.first()
    assert phone
    route(notice(alice, installation=str(phone.pk)))
    assert Delivery.objects.get().installation == phone


def test_a_call_that_waited_to_be_routed_is_judged_as_things_stand(bot: Bot) -> None:
    agent(bot=bot)
    conversation = ConversationFactory.create(organization=bot.organization, bot=bot, epoch=2)
    event = event_of(
        bot,
        subject=conversation.external_id,
        facts={"conversation": conversation.pk, "epoch": 1},
    )
    route(event)
    assert Notification.objects.get().outcome == "moot"


def test_what_stands_in_the_inbox_is_what_a_person_would_have_been_told(bot: Bot) -> None:
    agent(bot=bot)
    agent(bot=bot, devices=0)
    agent(bot=bot, subscribed=False)
    route(event_of(bot))
    listed = Notification.objects.filter(listed=True)
    assert sorted(listed.values_list("outcome", flat=True)) == ["no_device", "pushed"]
    assert all(row.title for row in listed)
