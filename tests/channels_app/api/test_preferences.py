from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels_app.models import Membership, Preference, Source
from channels_app.preferences import SETTABLE
from tests.api import PROBLEM, client_for, pointers
from tests.factories import (
    BotFactory,
    ChannelPolicyFactory,
    MembershipFactory,
    PreferenceFactory,
    SubscriptionFactory,
    TypePolicyFactory,
    WorkflowFactory,
    permit,
)
from tests.races import at_once

pytestmark = pytest.mark.django_db


def preferences(member: Membership) -> str:
    return f"/api/v1/{member.organization.slug}/preferences/"


def of_type(member: Membership, event_type: str, source: Source | None = None) -> str:
    path = f"{preferences(member)}types/{event_type}/"
    if source is None:
        return path
    return f"{path}sources/{source.kind}/{quote(source.external_id, safe='')}/"


def told(member: Membership) -> dict[str, Any]:
    answer = client_for(member.user).get(preferences(member))
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    body["event_types"] = {row["event_type"]: row for row in body["event_types"]}
    return body


def test_every_type_that_members_are_told_of_is_there_with_its_default() -> None:
    rows = told(MembershipFactory.create())["event_types"]

    assert {
        name: (row["channel"], row["name"], row["level"], row["effective"]["level"])
        for name, row in rows.items()
    } == {
        "conversation.human_requested": (
            "escalation",
            "Customer asks for a human",
            None,
            "critical",
        ),
        "conversation.unanswered": ("escalation", "Bot cannot answer", None, "critical"),
        "conversation.tone_escalated": (
            "escalation",
            "Customer's tone escalates",
            None,
            "critical",
        ),
        "bot.knowledge_added": ("auto_update", "Knowledge added", None, "quiet"),
        "bot.retrained": ("auto_update", "Re-trained", None, "quiet"),
        "bot.prompt_tuned": ("auto_update", "Prompt auto-tuned", None, "loud"),
        "bot.tool_linked": ("auto_update", "Tool linked", None, "loud"),
        "workflow.run_started": ("workflow", "Started", None, "quiet"),
        "workflow.step_completed": ("workflow", "Step transitions", None, "off"),
        "workflow.run_finished": ("workflow", "Finished", None, "quiet"),
        "workflow.step_stuck": ("workflow", "Stuck", None, "loud"),
    }
    assert rows["workflow.run_finished"]["on_failure"]["level"] == "loud"
    assert {row["effective"]["decided_by"] for row in rows.values()} == {"catalogue"}


def test_only_escalations_may_be_critical() -> None:
    rows = told(MembershipFactory.create())["event_types"]

    assert {row["channel"] for row in rows.values() if "critical" in row["levels"]} == {
        "escalation"
    }


def test_each_value_says_whose_word_it_is_and_where_to_change_it() -> None:
    me = MembershipFactory.create(organization__name="Acme")
    organization = me.organization
    TypePolicyFactory.create(organization=organization, event_type="bot.retrained", level="loud")
    TypePolicyFactory.create(organization=organization, event_type="bot.tool_linked", level="off")
    ChannelPolicyFactory.create(organization=organization, channel="workflow", enabled=False)
    PreferenceFactory.create(membership=me, event_type="bot.tool_linked", level="quiet")
    PreferenceFactory.create(membership=me, event_type="bot.prompt_tuned", level="off")

    effective = {name: row["effective"] for name, row in told(me)["event_types"].items()}

    assert effective["bot.retrained"] == {
        "level": "loud",
        "decided_by": "type_policy",
        "reason": "The setting of Acme for this type.",
        "advice": "Operators change it for everybody; members may set one for themselves.",
        "address": of_type(me, "bot.retrained"),
    }
    assert effective["bot.tool_linked"]["reason"] == "The personal setting for this type."
    assert effective["bot.prompt_tuned"]["reason"] == (
        "“Prompt auto-tuned” is turned off in the personal settings."
    )
    stuck = effective["workflow.step_stuck"]
    assert (stuck["level"], stuck["decided_by"], stuck["address"]) == (
        "off",
        "channel_policy",
        None,
    )
    assert stuck["reason"] == "The channel “Workflow status” is turned off for all of Acme."


