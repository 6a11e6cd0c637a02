"""What a person may do in which organization."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from django.db.models import Q

from channels_app.models import BotGroupPermission, BotUserPermission, User

_RESPOND = Q(permission__codename="respond", permission__content_type__app_label="chatbot")


class Capability(StrEnum):
    """In one organization."""

    RESPOND = "respond"
    """Answer the customers of one bot of it at least, so claim conversations."""
    OPERATE = "operate"
    """Sign in to the admin, where the organization is arranged."""


def of(user: User, organization_ids: list[int]) -> Mapping[int, list[Capability]]:
    """By organization. One query."""
    theirs = {"content_object__organization__in": organization_ids}
    organization = "content_object__organization"
    direct = BotUserPermission.objects.filter(_RESPOND, user=user.pk, **theirs)
    by_role = BotGroupPermission.objects.filter(_RESPOND, group__user=user.pk, **theirs)
    responding = set(
        direct.values_list(organization, flat=True).union(
            by_role.values_list(organization, flat=True)
        )
    )
    return {
        organization_id: [
            *([Capability.RESPOND] if organization_id in responding else []),
            *([Capability.OPERATE] if user.is_staff else []),
        ]
        for organization_id in organization_ids
    }
