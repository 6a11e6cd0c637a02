from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from channels_app import audience
from channels_app.audience import Concern
from channels_app.levels import Level
from channels_app.models import Bot, Event, Membership
from channels_app.routing import Candidate, Thresholds
from tests.crowds import agent, crowd
from tests.factories import (
    BotFactory,
    EventFactory,
    InstallationFactory,
    MembershipFactory,
    PreferenceFactory,
    RoleFactory,
    SubscriptionFactory,
    WorkflowFactory,
    permit,
)
from tests.queries import taken_by

pytestmark = pytest.mark.django_db


def event_of(bot: Bot, **fields: Any) -> Event:
    return EventFactory.create(connection__organization=bot.organization, source=bot, **fields)


def concern(event: Event) -> Concern:
    return Concern(
        type=event.type, organization_id=event.organization_id, source_id=event.source_id
    )


def candidates(event: Event) -> dict[int, Candidate]:
    found = audience.gather([concern(event)]).candidates(concern(event))
    assert len({candidate.membership_id for candidate in found}) == len(found)
    return {candidate.membership_id: candidate for candidate in found}


def candidate(bot: Bot, member: Membership, **fields: Any) -> Candidate:
    return candidates(event_of(bot, **fields))[member.pk]


def test_who_subscribes_is_a_candidate() -> None:
    bot = BotFactory.create()
    alice = agent(bot=bot, permitted=False)
    found = candidate(bot, alice)
    assert found.subscribed and not found.permitted


def test_who_may_respond_is_a_candidate() -> None:
    bot = BotFactory.create()
    alice = agent(bot=bot, subscribed=False)
    found = candidate(bot, alice)
    assert found.permitted and not found.subscribed


def test_who_neither_subscribes_nor_may_respond_is_none() -> None:
    bot = BotFactory.create()
    agent(bot=bot, subscribed=False, permitted=False)
    assert candidates(event_of(bot)) == {}


def test_a_role_may_respond_for_its_holders() -> None:
    bot = BotFactory.create()
    role = RoleFactory.create(organization=bot.organization)
    alice = agent(bot=bot, permitted=False)
    alice.user.groups.add(role.group)
    permit(bot=bot, to=role)
    assert candidate(bot, alice).permitted


def test_a_role_that_nobody_holds_makes_nobody_a_candidate() -> None:
    bot = BotFactory.create()
    permit(bot=bot, to=RoleFactory.create(organization=bot.organization))
    assert candidates(event_of(bot)) == {}


def test_who_may_respond_twice_over_is_one_candidate() -> None:
    bot = BotFactory.create()
    role = RoleFactory.create(organization=bot.organization)
    alice = agent(bot=bot)
    alice.user.groups.add(role.group)
    permit(bot=bot, to=role)
    assert list(candidates(event_of(bot))) == [alice.pk]


def test_the_permission_for_one_bot_says_nothing_of_another() -> None:
    bot = BotFactory.create()
    alice = agent(bot=bot, permitted=False)
    permit(bot=BotFactory.create(organization=bot.organization), to=alice.user)
    assert not candidate(bot, alice).permitted


def test_another_organizations_people_are_never_candidates() -> None:
    bot = BotFactory.create()
    stranger = MembershipFactory.create()
    InstallationFactory.create(user=stranger.user)
    permit(bot=bot, to=stranger.user)
    SubscriptionFactory.create(membership=stranger, source=bot)
    assert candidates(event_of(bot)) == {}


def test_a_member_of_two_organizations_is_a_candidate_in_the_one_of_the_bot() -> None:
    bot = BotFactory.create()
    alice = agent(bot=bot)
    elsewhere = MembershipFactory.create(user=alice.user)
    SubscriptionFactory.create(membership=elsewhere)
    assert list(candidates(event_of(bot))) == [alice.pk]


@pytest.mark.parametrize("field", ["active", "user__is_active"])
def test_who_is_inactive_stays_a_candidate_and_is_known_to_be(field: str) -> None:
    bot = BotFactory.create()
    alice = agent(bot=bot)
    target = alice.user if field.startswith("user") else alice
    setattr(target, field.removeprefix("user__"), False)
    target.save()
    assert not candidate(bot, alice).active


def test_all_living_devices_of_a_candidate_are_found() -> None:
    bot = BotFactory.create()
    alice = agent(bot=bot, devices=0)
    phones = [
        InstallationFactory.create(user=alice.user),
        InstallationFactory.create(user=alice.user, on_fcm=True),
        InstallationFactory.create(user=alice.user, on_webpush=True),
    ]
    found = {device.installation_id for device in candidate(bot, alice).devices}
    assert found == {phone.pk for phone in phones}


