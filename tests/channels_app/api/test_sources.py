from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_app.models import Membership
from tests.api import PROBLEM, client_for
from tests.factories import (
    BotFactory,
    MembershipFactory,
    PreferenceFactory,
    RoleFactory,
    SnoozeFactory,
    SubscriptionFactory,
    WorkflowFactory,
    permit,
)

pytestmark = pytest.mark.django_db


def address(member: Membership, path: str) -> str:
    return f"/api/v1/{member.organization.slug}/{path}"


def listed(member: Membership, path: str) -> list[Any]:
    answer = client_for(member.user).get(address(member, path))
    assert answer.status_code == 200, answer.content
    rows: list[Any] = answer.json()["results"]
    return rows


def test_the_bots_of_the_organization_are_listed_by_name_with_what_they_are_to_me() -> None:
    me = MembershipFactory.create()
    until = timezone.now() + timedelta(hours=1)
    support = BotFactory.create(organization=me.organization, name="Support")
    sales = BotFactory.create(organization=me.organization, name="Sales")
    SubscriptionFactory.create(membership=me, source=support, level="quiet")
    SnoozeFactory.create(membership=me, source=support, until=until)
    permit(bot=support, to=me.user)

    assert listed(me, "bots/") == [
        {
            "id": sales.external_id,
            "name": "Sales",
            "subscribed": False,
            "level": None,
            "snoozed_until": None,
            "can_respond": False,
        },
        {
            "id": support.external_id,
            "name": "Support",
            "subscribed": True,
            "level": "quiet",
            "snoozed_until": until.isoformat().replace("+00:00", "Z"),
            "can_respond": True,
        },
    ]


def test_workflows_are_no_bots() -> None:
    me = MembershipFactory.create()
    workflow = WorkflowFactory.create(organization=me.organization, name="Nightly")
    SubscriptionFactory.create(membership=me, source=workflow)

    assert listed(me, "bots/") == []
    assert listed(me, "workflows/") == [
        {
            "id": workflow.external_id,
            "name": "Nightly",
            "subscribed": True,
            "level": None,
            "snoozed_until": None,
        }
    ]


def test_what_others_have_is_not_mine() -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)
    colleague = MembershipFactory.create(organization=me.organization)
    SubscriptionFactory.create(membership=colleague, source=bot, level="off")
    SnoozeFactory.create(membership=colleague, source=bot)
    permit(bot=bot, to=colleague.user)

    (row,) = listed(me, "bots/")

    assert (row["subscribed"], row["level"], row["snoozed_until"]) == (False, None, None)
    assert row["can_respond"] is False


def test_a_snooze_that_is_over_or_is_of_one_conversation_is_none_of_the_bot() -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)
    SnoozeFactory.create(membership=me, source=bot, until=timezone.now())
    SnoozeFactory.create(membership=me, source=bot, subject="conv_1")

    (row,) = listed(me, "bots/")

    assert row["snoozed_until"] is None


