from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from channels_app.models import Bot, Membership, User
from claims.models import Unreachable
from tests.api import PROBLEM, client_for
from tests.crowds import agent, crowd
from tests.factories import BotFactory, MembershipFactory, OrganizationFactory, SnoozeFactory
from tests.queries import taken_by

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/acme/bots/team/bot%20x/reachability/"


@pytest.fixture
def bot() -> Bot:
    acme = OrganizationFactory.create(slug="acme")
    return BotFactory.create(organization=acme, external_id="team/bot x", name="Bot X")


@pytest.fixture
def alice(bot: Bot) -> Membership:
    alice = agent(bot=bot)
    User.objects.filter(pk=alice.user_id).update(
        username="alice", first_name="Alice", last_name="Jones"
    )
    alice.user.refresh_from_db()
    return alice


def ask(who: Membership) -> Any:
    answer = client_for(who.user).get(ADDRESS)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_who_would_be_told_and_who_not_with_the_reason(bot: Bot, alice: Membership) -> None:
    bob = agent(bot=bot)
    SnoozeFactory.create(membership=bob, source=bot, until=timezone.now() + timedelta(hours=1))
    found = ask(alice)
    first, second = found.pop("people")
    assert found == {
        "bot": {"id": "team/bot x", "name": "Bot X"},
        "off": False,
        "now": 1,
        "able": 2,
        "unreachable_since": None,
    }
    assert first.pop("sentence").startswith("Alice Jones would be told")
    assert first == {
        "username": "alice",
        "name": "Alice Jones",
        "now": True,
        "able": True,
        "outcome": "pushed",
    }
    assert (second["now"], second["able"], second["outcome"]) == (False, True, "snoozed")


def test_the_reasons_are_in_the_language_of_who_asks(bot: Bot, alice: Membership) -> None:
    User.objects.filter(pk=alice.user_id).update(locale="de")
    alice.user.refresh_from_db()
    assert "would" not in ask(alice)["people"][0]["sentence"]


def test_since_when_nobody_can_be_told(bot: Bot) -> None:
    olivia = MembershipFactory.create(organization=bot.organization, user__is_staff=True)
    since = timezone.now()
    Unreachable.objects.create(bot=bot, since=since)
    found = ask(olivia)
    assert found["unreachable_since"] == since.isoformat().replace("+00:00", "Z")
    assert (found["now"], found["able"], found["people"]) == (0, 0, [])


def test_an_app_that_asks_again_is_told_that_nothing_changed(bot: Bot, alice: Membership) -> None:
    client = client_for(alice.user)
    tag = client.get(ADDRESS)["ETag"]
    assert client.get(ADDRESS, headers={"if-none-match": tag}).status_code == 304


def test_for_everybody_else_there_is_no_such_bot(bot: Bot, alice: Membership) -> None:
    subscriber = agent(bot=bot, permitted=False)
    elsewhere = agent(bot=BotFactory.create())
    stranger = MembershipFactory.create(user__is_staff=True)
    for who in (subscriber, elsewhere, stranger):
        answer = client_for(who.user).get(ADDRESS)
        assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)


def test_a_bot_that_is_not_there(alice: Membership) -> None:
    answer = client_for(alice.user).get("/api/v1/acme/bots/nobody/reachability/")
    assert answer.status_code == 404


def test_it_takes_as_many_queries_for_few_as_for_many(bot: Bot, alice: Membership) -> None:
    few = taken_by(lambda: ask(alice))
    crowd(bot=bot, size=20)
    assert taken_by(lambda: ask(alice)) == few
