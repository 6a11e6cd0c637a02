"""The stream where the server cannot stream: what was missed, and no more. Else: test_serving."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from channels_app.api.credentials import Scope
from channels_app.models import Bot, Membership
from claims.api.stream import StreamedEventBody
from claims.stream.log import MOST_TOLD
from tests.api import PROBLEM, client_for
from tests.claims.stream.listening import conversation, happened
from tests.factories import (
    BotFactory,
    MembershipFactory,
    OrganizationFactory,
    UserFactory,
    permit,
)

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/acme/stream/"


@pytest.fixture
def bot() -> Bot:
    return BotFactory.create(organization=OrganizationFactory.create(slug="acme"))


@pytest.fixture
def alice(bot: Bot) -> Membership:
    member = MembershipFactory.create(organization=bot.organization)
    permit(bot=bot, to=member.user)
    return member


def blocks(member: Membership, after: object = None) -> list[dict[str, str]]:
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    answer = client_for(member.user).get(ADDRESS, headers=headers)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")
    return [
        dict(line.split(": ", 1) for line in block.split("\n"))
        for block in answer.content.decode().split("\n\n")
        if block
    ]


def told(member: Membership, after: object) -> list[Any]:
    return [json.loads(one["data"]) for one in blocks(member, after) if "data" in one]


def test_a_stream_begins_with_where_it_is_and_when_to_come_back(
    bot: Bot, alice: Membership
) -> None:
    happened(conversation(bot), message="of the past")

    (block,) = blocks(alice)

    assert 1_000 <= int(block["retry"]) <= 4_000
    assert int(block["id"]) >= 0


def test_what_was_missed_is_told_with_how_it_stands_now(bot: Bot, alice: Membership) -> None:
    one = conversation(bot)
    before = happened(one, message="heard")
    event = happened(one, message="A human!", agent={"id": "person_1", "name": "Bob"})

    (heard,) = told(alice, before)

    assert heard["event_id"] == event
    assert heard["type"] == "conversation.message"
    assert heard["message"] == "A human!"
    assert heard["actor"] == {"id": "person_1", "name": "Bob"}
    listed = client_for(alice.user).get("/api/v1/acme/conversations/").json()["results"]
    assert [heard["conversation"]] == listed


def test_lines_of_a_message_stay_in_one_line(bot: Bot, alice: Membership) -> None:
    one = conversation(bot)
    before = happened(one, message="heard")
    happened(one, message="a\nid: 7\r\n\r\ndata: b\u2028c")

    (heard,) = told(alice, before)

    assert heard["message"] == "a\nid: 7\r\n\r\ndata: b\u2028c"


def test_what_happens_with_other_bots_is_not_told(bot: Bot, alice: Membership) -> None:
    before = happened(conversation(bot), message="heard")
    happened(conversation(BotFactory.create(organization=bot.organization), "conv_2"), message="x")

    assert told(alice, before) == []


@pytest.mark.parametrize("after", ["999999999", "nonsense", "-1", "9" * 40, "1 2", "²"])
def test_a_bookmark_that_is_none_of_ours_makes_the_app_load_its_list_again(
    alice: Membership, after: str
) -> None:
    reset = blocks(alice, after)[-1]

    assert (reset["event"], json.loads(reset["data"])) == ("reset", {"reason": "unknown_id"})


def test_too_much_that_was_missed_makes_the_app_load_its_list_again(
    bot: Bot, alice: Membership
) -> None:
    one = conversation(bot)
    before = happened(one, message="heard")
    for number in range(MOST_TOLD + 1):
        happened(one, message=str(number))

    reset = blocks(alice, before)[-1]

    assert (reset["event"], json.loads(reset["data"])) == ("reset", {"reason": "too_much"})


def test_who_cannot_set_a_header_says_it_in_the_address(bot: Bot, alice: Membership) -> None:
    one = conversation(bot)
    before = happened(one, message="heard")
    happened(one, message="missed")
    client = client_for(alice.user)

    answer = client.get(f"{ADDRESS}?last_event_id={before}")
    wrong = client.get(f"{ADDRESS}?last_event_id=x")

    assert b"missed" in answer.content
    assert (wrong.status_code, wrong["Content-Type"]) == (400, PROBLEM)
    assert [error["parameter"] for error in wrong.json()["errors"]] == ["last_event_id"]


def test_it_is_no_list_and_not_json(alice: Membership) -> None:
    client = client_for(alice.user)

    refused = client.get(ADDRESS, headers={"Accept": "application/json"})
    taken = client.get(ADDRESS, headers={"Accept": "text/event-stream"})

    assert (refused.status_code, refused["Content-Type"]) == (406, PROBLEM)
    assert "text/event-stream" in refused.json()["detail"]
    assert taken.status_code == 200
    assert "no-store" in taken["Cache-Control"]
    assert "ETag" not in taken


def test_head_says_that_there_is_a_stream(alice: Membership) -> None:
    assert client_for(alice.user).head(ADDRESS).status_code == 200


def test_operators_listen_to_all_and_others_need_a_bot(bot: Bot) -> None:
    one = conversation(bot)
    before = happened(one, message="heard")
    happened(one, message="missed")
    operator = MembershipFactory.create(
        organization=bot.organization, user=UserFactory.create(is_staff=True)
    )
    nobody = MembershipFactory.create(organization=bot.organization)

    refused = client_for(nobody.user).get(ADDRESS)

    assert len(told(operator, before)) == 1
    assert (refused.status_code, refused["Content-Type"]) == (403, PROBLEM)


def test_strangers_and_who_has_no_token_or_no_scope_do_not_listen(
    bot: Bot, alice: Membership
) -> None:
    stranger = MembershipFactory.create()
    permit(bot=bot, to=stranger.user)
    writer = client_for(alice.user, scopes=frozenset({Scope.WRITE}))

    assert client_for(stranger.user).get(ADDRESS).status_code == 404
    assert writer.get(ADDRESS).status_code == 403
    assert Client().get(ADDRESS).status_code == 401


def test_the_example_of_the_document_is_what_is_sent() -> None:
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    document = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    answer = document["paths"]["/api/v1/{org}/stream/"]["get"]["responses"]["200"]
    (example,) = answer["content"]["text/event-stream"]["examples"].values()

    (data,) = [
        json.loads(line.removeprefix("data: "))
        for line in example["value"].split("\n")
        if line.startswith("data: ")
    ]

    assert set(data) == set(StreamedEventBody().fields)
    assert "304" not in document["paths"]["/api/v1/{org}/stream/"]["get"]["responses"]