def test_a_role_lets_respond() -> None:
    me = MembershipFactory.create()
    role = RoleFactory.create(organization=me.organization)
    role.group.user_set.add(me.user)
    permit(bot=BotFactory.create(organization=me.organization), to=role)

    (row,) = listed(me, "bots/")

    assert row["can_respond"] is True


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?q=sup", ["Customer Support", "Support"]),
        ("?q=SUPPORT&subscribed=false", ["Support"]),
        ("?subscribed=true", ["100% sure", "Customer Support"]),
        ("?q=%25", ["100% sure"]),
        ("?q=", ["100% sure", "Customer Support", "Support"]),
        ("?q=nothing", []),
    ],
)
def test_bots_are_found_by_name_and_subscription(query: str, names: list[str]) -> None:
    me = MembershipFactory.create()
    for name in ("Customer Support", "100% sure"):
        bot = BotFactory.create(organization=me.organization, name=name)
        SubscriptionFactory.create(membership=me, source=bot)
    BotFactory.create(organization=me.organization, name="Support")

    assert [row["name"] for row in listed(me, f"bots/{query}")] == names


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("?subscribed=yes", "subscribed"),
        ("?subscribed=", "subscribed"),
        ("?q=a%00b", "q"),
        (f"?q={'x' * 201}", "q"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(query: str, parameter: str) -> None:
    me = MembershipFactory.create()

    answer = client_for(me.user).get(address(me, f"bots/{query}"))

    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
    assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


def test_pages_follow_each_other_by_name() -> None:
    me = MembershipFactory.create()
    for name in ("b", "a", "c", "a"):
        BotFactory.create(organization=me.organization, name=name)
    client = client_for(me.user)

    first = client.get(address(me, "bots/?limit=3")).json()
    second = client.get(first["next"]).json()

    assert [row["name"] for row in first["results"] + second["results"]] == ["a", "a", "b", "c"]
    assert second["next"] is None


def test_many_bots_take_as_many_queries_as_one() -> None:
    counts = set()
    for count in (1, 20):
        me = MembershipFactory.create()
        for bot in BotFactory.create_batch(count, organization=me.organization):
            SubscriptionFactory.create(membership=me, source=bot)
            PreferenceFactory.create(membership=me, source=bot)
        with CaptureQueriesContext(connection) as of_list:
            listed(me, "bots/")
        with CaptureQueriesContext(connection) as of_one:
            client_for(me.user).get(address(me, f"bots/{bot.external_id}/"))
        counts.add((len(of_list), len(of_one)))

    assert counts == {(2, 6)}


def test_a_bot_says_how_loudly_each_type_of_it_comes_and_why() -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization, name="Bot X", tone_minimum=0.5)
    SubscriptionFactory.create(membership=me, source=bot, level="quiet")
    PreferenceFactory.create(membership=me, event_type="bot.retrained", level="off")
    PreferenceFactory.create(membership=me, event_type="bot.prompt_tuned", source=bot, level="off")

    told = client_for(me.user).get(address(me, f"bots/{bot.external_id}/")).json()

    assert (told["unanswered_threshold"], told["tone_minimum"]) == (3, 0.5)
    effective = {row["event_type"]: row["effective"] for row in told["event_types"]}
    assert {name: (row["level"], row["decided_by"]) for name, row in effective.items()} == {
        "conversation.human_requested": ("off", "chatbot.respond"),
        "conversation.unanswered": ("off", "chatbot.respond"),
        "conversation.tone_escalated": ("off", "chatbot.respond"),
        "bot.knowledge_added": ("quiet", "catalogue"),
        "bot.retrained": ("off", "type_level"),
        "bot.prompt_tuned": ("off", "source_level"),
        "bot.tool_linked": ("quiet", "subscription"),
    }
    org = f"/api/v1/{me.organization.slug}"
    assert {name: row["address"] for name, row in effective.items()} == {
        "conversation.human_requested": None,
        "conversation.unanswered": None,
        "conversation.tone_escalated": None,
        "bot.knowledge_added": f"{org}/preferences/types/bot.knowledge_added/",
        "bot.retrained": f"{org}/preferences/types/bot.retrained/",
        "bot.prompt_tuned": f"{org}/preferences/types/bot.prompt_tuned/sources/bot/"
        f"{bot.external_id}/",
        "bot.tool_linked": f"{org}/bots/{bot.external_id}/subscription/",
    }
    assert effective["bot.tool_linked"]["reason"] == "The personal setting for all of Bot X."


def test_a_workflow_says_what_comes_of_a_failed_run() -> None:
    me = MembershipFactory.create()
    workflow = WorkflowFactory.create(organization=me.organization)

    told = client_for(me.user).get(address(me, f"workflows/{workflow.external_id}/")).json()

    rows = {row["event_type"]: row for row in told["event_types"]}
    assert [row["name"] for row in rows.values()] == [
        "Started",
        "Step transitions",
        "Finished",
        "Stuck",
    ]
    assert rows["workflow.run_finished"]["effective"]["level"] == "quiet"
    assert rows["workflow.run_finished"]["on_failure"]["level"] == "loud"
    assert rows["workflow.step_stuck"]["on_failure"] is None


@pytest.mark.parametrize(
    "external_id", ["a/b", "/", "a b", "50%", "?q#", "..a", "bot\nx", "Bot „X“ 🤖", "subscription"]
)
def test_an_id_may_have_any_characters(external_id: str) -> None:
    me = MembershipFactory.create()
    BotFactory.create(organization=me.organization, external_id=external_id)
    client, bot = client_for(me.user), address(me, f"bots/{quote(external_id, safe='')}/")

    assert client.get(bot).json()["id"] == external_id
    assert client.put(f"{bot}subscription/", {"level": None}).status_code == 201


@pytest.mark.parametrize("path", ["bots/", "workflows/"])
def test_an_outsider_finds_nothing(path: str) -> None:
    member, outsider = MembershipFactory.create_batch(2)
    former = MembershipFactory.create(organization=member.organization, active=False)

    for person in (outsider.user, former.user):
        assert client_for(person).get(address(member, path)).status_code == 404


def test_what_is_of_another_organization_or_kind_or_is_not_there_is_not_found() -> None:
    me = MembershipFactory.create()
    theirs = BotFactory.create()
    workflow = WorkflowFactory.create(organization=me.organization)

    for external_id in (theirs.external_id, workflow.external_id, "nothing", "a%00b", "x" * 129):
        answer = client_for(me.user).get(address(me, f"bots/{external_id}/"))
        assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)


def test_what_has_not_changed_is_not_sent_again() -> None:
    me = MembershipFactory.create()
    BotFactory.create(organization=me.organization)
    client = client_for(me.user)

    seen = client.get(address(me, "bots/"))["ETag"]

    assert client.get(address(me, "bots/"), headers={"If-None-Match": seen}).status_code == 304