def test_names_and_reasons_are_in_the_persons_language() -> None:
    me = MembershipFactory.create(user__locale="de")

    row = told(me)["event_types"]["workflow.step_stuck"]

    assert row["name"] == "Hängt"
    assert row["effective"]["reason"] == "Die Voreinstellung für diese Ereignisart."


def test_what_is_set_for_a_source_stands_beside_its_type() -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)
    workflow = WorkflowFactory.create(organization=me.organization)
    SubscriptionFactory.create(membership=me, source=bot, level="quiet")
    SubscriptionFactory.create(membership=me, source=workflow)
    PreferenceFactory.create(membership=me, event_type="bot.retrained", source=bot, level="loud")
    permit(bot=bot, to=me.user)

    body = told(me)

    named = {"kind": "bot", "id": bot.external_id, "name": bot.name}
    (row,) = body["event_types"]["bot.retrained"]["sources"]
    assert (row["source"], row["level"]) == (named, "loud")
    assert (row["effective"]["level"], row["effective"]["decided_by"]) == ("quiet", "subscription")
    assert body["event_types"]["bot.tool_linked"]["sources"] == []
    assert body["sources"] == [{**named, "level": "quiet"}]


def test_more_settings_take_no_more_queries() -> None:
    counts = set()
    for count in (1, 20):
        me = MembershipFactory.create()
        for bot in BotFactory.create_batch(count, organization=me.organization):
            SubscriptionFactory.create(membership=me, source=bot, level="loud")
            PreferenceFactory.create(membership=me, source=bot)
        with CaptureQueriesContext(connection) as queries:
            client_for(me.user).get(preferences(me))
        counts.add(len(queries))

    assert counts == {6}


def test_a_level_is_set_and_taken_back() -> None:
    me = MembershipFactory.create()
    client, address = client_for(me.user), of_type(me, "workflow.step_completed")

    on = client.put(address, {"level": "quiet"})

    assert on.status_code == 200
    assert (on.json()["level"], on.json()["effective"]["decided_by"]) == ("quiet", "type_level")
    assert client.get(address).json() == on.json()
    assert client.put(address, {"level": "loud"}).json()["effective"]["level"] == "loud"
    assert [client.delete(address).status_code for _ in range(2)] == [204, 204]
    assert client.get(address).json()["effective"]["level"] == "off"


def test_a_level_is_set_for_one_source_alone() -> None:
    me = MembershipFactory.create()
    bot, other = BotFactory.create_batch(2, organization=me.organization)
    client, address = client_for(me.user), of_type(me, "bot.retrained", bot)

    answer = client.put(address, {"level": "loud"})

    assert answer.status_code == 200
    assert answer.json()["effective"]["address"] == address
    assert answer.json()["effective"]["level"] == "loud"
    assert client.get(of_type(me, "bot.retrained", other)).json()["effective"]["level"] == "quiet"
    assert client.get(of_type(me, "bot.retrained")).json()["effective"]["level"] == "quiet"
    assert client.delete(address).status_code == 204
    assert not Preference.objects.exists()


def test_a_level_of_all_and_one_of_a_source_do_not_disturb_each_other() -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)
    client = client_for(me.user)
    client.put(of_type(me, "bot.retrained"), {"level": "off"})
    client.put(of_type(me, "bot.retrained", bot), {"level": "loud"})

    client.delete(of_type(me, "bot.retrained"))

    assert [row.source_id for row in Preference.objects.all()] == [bot.pk]


