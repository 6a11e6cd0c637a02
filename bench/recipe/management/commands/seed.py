"""Fill the recipe's database with the benchmark's bots, members and devices."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.db import transaction
from guardian.shortcuts import assign_perm
from push_notifications.models import APNSDevice

from bench.recipe.models import Bot, Connection, Subscription


class Command(BaseCommand):
    """`seed --secret whsec_... --bot bot_10=10`: a bot with ten members of one device each."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--secret", required=True)
        parser.add_argument("--bot", action="append", required=True)

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        Connection.objects.create(name="bench", secret=options["secret"])
        for definition in options["bot"]:
            external_id, members = definition.split("=")
            seed_bot(external_id, int(members))


def seed_bot(external_id: str, members: int) -> None:
    """A bot and its `members` subscribers, each permitted to respond and with one phone."""
    bot = Bot.objects.create(external_id=external_id, name="Bot X")
    users = User.objects.bulk_create(
        User(username=f"{external_id}-{number}") for number in range(members)
    )
    Subscription.objects.bulk_create(Subscription(bot=bot, user=user) for user in users)
    for user in users:
        assign_perm("respond", user, bot)
    APNSDevice.objects.bulk_create(
        APNSDevice(user=user, registration_id=f"{user.pk:064x}", application_id="ios")
        for user in users
    )
