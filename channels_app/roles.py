"""Roles: who holds them, and to which bots' customers they may respond."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from channels_app.models import Bot, BotGroupPermission, Membership, Role


class NotOfThisOrganization(ValueError):
    """A member or a bot was named that belongs to another organization than the role."""


def create(*, organization_id: int, name: str, responds_to_new_bots: bool = False) -> Role:
    """A new role and its group. The group's name is nobody's business, but must be unique."""
    with transaction.atomic():
        return Role.objects.create(
            organization_id=organization_id,
            name=name,
            responds_to_new_bots=responds_to_new_bots,
            group=Group.objects.create(name=f"role {uuid.uuid4()}"),
        )


def arrange(*, role_id: int, member_ids: Collection[int], bot_ids: Collection[int]) -> None:
    """Make these members the holders of a role, and these bots the ones it may respond to.

    `member_ids` are memberships. Whoever and whatever is not named loses the role.

    Raises:
        NotOfThisOrganization: nothing was changed.
    """
    role = Role.objects.select_related("group").get(pk=role_id)
    members = Membership.objects.filter(organization=role.organization_id, pk__in=member_ids)
    bots = Bot.objects.filter(organization=role.organization_id, pk__in=bot_ids)
    user_ids = list(members.values_list("user_id", flat=True))
    own_bot_ids = list(bots.values_list("pk", flat=True))
    if len(user_ids) != len(set(member_ids)) or len(own_bot_ids) != len(set(bot_ids)):
        raise NotOfThisOrganization(role_id)
    with transaction.atomic():
        role.group.user_set.set(user_ids)
        _let_respond(role.group, own_bot_ids)


def remove(*, role_ids: Collection[int]) -> None:
    """Remove roles, and with their groups every permission that was held through them."""
    Group.objects.filter(role__in=role_ids).delete()


def bots_of(role: Role) -> list[int]:
    """The ids of the bots whose customers a role may respond to."""
    return list(
        BotGroupPermission.objects.filter(
            group=role.group_id, permission__codename="respond"
        ).values_list("content_object_id", flat=True)
    )


def _let_respond(group: Group, bot_ids: Collection[int]) -> None:
    respond = Permission.objects.get(content_type__app_label="chatbot", codename="respond")
    held = BotGroupPermission.objects.filter(group=group, permission=respond)
    held.exclude(content_object__in=bot_ids).delete()
    BotGroupPermission.objects.bulk_create(
        [
            BotGroupPermission(group=group, permission=respond, content_object_id=pk)
            for pk in bot_ids
        ],
        ignore_conflicts=True,
    )
