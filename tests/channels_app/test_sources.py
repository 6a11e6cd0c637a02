from __future__ import annotations

import pytest

from channels_app import sources
from channels_app.models import Bot, BotGroupPermission, Organization, Source
from tests.factories import BotFactory, OrganizationFactory, RoleFactory, WorkflowFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db


def named(organization: Organization, external_id: str = "bot_x", name: str = "Bot X") -> int:
    return sources.bot(organization_id=organization.pk, external_id=external_id, name=name)


def groups_that_respond_to(bot_id: int) -> list[int]:
    held = BotGroupPermission.objects.filter(content_object=bot_id, permission__codename="respond")
    return list(held.values_list("group_id", flat=True))


def test_a_bot_is_made_when_it_is_first_named() -> None:
    organization = OrganizationFactory.create()
    bot = Bot.objects.get(pk=named(organization))
    assert (bot.external_id, bot.name, bot.kind) == ("bot_x", "Bot X", "bot")
    assert bot.organization == organization


def test_a_bot_that_is_named_again_is_the_same() -> None:
    organization = OrganizationFactory.create()
    assert named(organization) == named(organization)
    assert Source.objects.count() == 1


def test_a_bot_takes_the_name_that_the_platform_gives_it_now() -> None:
    bot = BotFactory.create(name="Old name")
    named(bot.organization, bot.external_id, "New name")
    bot.refresh_from_db()
    assert bot.name == "New name"


def test_the_same_id_in_another_organization_is_another_bot() -> None:
    theirs = BotFactory.create(name="Theirs")
    assert named(OrganizationFactory.create(), theirs.external_id, "Ours") != theirs.pk
    theirs.refresh_from_db()
    assert theirs.name == "Theirs"


def test_a_workflow_of_the_same_id_is_no_bot() -> None:
    workflow = WorkflowFactory.create()
    assert named(workflow.organization, workflow.external_id) != workflow.pk


def test_roles_that_respond_to_new_bots_may_respond_to_it() -> None:
    role = RoleFactory.create(responds_to_new_bots=True)
    RoleFactory.create(organization=role.organization)
    RoleFactory.create(responds_to_new_bots=True)
    assert groups_that_respond_to(named(role.organization)) == [role.group_id]


def test_a_permission_that_was_taken_away_stays_away_when_the_bot_is_named_again() -> None:
    role = RoleFactory.create(responds_to_new_bots=True)
    bot = BotFactory.create(organization=role.organization)
    named(role.organization, bot.external_id, "New name")
    assert groups_that_respond_to(bot.pk) == []


@pytest.mark.django_db(transaction=True)
def test_a_bot_that_is_first_named_by_many_at_once_is_made_once() -> None:
    role = RoleFactory.create(responds_to_new_bots=True)
    found = at_once(8, lambda _: named(role.organization))
    bot = Bot.objects.get()
    assert set(found) == {bot.pk}
    assert groups_that_respond_to(bot.pk) == [role.group_id]


@pytest.mark.django_db(transaction=True)
def test_of_an_organization_that_is_gone_nothing_is_made() -> None:
    organization = OrganizationFactory.create()
    gone = Organization(pk=organization.pk)
    organization.delete()
    with pytest.raises(sources.Vanished):
        named(gone)
    assert not Source.objects.exists()