def test_a_dead_device_is_none() -> None:
    bot = BotFactory.create()
    alice = agent(bot=bot, devices=0)
    InstallationFactory.create(user=alice.user, dead_since=timezone.now())
    assert candidate(bot, alice).devices == ()


@pytest.mark.parametrize(
    "phone",
    [
        {"apns__active": False},
        {"on_fcm": True, "fcm__active": False},
        {"on_webpush": True, "webpush__active": False},
    ],
)
def test_a_device_that_was_switched_off_is_none(phone: dict[str, Any]) -> None:
    bot = BotFactory.create()
    alice = agent(bot=bot, devices=0)
    InstallationFactory.create(user=alice.user, **phone)
    assert candidate(bot, alice).devices == ()


@pytest.mark.parametrize(
    ("phone", "sounds"),
    [
        ({"critical_allowed": True, "apns__application_id": "entitled"}, True),
        ({"critical_allowed": False, "apns__application_id": "entitled"}, False),
        ({"critical_allowed": True, "apns__application_id": "plain"}, False),
        ({"critical_allowed": True, "apns__application_id": None}, False),
        ({"on_fcm": True}, True),
        ({"on_webpush": True}, True),
    ],
)
def test_a_critical_sound_needs_an_entitled_app_and_a_willing_person(
    phone: dict[str, Any], sounds: bool, settings: Any
) -> None:
    settings.CRITICAL_ALERT_APPLICATIONS = {"entitled"}
    bot = BotFactory.create()
    alice = agent(bot=bot, devices=0)
    InstallationFactory.create(user=alice.user, **phone)
    assert [device.critical_sounds for device in candidate(bot, alice).devices] == [sounds]


def test_the_levels_of_a_candidate_are_those_of_the_type_and_the_source() -> None:
    bot = BotFactory.create()
    alice, kind = agent(bot=bot), "bot.retrained"
    other = BotFactory.create(organization=bot.organization)
    PreferenceFactory.create(membership=alice, event_type=kind, level="loud")
    PreferenceFactory.create(membership=alice, event_type=kind, source=bot, level="quiet")
    PreferenceFactory.create(membership=alice, event_type=kind, source=other, level="off")
    PreferenceFactory.create(membership=alice, event_type="bot.tool_linked", level="off")
    found = candidate(bot, alice, type=kind)
    assert (found.type_level, found.source_level) == (Level.LOUD, Level.QUIET)


def test_nobodys_levels_are_anybody_elses() -> None:
    bot = BotFactory.create()
    alice, bob = agent(bot=bot), agent(bot=bot)
    PreferenceFactory.create(membership=bob, event_type="bot.retrained", level="off")
    assert candidate(bot, alice, type="bot.retrained").type_level is None


def test_the_thresholds_are_the_bots_own() -> None:
    bot = BotFactory.create(unanswered_threshold=5, tone_minimum=0.7)
    people = audience.gather([concern(event_of(bot))])
    assert people.rules.thresholds == {bot.pk: Thresholds(unanswered=5, tone=0.7)}


def test_who_follows_a_workflow_is_a_candidate_of_its_runs() -> None:
    workflow = WorkflowFactory.create()
    alice = MembershipFactory.create(organization=workflow.organization)
    SubscriptionFactory.create(membership=alice, source=workflow)
    event = EventFactory.create(
        connection__organization=workflow.organization,
        source=workflow,
        type="workflow.run_started",
        payload={},
    )
    assert candidates(event)[alice.pk].subscribed


def test_an_event_without_a_source_has_no_candidates() -> None:
    event = EventFactory.create(source=None, payload={})
    assert candidates(event) == {}


def test_the_events_of_a_batch_keep_their_people_apart() -> None:
    ours, theirs = BotFactory.create(), BotFactory.create()
    alice, mallory = agent(bot=ours), agent(bot=theirs)
    concerns = [concern(event_of(bot, type="bot.retrained")) for bot in (ours, theirs)]
    people = audience.gather(concerns)
    for one, member in zip(concerns, (alice, mallory), strict=True):
        found = people.candidates(one)
        assert [candidate.membership_id for candidate in found] == [member.pk]


def queries(events: list[Event]) -> int:
    return taken_by(lambda: audience.gather([concern(event) for event in events]))


def test_one_candidate_and_five_hundred_are_found_by_as_many_queries() -> None:
    counts = []
    for size in (1, 50, 500):
        bot = BotFactory.create()
        crowd(bot=bot, size=size)
        event = event_of(bot)
        counts.append(queries([event]))
        assert len(candidates(event)) == size
    assert counts == counts[:1] * 3


def test_one_event_and_many_take_as_many_queries() -> None:
    bots = BotFactory.create_batch(20)
    for bot in bots:
        agent(bot=bot)
    events = [event_of(bot) for bot in bots]
    assert queries(events) == queries(events[:1])
