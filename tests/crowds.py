"""People who are to be told: one at a time, or by the hundred in a handful of statements."""

from __future__ import annotations

from django.contrib.auth.models import Permission
from push_notifications.models import APNSDevice

from channels_app.models import (
    Bot,
    BotUserPermission,
    Installation,
    Membership,
    Subscription,
    User,
)
from tests.factories import (
    InstallationFactory,
    MembershipFactory,
    SubscriptionFactory,
    permit,
)
from workflows.models import Workflow


def agent(
    *, bot: Bot, subscribed: bool = True, permitted: bool = True, devices: int = 1
) -> Membership:
    """A member who is told of everything that a bot does and of every customer who calls."""
    membership = MembershipFactory.create(organization=bot.organization)
    if subscribed:
        SubscriptionFactory.create(membership=membership, source=bot)
    if permitted:
        permit(bot=bot, to=membership.user)
    InstallationFactory.create_batch(devices, user=membership.user)
    return membership


def follower(*, workflow: Workflow) -> Membership:
    """A member with an iPhone who is told of all that a workflow does."""
    membership = MembershipFactory.create(organization=workflow.organization)
    SubscriptionFactory.create(membership=membership, source=workflow)
    InstallationFactory.create(user=membership.user)
    return membership


def crowd(*, bot: Bot, size: int) -> None:
    """As many agents of a bot, each with one iPhone."""
    respond = Permission.objects.get(content_type__app_label="chatbot", codename="respond")
    users = User.objects.bulk_create(
        User(username=f"crowd {bot.pk} {n}", password="!") for n in range(size)
    )
    members = Membership.objects.bulk_create(
        Membership(organization_id=bot.organization_id, user=user) for user in users
    )
    Subscription.objects.bulk_create(
        Subscription(membership=member, source=bot) for member in members
    )
    BotUserPermission.objects.bulk_create(
        BotUserPermission(user=user, permission=respond, content_object=bot) for user in users
    )
    phones = APNSDevice.objects.bulk_create(
        APNSDevice(user=user, registration_id=f"{bot.pk:032x}{user.pk:032x}") for user in users
    )
    Installation.objects.bulk_create(
        Installation(user=phone.user, platform="apns", apns=phone) for phone in phones
    )
