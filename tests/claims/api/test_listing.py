from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels_app.models import Bot, Event, Membership, Organization
from claims.models import Conversation
from tests.api import PROBLEM, client_for
from tests.factories import (
    BotFactory,
    ConnectionFactory,
    ConversationFactory,
    EventFactory,
    MembershipFactory,
    OrganizationFactory,
    UserFactory,
    permit,
)
from tests.queries import taken_by

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ADDRESS = "/api/v1/acme/conversations/"


@pytest.fixture
def acme() -> Organization:
    return OrganizationFactory.create(slug="acme")


@pytest.fixture
def bot(acme: Organization) -> Bot:
    return BotFactory.create(organization=acme, external_id="bot_x", name="Bot X")


@pytest.fixture
def alice(bot: Bot) -> Membership:
    """An agent who may answer the bot's customers."""
    user = UserFactory.create(first_name="Alice", last_name="Smith")
    member = MembershipFactory.create(
        organization=bot.organization, external_id="person_alice", user=user
    )
    permit(bot=bot, to=member.user)
    return member


def waiting(bot: Bot, name: str, since: datetime = NOON) -> Conversation:
    return ConversationFactory.create(
        organization=bot.organization,
        bot=bot,
        external_id=name,
        waiting_since=since,
        changed_at=since,
    )


def claimed(bot: Bot, name: str, by: Membership | None, **about: Any) -> Conversation:
    return ConversationFactory.create(
        organization=bot.organization,
        bot=bot,
        external_id=name,
        state="claimed",
        holder=by,
        claimed_at=NOON,
        changed_at=NOON,
        **about,
    )


def wrote(conversation: Conversation, message: str, *, at: datetime = NOON, **data: Any) -> Event:
    type = data.pop("type", "conversation.message")
    return EventFactory.create(
        connection=ConnectionFactory.create(organization=conversation.organization),
        source=conversation.bot,
        subject=conversation.external_id,
        type=type,
        occurred_at=at,
        payload={"data": {"message": message, **data}},
    )


def asked(member: Membership, query: str = "") -> Any:
    answer = client_for(member.user).get(f"{ADDRESS}{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def ids(member: Membership, query: str = "") -> list[str]:
    return [row["id"] for row in asked(member, query)]


def test_a_row_says_who_waits_for_whom_since_when_and_what_they_said(
    bot: Bot, alice: Membership
) -> None:
    wrote(waiting(bot, "conv_1"), "A human, please!")

    assert asked(alice) == [
        {
            "id": "conv_1",
            "state": "waiting",
            "epoch": 1,
            "holder": None,
            "claimed_at": None,
            "lease_until": None,
            "waiting_since": "2026-11-23T12:00:00Z",
            "changed_at": "2026-11-23T12:00:00Z",
            "bot": {"id": "bot_x", "name": "Bot X"},
            "customer": {"id": "cust_1", "name": "Jane Doe"},
            "last_message": {"text": "A human, please!", "at": "2026-11-23T12:00:00Z"},
        }
    ]


def test_a_row_says_who_has_it_and_that_nobody_waits(bot: Bot, alice: Membership) -> None:
    claimed(bot, "conv_1", alice, waiting_since=NOON - MINUTE)

    (row,) = asked(alice)

    assert row["holder"] == {"user_id": alice.user_id, "id": "person_alice", "name": "Alice Smith"}
    assert (row["claimed_at"], row["waiting_since"]) == ("2026-11-23T12:00:00Z", None)


def test_the_last_words_are_the_customers_by_the_platforms_clock(
    bot: Bot, alice: Membership
) -> None:
    conversation = waiting(bot, "conv_1")
    wrote(conversation, "the last", at=NOON)
    wrote(conversation, "before", at=NOON - MINUTE, type="conversation.human_requested")
    wrote(conversation, "an agent's", at=NOON + MINUTE, actor={"id": "person_1"})
    wrote(conversation, "a reply", at=NOON + MINUTE, type="conversation.reply")
    wrote(conversation, "once more", at=NOON + MINUTE, type="conversation.still_waiting")
    wrote(conversation, "", at=NOON + MINUTE)

    (row,) = asked(alice)

    assert row["last_message"]["text"] == "the last"


def test_long_words_are_cut(bot: Bot, alice: Membership) -> None:
    wrote(waiting(bot, "conv_1"), "é" * 60_000)

    (row,) = asked(alice)

    assert len(row["last_message"]["text"].encode()) <= 1_000
    assert row["last_message"]["text"].endswith("…")


def test_the_last_change_stands_first_and_pages_go_on_where_they_ended(
    bot: Bot, alice: Membership
) -> None:
    for number in range(5):
        waiting(bot, f"conv_{number}", NOON + number * MINUTE)
    client = client_for(alice.user)

    first = client.get(f"{ADDRESS}?limit=2").json()
    waiting(bot, "conv_new", NOON + 9 * MINUTE)
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()

    pages = [[row["id"] for row in page["results"]] for page in (first, second, third)]
    assert pages == [["conv_4", "conv_3"], ["conv_2", "conv_1"], ["conv_0"]]
    assert third["next"] is None


def test_the_queue_begins_with_who_has_waited_longest(bot: Bot, alice: Membership) -> None:
    waiting(bot, "second", NOON)
    waiting(bot, "first", NOON - MINUTE)
    waiting(bot, "third", NOON + MINUTE)
    claimed(bot, "not in it", alice, waiting_since=NOON - 2 * MINUTE)
    client = client_for(alice.user)

    page = client.get(f"{ADDRESS}?order=waiting&limit=2").json()
    rest = client.get(page["next"]).json()

    assert [row["id"] for row in page["results"]] == ["first", "second"]
    assert [row["id"] for row in rest["results"]] == ["third"]


def test_filters_narrow_the_list(bot: Bot, alice: Membership) -> None:
    bob = MembershipFactory.create(organization=bot.organization)
    other = BotFactory.create(organization=bot.organization, external_id="bot y")
    permit(bot=other, to=alice.user)
    waiting(bot, "waits", NOON)
    claimed(bot, "alices", alice)
    claimed(bot, "bobs", bob)
    waiting(other, "of another bot", NOON - MINUTE)

    assert set(ids(alice)) == {"waits", "alices", "bobs", "of another bot"}
    assert set(ids(alice, "?state=waiting")) == {"waits", "of another bot"}
    assert set(ids(alice, "?state=waiting&state=claimed&bot=bot_x")) == {"waits", "alices", "bobs"}
    assert ids(alice, "?mine=true") == ["alices"]
    assert set(ids(alice, "?mine=false&state=claimed")) == {"bobs"}
    assert ids(alice, "?bot=bot%20y") == ["of another bot"]
    assert ids(alice, "?bot=nobody") == []


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("state=open", "state"),
        ("state=waiting&state=", "state"),
        ("mine=1", "mine"),
        ("bot=", "bot"),
        ("bot=%00", "bot"),
        ("order=newest", "order"),
        ("cursor=x", "cursor"),
        ("limit=0", "limit"),
    ],
)
def test_a_parameter_that_is_none_is_named(alice: Membership, query: str, name: str) -> None:
    answer = client_for(alice.user).get(f"{ADDRESS}?{query}")

    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
    assert [error["parameter"] for error in answer.json()["errors"]] == [name]


