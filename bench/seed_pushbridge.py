"""Fills Pushbridge's database for the benchmark: `python -m bench.seed_pushbridge APP bot_10=10`.

A script of its own, run with Pushbridge's settings. Prints where to send webhooks, as JSON.
"""

import json
import os
import sys
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pushbridge.settings")
django.setup()

# Models can be imported only once Django knows its applications.
from django.db import transaction  # noqa: E402
from django.urls import reverse  # noqa: E402
from push_notifications.models import APNSDevice  # noqa: E402

from channels_app import connections, roles  # noqa: E402
from channels_app.models import (  # noqa: E402
    Bot,
    Installation,
    Membership,
    Organization,
    Source,
    Subscription,
    User,
)
from claims.models import Ladder, Wave  # noqa: E402


@transaction.atomic
def main(application_id: str, definitions: list[str]) -> dict[str, object]:
    """An organization with these bots (`<platform's id>=<number of members>`) and a connection."""
    organization = Organization.objects.create(name="Bench", slug="bench")
    # Nobody claims here, and the recipe knows no ladder: each call is told once.
    ladder = Ladder.objects.create(
        organization=organization, repeats=0, alarm=False, claim_lease=None
    )
    ladder.waves.create(after=timedelta(), audience=Wave.Audience.SUBSCRIBERS)
    for definition in definitions:
        external_id, members = definition.split("=")
        seed_bot(organization, external_id, int(members), application_id)
    connection = connections.create(organization_id=organization.pk, name="Bench")
    return {
        "organization_id": organization.pk,
        "path": reverse("webhooks:receive", args=[connection.pk]),
        "secret": connection.secret,
    }


def seed_bot(
    organization: Organization, external_id: str, members: int, application_id: str
) -> None:
    """A bot and its subscribers, who may respond by a role and have one phone each."""
    bot = Bot.objects.create(
        organization=organization, kind=Source.Kind.BOT, external_id=external_id, name="Bot X"
    )
    users = User.objects.bulk_create(
        User(username=f"{external_id}-{number}") for number in range(members)
    )
    memberships = Membership.objects.bulk_create(
        Membership(organization=organization, user=user, external_id=user.username)
        for user in users
    )
    Subscription.objects.bulk_create(
        Subscription(membership=membership, source=bot) for membership in memberships
    )
    role = roles.create(organization_id=organization.pk, name=f"Agents of {external_id}")
    roles.arrange(
        role_id=role.pk, member_ids=[member.pk for member in memberships], bot_ids=[bot.pk]
    )
    phones = APNSDevice.objects.bulk_create(
        APNSDevice(user=user, registration_id=f"{user.pk:064x}", application_id=application_id)
        for user in users
    )
    Installation.objects.bulk_create(
        Installation(
            user=phone.user, platform=Installation.Platform.APNS, apns=phone, critical_allowed=True
        )
        for phone in phones
    )


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2:])))
