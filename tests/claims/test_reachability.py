"""Who could be told of a bot's customers, and the alarm where nobody can."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from channels_app.levels import Lane
from channels_app.models import (
    Bot,
    BotUserPermission,
    Event,
    Installation,
    Membership,
    Notification,
    Role,
    Subscription,
    User,
)
from channels_app.notifications import route
from claims import reachability, unreachable
from claims.models import Ladder, Unreachable
from claims.reachability import Reachability
from tests.crowds import agent, crowd
from tests.factories import (
    BotFactory,
    ChannelPolicyFactory,
    InstallationFactory,
    LadderFactory,
    MembershipFactory,
    QuietWindowFactory,
    RoleFactory,
    SnoozeFactory,
    SubscriptionFactory,
    WaveFactory,
    permit,
)
from tests.queries import taken_by
from tests.races import at_once

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


def bot_of(organization: object = None, **fields: object) -> Bot:
    """One that has been known for a while."""
    of = {"organization": organization} if organization else {}
    bot = BotFactory.create(**of, **fields)
    Bot.objects.filter(pk=bot.pk).update(created_at=NINE - timedelta(days=1))
    return bot


@pytest.fixture
def bot() -> Bot:
    return bot_of(name="Bot X")


@pytest.fixture
def olivia(bot: Bot) -> Membership:
    """An operator."""
    olivia = MembershipFactory.create(organization=bot.organization, user__is_staff=True)
    InstallationFactory.create(user=olivia.user)
    return olivia


def of(bot: Bot) -> Reachability:
    return reachability.of_bot(bot, organization=bot.organization, now=NINE)


def check(at: datetime = NINE) -> int:
    return unreachable.alarm(now=at, limit=200)


def alarms() -> list[Event]:
    return list(Event.objects.filter(type="bot.unreachable").order_by("pk"))


def test_each_person_is_told_of_with_the_reason(bot: Bot) -> None:
    alice = agent(bot=bot)
    snoozed = agent(bot=bot)
    SnoozeFactory.create(membership=snoozed, source=bot, until=NINE + timedelta(hours=1))
    bare = agent(bot=bot, devices=0)
    mute = agent(bot=bot)
    Installation.objects.filter(user=mute.user).update(muted_channels=["escalation"])
    barred = agent(bot=bot, permitted=False)
    apart = agent(bot=bot, subscribed=False)
    found = of(bot)
    assert {
        one.membership.pk: (one.told, one.able, str(one.answer.outcome)) for one in found.people
    } == {
        alice.pk: (True, True, "pushed"),
        snoozed.pk: (False, True, "snoozed"),
        mute.pk: (False, True, "no_device"),
        bare.pk: (False, False, "no_device"),
        barred.pk: (False, False, "no_permission"),
        # The ladder's second wave is for everyone who may respond.
        apart.pk: (False, True, "not_subscribed"),
    }
    assert (found.told, found.able) == (1, 4)
    assert found.people[0].membership == alice
    assert all(one.answer.sentence for one in found.people)


def test_whoever_neither_subscribes_nor_may_respond_is_not_in_it(bot: Bot) -> None:
    MembershipFactory.create(organization=bot.organization)
    agent(bot=bot_of(bot.organization))
    assert of(bot).people == ()


def test_quiet_hours_keep_no_call_away_and_so_nobody_from_being_told(bot: Bot) -> None:
    QuietWindowFactory.create(membership=agent(bot=bot), days=[1], start="08:00", end="12:00")
    assert of(bot).told == 1


def test_it_takes_as_many_queries_for_one_as_for_many() -> None:
    one, many = bot_of(), bot_of()
    crowd(bot=one, size=1)
    crowd(bot=many, size=20)
    assert of(many).told == 20
    assert taken_by(lambda: of(one)) == taken_by(lambda: of(many))


def test_a_channel_that_is_off_is_said_to_be(bot: Bot) -> None:
    agent(bot=bot)
    assert of(bot).off is False
    ChannelPolicyFactory.create(organization=bot.organization, channel="escalation")
    found = of(bot)
    assert (found.off, found.told, found.able) == (True, 0, 1)


# --- the alarm -----------------------------------------------------------------------------------


def test_operators_are_alarmed_once_and_again_after_somebody_was_able(
    bot: Bot, olivia: Membership
) -> None:
    assert check() == 1
    assert check(NINE + timedelta(minutes=1)) == 0
    assert Unreachable.objects.get().since == NINE
    alice = agent(bot=bot)
    assert check(NINE + timedelta(minutes=2)) == 0
    assert not Unreachable.objects.exists()
    alice.user.installations.all().delete()
    assert check(NINE + timedelta(minutes=3)) == 1
    first, second = alarms()
    assert first.payload["data"] == {"bot": {"id": bot.external_id, "name": "Bot X"}}
    assert (first.source_id, first.subject) == (bot.pk, "")
    assert first.facts == second.facts == {"members": [olivia.pk]}


def test_the_alarm_is_on_the_operators_phones(bot: Bot, olivia: Membership) -> None:
    agent(bot=bot, devices=0)
    check()
    route(lane=Lane.DEFAULT, now=NINE, limit=10, room=0)
    [told] = Notification.objects.filter(event__type="bot.unreachable")
    assert (told.membership, told.outcome, told.level) == (olivia, "pushed", "loud")
    assert told.title == "🚨 Nobody can be reached: Bot X"


def _by_role(alice: Membership, bot: Bot) -> None:
    BotUserPermission.objects.all().delete()
    role = RoleFactory.create(organization=bot.organization)
    alice.user.groups.add(role.group)
    permit(bot=bot, to=role)


def _denied(alice: Membership, bot: Bot) -> None:
    Installation.objects.update(os_permission="denied")


def _second_device(alice: Membership, bot: Bot) -> None:
    _denied(alice, bot)
    InstallationFactory.create(user=alice.user, on_fcm=True)


def _web(alice: Membership, bot: Bot) -> None:
    alice.user.installations.all().delete()
    InstallationFactory.create(user=alice.user, on_webpush=True)


def _muted(alice: Membership, bot: Bot) -> None:
    Installation.objects.update(muted_channels=["escalation"])


def _asleep(alice: Membership, bot: Bot) -> None:
    SnoozeFactory.create(membership=alice, source=bot, until=NINE + timedelta(days=3))


def _dead(alice: Membership, bot: Bot) -> None:
    Installation.objects.update(dead_since=NINE)


def _inactive_token(alice: Membership, bot: Bot) -> None:
    for device in alice.user.installations.all():
        assert device.apns is not None
        device.apns.active = False
        device.apns.save()


def _left(alice: Membership, bot: Bot) -> None:
    Membership.objects.filter(pk=alice.pk).update(active=False)


def _suspended(alice: Membership, bot: Bot) -> None:
    User.objects.filter(pk=alice.user_id).update(is_active=False)


def _not_permitted(alice: Membership, bot: Bot) -> None:
    BotUserPermission.objects.all().delete()


def _permitted_elsewhere(alice: Membership, bot: Bot) -> None:
    _not_permitted(alice, bot)
    permit(bot=bot_of(bot.organization), to=alice.user)


def _not_subscribed(alice: Membership, bot: Bot) -> None:
    Subscription.objects.all().delete()


def _sought_by_role(alice: Membership, bot: Bot) -> None:
    _only_subscribers(alice, bot)
    role = RoleFactory.create(organization=bot.organization)
    alice.user.groups.add(role.group)
    _wave(bot, "role", role)
    _not_subscribed(alice, bot)


def _sought_by_another_role(alice: Membership, bot: Bot) -> None:
    _sought_by_role(alice, bot)
    alice.user.groups.clear()


def _sought_by_a_ladder_of_all_bots(alice: Membership, bot: Bot) -> None:
    _not_subscribed(alice, bot)
    _wave(bot, "responders")


def _only_subscribers(alice: Membership, bot: Bot) -> None:
    ladder = LadderFactory.create(organization=bot.organization, bot=bot)
    WaveFactory.create(ladder=ladder)


def _only_subscribers_but_is_none(alice: Membership, bot: Bot) -> None:
    _not_subscribed(alice, bot)
    _only_subscribers(alice, bot)


def _wave(bot: Bot, audience: str, role: Role | None = None) -> None:
    found = Ladder.objects.filter(organization=bot.organization).first()
    ladder = found or LadderFactory.create(organization=bot.organization)
    WaveFactory.create(ladder=ladder, after=timedelta(minutes=5), audience=audience, role=role)


def _of_another_organization(alice: Membership, bot: Bot) -> None:
    Subscription.objects.all().delete()
    Membership.objects.filter(pk=alice.pk).delete()
    other = MembershipFactory.create(user=alice.user)
    SubscriptionFactory.create(membership=other, source=bot)


def _nothing(alice: Membership, bot: Bot) -> None:
    pass


@pytest.mark.parametrize(
    ("happens", "able"),
    [
        (_nothing, True),
        (_by_role, True),
        (_second_device, True),
        (_web, True),
        (_muted, True),
        (_asleep, True),
        (_denied, False),
        (_dead, False),
        (_inactive_token, False),
        (_left, False),
        (_suspended, False),
        (_not_permitted, False),
        (_permitted_elsewhere, False),
        (_not_subscribed, True),
        (_only_subscribers, True),
        (_only_subscribers_but_is_none, False),
        (_sought_by_role, True),
        (_sought_by_another_role, False),
        (_sought_by_a_ladder_of_all_bots, True),
        (_of_another_organization, False),
    ],
)
def test_the_alarm_and_the_page_agree_who_is_able(
    bot: Bot, happens: Callable[[Membership, Bot], None], able: bool
) -> None:
    happens(agent(bot=bot), bot)
    check()
    assert (of(bot).able == 1) is able
    assert Unreachable.objects.filter(bot=bot).exists() is not able


def test_a_bot_that_was_just_named_is_given_time() -> None:
    bot = BotFactory.create()
    Bot.objects.filter(pk=bot.pk).update(created_at=NINE)
    assert check(NINE + timedelta(minutes=4)) == 0
    assert check(NINE + timedelta(minutes=5)) == 1


def test_no_alarm_where_the_channel_is_off(bot: Bot) -> None:
    check()
    ChannelPolicyFactory.create(organization=bot.organization, channel="escalation")
    check()
    assert not Unreachable.objects.exists()


def test_operators_of_other_organizations_are_not_alarmed(bot: Bot, olivia: Membership) -> None:
    stranger = MembershipFactory.create(user__is_staff=True)
    bot_of(stranger.organization)
    assert check() == 2
    assert [event.facts["members"] for event in alarms()] == [[olivia.pk], [stranger.pk]]


def test_many_bots_take_one_more_query_each_for_their_alarm_and_none_without() -> None:
    bot_of()
    assert taken_by(check) > taken_by(check)
    quiet = taken_by(check)
    for _ in range(5):
        agent(bot=bot_of())
    assert taken_by(check) == quiet


def test_what_is_above_the_limit_is_found_by_the_next_look() -> None:
    for _ in range(3):
        bot_of()
    look = unreachable.Check()
    assert [look(now=NINE, limit=2), look(now=NINE, limit=2), look(now=NINE, limit=2)] == [2, 1, 0]


def test_the_chore_looks_once_a_minute(bot: Bot) -> None:
    look = unreachable.Check()
    agent(bot=bot)
    assert look(now=NINE, limit=200) == 0
    Installation.objects.all().delete()
    assert look(now=NINE + timedelta(seconds=59), limit=200) == 0
    assert look(now=NINE + timedelta(seconds=60), limit=200) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_gives_the_alarm() -> None:
    bots = [bot_of() for _ in range(5)]
    found = at_once(4, lambda _: check())
    assert sum(found) == len(bots)
    assert [event.source_id for event in alarms()] == [bot.pk for bot in bots]
