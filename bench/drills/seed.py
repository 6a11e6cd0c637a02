"""Fills a running system for the drills: `python -m bench.drills.seed 25 2`.

A script of its own, run with the running system's settings. Prints who is where, as JSON.
"""

import json
import os
import sys
from collections.abc import Iterable
from datetime import timedelta

import django
from django.utils import timezone

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pushbridge.settings")
django.setup()

# Models can be imported only once Django knows its applications.
from django.conf import settings  # noqa: E402
from django.db import transaction  # noqa: E402
from django.urls import reverse  # noqa: E402

from bench.drills.events import BOTS, WORKFLOWS  # noqa: E402
from channels_app import connections, installations, roles, sources  # noqa: E402
from channels_app.models import (  # noqa: E402
    Installation,
    Membership,
    Organization,
    Subscription,
    User,
)
from channels_app.push_tokens import Address  # noqa: E402
from claims.models import Ladder, Wave  # noqa: E402
from pushbridge.demo.sandbox import Sandbox  # noqa: E402
from workflows import runs  # noqa: E402

PLATFORMS = {"apns": "ios-sandbox", "fcm": "android-sandbox", "webpush": "web-sandbox"}


@transaction.atomic
def main(members: int, bystanders: int) -> dict[str, object]:
    """An organization with two endpoints, of whose members each has one phone.

    Members subscribe to everything and may respond to every bot. Bystanders subscribe to nothing.
    """
    # Every event is to be seen on every phone: no storm control.
    organization = Organization.objects.create(name="Drill", slug="drill", banners_per_minute=None)
    # And once: the ladder would call again while a drill lasts.
    ladder = Ladder.objects.create(
        organization=organization, repeats=0, alarm=False, claim_lease=None
    )
    ladder.waves.create(after=timedelta(), audience=Wave.Audience.SUBSCRIBERS)
    bots = [
        sources.bot(organization_id=organization.pk, external_id=name, name=f"Bot {name}")
        for name in BOTS
    ]
    workflows = [
        runs.workflow(organization_id=organization.pk, external_id=name, name=f"Flow {name}")
        for name in WORKFLOWS
    ]
    told = [_member(organization, f"drill-{number}") for number in range(members)]
    Subscription.objects.bulk_create(
        Subscription(membership=member, source_id=source)
        for member in told
        for source in (*bots, *workflows)
    )
    role = roles.create(organization_id=organization.pk, name="Agents")
    roles.arrange(role_id=role.pk, member_ids=[member.pk for member in told], bot_ids=bots)
    others = [_member(organization, f"bystander-{number}") for number in range(bystanders)]
    doors = [
        connections.create(organization_id=organization.pk, name=f"Drill {number}")
        for number in range(2)
    ]
    return {
        "organization_id": organization.pk,
        "doors": [
            {"path": reverse("webhooks:receive", args=[door.pk]), "secret": door.secret}
            for door in doors
        ],
        "phones": _phones(told),
        "bystanders": _phones(others),
    }


def _member(organization: Organization, name: str) -> Membership:
    user = User.objects.create(username=name, password="!")
    return Membership.objects.create(organization=organization, user=user, external_id=name)


def _phones(members: Iterable[Membership]) -> dict[str, str]:
    """A phone for each, over the three platforms in turn: the sandbox's id, and the platform."""
    sandbox = Sandbox(settings.SANDBOX_URL)
    phones = {}
    for number, member in enumerate(members):
        platform = list(PLATFORMS)[number % len(PLATFORMS)]
        name = f"{platform} of {member.external_id}"
        enrolled = sandbox.enroll(
            platform=platform,
            owner=member.external_id,
            name=name,
            application_id=PLATFORMS[platform],
        )
        installations.register(
            user=member.user,
            address=Address(
                platform=Installation.Platform(platform),
                application_id=PLATFORMS[platform],
                registration_id=enrolled.registration_id,
                p256dh=enrolled.p256dh,
                auth=enrolled.auth,
            ),
            about={"name": name, "critical_allowed": True},
            now=timezone.now(),
        )
        phones[enrolled.id] = platform
    return phones


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
