"""What a member may see and do beyond what is their own: of sources, and of what happened there."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet

from channels_app.models import (
    BotGroupPermission,
    BotUserPermission,
    Membership,
    Source,
    Subscription,
    User,
)

_RESPOND = Q(permission__codename="respond", permission__content_type__app_label="chatbot")


def responder(user_id: int) -> Q:
    """Of bots: those whose customers a person may answer, themselves or by a role."""
    bot = "content_object"
    direct = BotUserPermission.objects.filter(_RESPOND, user=user_id).values(bot)
    by_role = BotGroupPermission.objects.filter(_RESPOND, group__user=user_id).values(bot)
    return Q(pk__in=direct) | Q(pk__in=by_role)


def readable(membership: Membership, person: User) -> QuerySet[Source]:
    """The sources whose history a member may read.

    Whoever is told of it: the source's subscribers, and those who may answer a bot's customers;
    and the operators, who see all of it in the admin.
    """
    sources = Source.objects.filter(organization=membership.organization_id)
    if person.is_staff:
        return sources
    subscribed = Subscription.objects.filter(membership=membership.pk).values("source")
    return sources.filter(Q(pk__in=subscribed) | responder(person.pk))


def operators(organization_ids: Collection[int]) -> QuerySet[Membership]:
    """Those who run these organizations: they are told what no agent can mend."""
    return Membership.objects.filter(
        organization__in=organization_ids, active=True, user__is_active=True, user__is_staff=True
    )
