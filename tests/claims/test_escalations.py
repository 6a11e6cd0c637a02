"""What a call takes from the ladder of its bot, in the statement that stores it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from channels_app.models import Bot
from claims import conversations
from claims.models import Conversation
from tests.changes import change
from tests.claims.calls import MINUTE, NINE
from tests.factories import BotFactory, LadderFactory, WaveFactory

pytestmark = pytest.mark.django_db
CALL = "conversation.human_requested"


@pytest.fixture
def bot() -> Bot:
    return BotFactory.create()


def call(bot: Bot, at: datetime = NINE, *, now: datetime | None = None) -> dict[str, Any]:
    data = {"conversation": {"id": "conv_1"}}
    return change(conversations.CHANGES, CALL, bot, data, at, now=now)


def ladder(
    bot: Bot, *minutes: int, first: str = "subscribers", own: bool = True, **how: Any
) -> None:
    row = LadderFactory.create(organization=bot.organization, bot=bot if own else None, **how)
    for place, after in enumerate(minutes):
        audience = first if place == 0 else "responders"
        WaveFactory.create(ladder=row, after=after * MINUTE, audience=audience)


def rest() -> timedelta | None:
    row = Conversation.objects.get()
    assert row.waiting_since == NINE and row.wave == 1
    return row.next_wave_at - NINE if row.next_wave_at else None


def test_without_a_ladder_the_built_in_one_counts(bot: Bot) -> None:
    assert "awake" not in call(bot)
    assert rest() == 3 * MINUTE


@pytest.mark.parametrize(
    ("minutes", "how", "wanted"),
    [
        ((0, 7, 9), {}, 7),
        ((0,), {"repeats": 1, "repeat_every": 4 * MINUTE, "alarm": False}, 4),
        ((0,), {"repeats": 0, "repeat_every": 5 * MINUTE, "alarm": True}, 5),
        ((0,), {"repeats": 0, "alarm": False}, None),
    ],
)
def test_the_next_wave_is_the_ladders(
    bot: Bot, minutes: tuple[int, ...], how: dict[str, Any], wanted: int | None
) -> None:
    ladder(bot, *minutes, **how)
    call(bot)
    assert rest() == (None if wanted is None else wanted * MINUTE)


def test_the_bots_own_ladder_goes_before_its_organizations(bot: Bot) -> None:
    ladder(bot, 0, 8, own=False)
    ladder(bot, 0, 2)
    call(bot)
    assert rest() == 2 * MINUTE


def test_the_organizations_ladder_is_no_other_organizations(bot: Bot) -> None:
    ladder(bot, 0, 8, own=False)
    ladder(BotFactory.create(), 0, 1, own=False)
    call(bot)
    assert rest() == 8 * MINUTE


def test_a_call_that_comes_late_rests_from_its_arrival(bot: Bot) -> None:
    call(bot, now=NINE + 10 * MINUTE)
    assert rest() == 13 * MINUTE


def test_a_first_wave_for_those_awake_says_so_and_a_later_one_does_not(bot: Bot) -> None:
    ladder(bot, 0, 2, first="awake")
    assert call(bot)["awake"] is True
    Conversation.objects.update(wave=2)
    assert "awake" not in call(bot)
    assert call(bot, NINE + MINUTE) == {
        "conversation": Conversation.objects.get().pk,
        "epoch": 2,
        "awake": True,
    }


def test_a_new_round_begins_the_ladder_anew(bot: Bot) -> None:
    call(bot)
    Conversation.objects.update(wave=4, next_wave_at=None)
    call(bot, NINE + 5 * MINUTE)
    row = Conversation.objects.get()
    assert (row.epoch, row.wave, row.next_wave_at) == (2, 1, NINE + 8 * MINUTE)


def test_a_call_that_a_release_has_overtaken_is_the_first_wave(bot: Bot) -> None:
    data = {"conversation": {"id": "conv_1"}}
    change(conversations.CHANGES, "conversation.released", bot, data, NINE + MINUTE)
    assert call(bot) == {"conversation": Conversation.objects.get().pk, "epoch": 1}
    row = Conversation.objects.get()
    assert (row.wave, row.next_wave_at) == (1, NINE + 3 * MINUTE)
