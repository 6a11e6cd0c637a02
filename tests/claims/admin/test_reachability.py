"""The page that says who could be told of a bot's customers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from channels_app.models import Bot, Organization
from claims.models import Unreachable
from tests.channels_app.admin.worlds import operator
from tests.crowds import agent, crowd
from tests.factories import (
    BotFactory,
    ChannelPolicyFactory,
    LadderFactory,
    OrganizationFactory,
    SnoozeFactory,
    WaveFactory,
)
from tests.queries import taken_by

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Organization:
    return OrganizationFactory.create(name="Acme", slug="acme")


@pytest.fixture
def bot(acme: Organization) -> Bot:
    return BotFactory.create(organization=acme, name="Bot X")


@pytest.fixture
def as_operator(client: Client, acme: Organization) -> Client:
    client.force_login(operator(acme))
    return client


def page(client: Client, bot: Bot) -> str:
    answer = client.get(reverse("admin:claims_unreachable_bot", args=[bot.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_everyone_whom_it_concerns_stands_where_they_belong(as_operator: Client, bot: Bot) -> None:
    agent(bot=bot)
    SnoozeFactory.create(
        membership=agent(bot=bot), source=bot, until=timezone.now() + timedelta(hours=1)
    )
    agent(bot=bot, subscribed=False)
    agent(bot=bot, devices=0)
    text = page(as_operator, bot)
    titles = (
        "Would be told now</h2>",
        "Not by the first call, but by a later wave of the ladder</h2>",
        "Not now, but at other hours</h2>",
        "Not at all, as it is set</h2>",
    )
    assert [text.count(title) for title in titles] == [1, 1, 1, 1]
    assert sorted(titles, key=text.index) == list(titles)
    assert "pb-alarm" not in text


def test_a_bot_that_nobody_can_be_told_of_says_so(as_operator: Client, bot: Bot) -> None:
    text = page(as_operator, bot)
    assert "no phone would ring" in text
    assert "Nobody subscribes to this bot" in text


def test_who_is_not_sought_out_by_the_ladder_is_not_told_at_all(
    as_operator: Client, bot: Bot
) -> None:
    WaveFactory.create(ladder=LadderFactory.create(organization=bot.organization))
    agent(bot=bot, subscribed=False)
    assert "Not at all, as it is set" in page(as_operator, bot)


def test_a_channel_that_is_off_is_said_to_be(as_operator: Client, bot: Bot) -> None:
    agent(bot=bot)
    ChannelPolicyFactory.create(organization=bot.organization, channel="escalation")
    assert "The channel is off" in page(as_operator, bot)


def test_the_bots_page_leads_there(as_operator: Client, bot: Bot) -> None:
    text = as_operator.get(reverse("admin:chatbot_bot_change", args=[bot.pk])).content.decode()
    assert reverse("admin:claims_unreachable_bot", args=[bot.pk]) in text


def test_a_bot_of_another_organization_has_no_page(as_operator: Client) -> None:
    stranger = BotFactory.create()
    address = reverse("admin:claims_unreachable_bot", args=[stranger.pk])
    assert as_operator.get(address).status_code == 404


def test_the_first_page_counts_the_bots_of_the_reader(
    as_operator: Client, bot: Bot, acme: Organization
) -> None:
    Unreachable.objects.create(bot=BotFactory.create(), since=timezone.now())

    def counted() -> list[tuple[str, bool]]:
        tiles = as_operator.get(reverse("admin:index")).context["tiles"]
        return [(tile.value, tile.alarming) for tile in tiles if tile.title == "Unreachable bots"]

    assert counted() == [("0", False)]
    Unreachable.objects.create(bot=bot, since=timezone.now())
    assert counted() == [("1", True)]


def test_it_takes_as_many_queries_for_few_as_for_many(as_operator: Client, bot: Bot) -> None:
    agent(bot=bot)
    page(as_operator, bot)
    few = taken_by(lambda: page(as_operator, bot))
    crowd(bot=bot, size=20)
    assert taken_by(lambda: page(as_operator, bot)) == few
