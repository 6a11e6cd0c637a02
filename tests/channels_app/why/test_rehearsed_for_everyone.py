"""What would become of an event for everyone, at once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from channels_app import why
from channels_app.models import Bot, Membership
from tests.crowds import agent, crowd
from tests.factories import BotFactory, MembershipFactory, QuietWindowFactory
from tests.queries import taken_by

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
TYPE = "conversation.human_requested"


def rehearsals(bot: Bot) -> dict[int, why.Answer]:
    found = why.rehearse_for_everyone(bot=bot, organization=bot.organization, type=TYPE, now=NOW)
    return {one.membership.pk: one.answer for one in found}


def test_each_answer_is_what_one_would_get_alone() -> None:
    bot = BotFactory.create()
    members: list[Membership] = [
        agent(bot=bot),
        agent(bot=bot, devices=2),
        agent(bot=bot, devices=0),
        agent(bot=bot, permitted=False),
        agent(bot=bot, subscribed=False),
    ]
    QuietWindowFactory.create(membership=members[0], days=[1], start="08:00", end="12:00")
    MembershipFactory.create(organization=bot.organization)
    assert rehearsals(bot) == {
        one.pk: why.rehearse(membership=one, source=bot, type=TYPE, at=NOW, now=NOW)
        for one in members
    }


def test_it_takes_as_many_queries_for_one_as_for_many() -> None:
    one, many = BotFactory.create(), BotFactory.create()
    crowd(bot=one, size=1)
    crowd(bot=many, size=20)
    assert len(rehearsals(many)) == 20
    assert taken_by(lambda: rehearsals(one)) == taken_by(lambda: rehearsals(many))
