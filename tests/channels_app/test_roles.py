"""Who holds a role, and to which bots' customers it may respond."""

from __future__ import annotations

import pytest

from channels_app import roles
from channels_app.models import Role, User
from channels_app.roles import NotOfThisOrganization
from tests.factories import BotFactory, MembershipFactory, OrganizationFactory, RoleFactory

pytestmark = pytest.mark.django_db


def test_who_holds_a_role_may_respond_to_its_bots() -> None:
    role = RoleFactory.create()
    member = MembershipFactory.create(organization=role.organization)
    bot, other = BotFactory.create_batch(2, organization=role.organization)
    roles.arrange(role_id=role.pk, member_ids=[member.pk], bot_ids=[bot.pk])
    assert member.user.has_perm("chatbot.respond", bot)
    assert not member.user.has_perm("chatbot.respond", other)
    assert roles.bots_of(role) == [bot.pk]


def test_who_and_what_is_not_named_loses_the_role() -> None:
    role = RoleFactory.create()
    leaver, stayer = MembershipFactory.create_batch(2, organization=role.organization)
    old, new = BotFactory.create_batch(2, organization=role.organization)
    roles.arrange(role_id=role.pk, member_ids=[leaver.pk, stayer.pk], bot_ids=[old.pk])
    roles.arrange(role_id=role.pk, member_ids=[stayer.pk], bot_ids=[new.pk])
    assert [user.pk for user in role.group.user_set.all()] == [stayer.user_id]
    assert roles.bots_of(role) == [new.pk]


def test_arranging_a_role_again_changes_nothing() -> None:
    role = RoleFactory.create()
    bot = BotFactory.create(organization=role.organization)
    for _ in range(2):
        roles.arrange(role_id=role.pk, member_ids=[], bot_ids=[bot.pk])
    assert roles.bots_of(role) == [bot.pk]


@pytest.mark.parametrize("foreign", ["member", "bot"])
def test_nobody_and_nothing_of_another_organization_comes_into_a_role(foreign: str) -> None:
    role = RoleFactory.create()
    members = [MembershipFactory.create().pk] if foreign == "member" else []
    bots = [BotFactory.create().pk] if foreign == "bot" else []
    with pytest.raises(NotOfThisOrganization):
        roles.arrange(role_id=role.pk, member_ids=members, bot_ids=bots)
    assert not role.group.user_set.exists()
    assert roles.bots_of(role) == []


def test_with_a_role_goes_every_permission_that_was_held_through_it() -> None:
    role = RoleFactory.create()
    member = MembershipFactory.create(organization=role.organization)
    bot = BotFactory.create(organization=role.organization)
    roles.arrange(role_id=role.pk, member_ids=[member.pk], bot_ids=[bot.pk])
    roles.remove(role_ids=[role.pk])
    assert not Role.objects.filter(pk=role.pk).exists()
    assert not User.objects.get(pk=member.user_id).has_perm("chatbot.respond", bot)


def test_two_organizations_may_have_a_role_of_the_same_name() -> None:
    for organization in OrganizationFactory.create_batch(2):
        roles.create(organization_id=organization.pk, name="Agents", responds_to_new_bots=True)
    assert Role.objects.filter(name="Agents", responds_to_new_bots=True).count() == 2
