from __future__ import annotations

import pytest
from django.utils import timezone

from channels_app import audience, subscriptions
from channels_app.audience import Concern
from channels_app.levels import Level
from channels_app.models import Membership, Source, Subscription
from tests.factories import (
    BotFactory,
    MembershipFactory,
    PreferenceFactory,
    RoleFactory,
    WorkflowFactory,
    permit,
)

pytestmark = pytest.mark.django_db


def test_subscribing_says_whether_it_is_new() -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)

    made = [
        subscriptions.subscribe(membership=me, source=bot, level=level)
        for level in (None, Level.QUIET, None)
    ]

    assert made == [True, False, False]
    assert Subscription.objects.get().level == ""


def test_what_was_set_for_its_types_is_kept_for_a_return() -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)
    preference = PreferenceFactory.create(membership=me, source=bot)
    subscriptions.subscribe(membership=me, source=bot, level=None)

    subscriptions.unsubscribe(membership=me, source=bot)

    preference.refresh_from_db()
    assert not Subscription.objects.exists()


def test_sources_are_those_of_the_organization() -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)
    workflow = WorkflowFactory.create(organization=me.organization)
    BotFactory.create()

    found = subscriptions.sources(membership=me, now=timezone.now())

    assert set(found.values_list("pk", flat=True)) == {bot.pk, workflow.pk}


def told_of(member: Membership, source: Source) -> tuple[bool, bool]:
    """Whether routing takes them for permitted and for subscribed."""
    concern = Concern(
        type="bot.retrained", organization_id=member.organization_id, source_id=source.pk
    )
    for candidate in audience.gather([concern]).candidates(concern):
        if candidate.membership_id == member.pk:
            return candidate.permitted, candidate.subscribed
    return False, False


@pytest.mark.parametrize("permission", ["none", "own", "by role"])
@pytest.mark.parametrize("subscribed", [False, True])
def test_what_a_member_sees_of_a_source_is_what_routing_sees(
    permission: str, subscribed: bool
) -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)
    role = RoleFactory.create(organization=me.organization)
    role.group.user_set.add(me.user)
    if permission != "none":
        permit(bot=bot, to=me.user if permission == "own" else role)
    if subscribed:
        subscriptions.subscribe(membership=me, source=bot, level=None)

    row = subscriptions.sources(membership=me, now=timezone.now()).get()

    assert (row.can_respond, row.subscribed) == (permission != "none", subscribed)
    assert (row.can_respond, row.subscribed) == told_of(me, bot)