@pytest.mark.parametrize("event_type", sorted(SETTABLE))
def test_only_an_escalation_can_be_set_to_critical(event_type: str) -> None:
    me = MembershipFactory.create()

    answer = client_for(me.user).put(of_type(me, event_type), {"level": "critical"})

    if event_type.startswith("conversation."):
        assert answer.status_code == 200
    else:
        assert answer.status_code == 400
        assert answer.json()["errors"] == [
            {"pointer": "/level", "detail": "only an escalation can be critical"}
        ]


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({"level": "screaming"}, {"/level"}),
        ({"level": None}, {"/level"}),
        ({"level": 2}, {"/level"}),
        ({}, {"/level"}),
        ({"level": "off", "event_type": "bot.retrained"}, {"/event_type"}),
        ("off", {""}),
    ],
)
def test_what_cannot_be_used_is_named(body: Any, places: set[str]) -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)

    for address in (of_type(me, "bot.retrained"), of_type(me, "bot.retrained", bot)):
        answer = client_for(me.user).put(address, body)
        assert answer.status_code == 400
        assert pointers(answer) == places
    assert not Preference.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        "types/conversation.claimed/",
        "types/workflow.step_started/",
        "types/member.digest/",
        "types/nothing/",
        "types/a%00b/",
        "types/bot.retrained/sources/bot/nothing/",
        "types/bot.retrained/sources/robot/nothing/",
        "types/bot.retrained/sources/workflow/wf_mine/",
        "types/workflow.run_started/sources/bot/bot_mine/",
        "types/bot.retrained/sources/bot/bot_theirs/",
        "channels/notice/",
        "channels/nothing/",
    ],
)
def test_what_cannot_be_set_is_not_found_on_any_verb(path: str) -> None:
    me = MembershipFactory.create()
    BotFactory.create(organization=me.organization, external_id="bot_mine")
    WorkflowFactory.create(organization=me.organization, external_id="wf_mine")
    BotFactory.create(external_id="bot_theirs")
    client, address = client_for(me.user), f"{preferences(me)}{path}"
    change = client.patch if path.startswith("channels/") else client.put

    answers = [client.get(address), change(address, {"level": "off"})]
    if not path.startswith("channels/"):
        answers.append(client.delete(address))

    assert {(answer.status_code, answer["Content-Type"]) for answer in answers} == {(404, PROBLEM)}


def test_an_outsider_sees_and_changes_nothing() -> None:
    member, outsider = MembershipFactory.create_batch(2)
    client = client_for(outsider.user)

    assert client.get(preferences(member)).status_code == 404
    assert client.put(of_type(member, "bot.retrained"), {"level": "off"}).status_code == 404
    assert client.delete(of_type(member, "bot.retrained")).status_code == 404


def test_what_a_colleague_set_is_not_mine() -> None:
    me = MembershipFactory.create()
    colleague = MembershipFactory.create(organization=me.organization)
    bot = BotFactory.create(organization=me.organization)
    PreferenceFactory.create(membership=colleague, event_type="bot.retrained", level="off")
    PreferenceFactory.create(membership=colleague, source=bot)
    SubscriptionFactory.create(membership=colleague, source=bot, level="off")

    body = told(me)

    assert body["sources"] == []
    assert body["event_types"]["bot.retrained"]["effective"]["level"] == "quiet"
    client_for(me.user).delete(of_type(me, "bot.retrained"))
    assert Preference.objects.count() == 2


def test_a_change_that_was_based_on_something_older_is_refused() -> None:
    me = MembershipFactory.create()
    client, address = client_for(me.user), of_type(me, "bot.retrained")
    seen = {"If-Match": client.get(address)["ETag"]}

    changed = client.put(address, {"level": "off"}, headers=seen)
    too_late = client.put(address, {"level": "loud"}, headers=seen)
    too_late_to_delete = client.delete(address, headers=seen)

    assert [changed.status_code, too_late.status_code] == [200, 412]
    assert too_late_to_delete.status_code == 412
    assert Preference.objects.get().level == "off"


@pytest.mark.django_db(transaction=True)
def test_many_at_once_leave_one_level() -> None:
    me = MembershipFactory.create()
    levels = ["off", "quiet", "loud"] * 2

    statuses = at_once(
        6,
        lambda n: (
            client_for(me.user).put(of_type(me, "bot.retrained"), {"level": levels[n]}).status_code
        ),
    )

    assert set(statuses) == {200}
    assert Preference.objects.count() == 1
