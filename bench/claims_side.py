"""Makes conversations that wait, and agents who may claim them: `bench.claims_side seed ROUNDS`.

And `bench.claims_side check`: whether each was claimed once, by the books. A script of its own, run
with Pushbridge's settings; what it reads and prints is JSON.
"""

import json
import os
import sys
import uuid
from collections.abc import Sequence
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pushbridge.settings")
django.setup()

# Models can be imported only once Django knows its applications.
from django.db.models import Count  # noqa: E402
from django.utils import timezone  # noqa: E402
from guardian.shortcuts import assign_perm  # noqa: E402
from oauth2_provider.models import AccessToken, Application  # noqa: E402

from bench.claimers import CLAIMERS, WATCHERS, Agent  # noqa: E402
from channels_app.models import Bot, Event, Membership, Organization, Source, User  # noqa: E402
from claims.models import Conversation  # noqa: E402


def seed(rounds: int) -> tuple[list[str], list[Agent]]:
    """The ids of conversations that wait, and agents of their bot, each with an app's token."""
    acme = Organization.objects.create(name="Acme", slug="acme")
    bot = Bot.objects.create(
        organization=acme, kind=Source.Kind.BOT, external_id="bot_x", name="Bot X"
    )
    app = Application.objects.create(
        name="App",
        client_type=Application.CLIENT_PUBLIC,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        redirect_uris="pushbridge://signed-in",
    )
    now = timezone.now()
    conversations = Conversation.objects.bulk_create(
        Conversation(
            organization=acme,
            bot=bot,
            external_id=f"conv_{number}",
            waiting_since=now,
            wave=1,
            changed_at=now,
        )
        for number in range(rounds)
    )
    agents = [_agent(number, bot, app) for number in range(CLAIMERS + WATCHERS)]
    return [one.external_id for one in conversations], agents


def _agent(number: int, bot: Bot, app: Application) -> Agent:
    user = User.objects.create(username=f"claimer {number}", password="!")
    Membership.objects.create(
        organization=bot.organization, user=user, external_id=f"person_{number}"
    )
    assign_perm("chatbot.respond", user, bot)
    token = AccessToken.objects.create(
        user=user,
        token=uuid.uuid4().hex,
        application=app,
        expires=timezone.now() + timedelta(days=1),
        scope="read write",
    )
    return Agent(user.pk, token.token)


def check(winners: dict[str, int]) -> list[str]:
    """What the books say otherwise than the answers: by conversation, the winner's user id."""
    held = dict(Conversation.objects.values_list("external_id", "holder__user"))
    told = Event.objects.filter(type="conversation.claimed").values("subject")
    twice = told.annotate(times=Count("pk")).exclude(times=1)
    return [
        *(f"{one}: the books have another holder" for one in winners if winners[one] != held[one]),
        *(f"{one['subject']}: claimed {one['times']} times" for one in twice),
        *([] if told.count() == len(winners) else ["there are not as many claims as rounds"]),
    ]


def main(arguments: Sequence[str]) -> None:
    if arguments[0] == "seed":
        conversations, agents = seed(int(arguments[1]))
        people = [(agent.user_id, agent.token) for agent in agents]
        print(json.dumps({"conversations": conversations, "agents": people}))
    else:
        print(json.dumps(check(json.load(sys.stdin))))


if __name__ == "__main__":
    main(sys.argv[1:])