def test_each_sees_the_bots_that_they_may_answer_and_operators_all(
    bot: Bot, alice: Membership
) -> None:
    other = BotFactory.create(organization=bot.organization)
    waiting(bot, "of bot x")
    waiting(other, "of another")
    nobody = MembershipFactory.create(organization=bot.organization)
    operator = MembershipFactory.create(
        organization=bot.organization, user=UserFactory.create(is_staff=True)
    )

    assert ids(alice) == ["of bot x"]
    assert ids(nobody) == []
    assert set(ids(operator)) == {"of bot x", "of another"}


def test_what_one_holds_one_sees_even_without_the_permission(bot: Bot) -> None:
    member = MembershipFactory.create(organization=bot.organization)
    claimed(bot, "held", member)
    waiting(bot, "not theirs")

    assert ids(member) == ["held"]


def test_a_stranger_finds_no_list_and_another_organization_is_not_in_ours(
    bot: Bot, alice: Membership
) -> None:
    theirs = waiting(BotFactory.create(), "theirs")
    permit(bot=Bot.objects.get(pk=theirs.bot_id), to=alice.user)
    stranger = MembershipFactory.create()
    permit(bot=bot, to=stranger.user)

    answer = client_for(stranger.user).get(ADDRESS)

    assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)
    assert ids(alice) == []


def test_what_has_not_changed_is_not_sent_again(bot: Bot, alice: Membership) -> None:
    conversation = waiting(bot, "conv_1")
    client = client_for(alice.user)
    tag = client.get(ADDRESS)["ETag"]

    assert client.get(ADDRESS, headers={"If-None-Match": tag}).status_code == 304

    wrote(conversation, "Hello?")
    assert client.get(ADDRESS, headers={"If-None-Match": tag}).status_code == 200


def test_many_conversations_take_as_many_queries_as_one(bot: Bot, alice: Membership) -> None:
    counts = []
    for more in (1, 25):
        for number in range(more):
            wrote(waiting(bot, f"conv_{more}_{number}"), "Hello?")
        counts.append(taken_by(lambda: asked(alice)))

    assert counts == [3, 3]
