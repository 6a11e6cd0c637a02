from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from channels_app import links
from channels_app.api.credentials import Scope
from channels_app.event_types import EVENT_TYPES, OWN, Subject
from channels_app.links import About
from channels_app.models import Membership, Organization, Source
from tests.api import PROBLEM, client_for
from tests.examples import EXAMPLES, Example
from tests.factories import (
    BotFactory,
    ConnectionFactory,
    ConversationFactory,
    EventFactory,
    MembershipFactory,
    NotificationFactory,
    OrganizationFactory,
    RunFactory,
    SubscriptionFactory,
    WorkflowFactory,
    permit,
)

pytestmark = pytest.mark.django_db
LINKS = "/api/v1/links/"
BASE = "https://chat.example.com/app"


@pytest.fixture(autouse=True)
def base(settings: Settings) -> None:
    settings.LINK_BASE = BASE


@pytest.fixture
def alice() -> Membership:
    return MembershipFactory.create(organization=OrganizationFactory.create(slug="acme"))


def opened(member: Membership, link: str) -> Any:
    return client_for(member.user).get(LINKS, {"link": link})


def about(example: Example, organization: Organization) -> About:
    """What an example's event is about."""
    data = example.data
    source = data.get("bot") or data["workflow"]
    subject = data.get("conversation") or data.get("run") or {"id": ""}
    return About(EVENT_TYPES[example.type], organization.pk, 1, source["id"], subject["id"])


def happen(example: Example, reader: Membership) -> None:
    """Let an example's event be known, to a member who is told of such."""
    organization, what = reader.organization, about(example, reader.organization)
    source: Source
    if what.row.subject is Subject.RUN:
        workflow = WorkflowFactory.create(organization=organization, external_id=what.source)
        RunFactory.create(workflow=workflow, external_id=what.subject)
        source = workflow
    else:
        bot = BotFactory.create(organization=organization, external_id=what.source)
        permit(bot=bot, to=reader.user)
        if what.row.subject is Subject.CONVERSATION:
            ConversationFactory.create(organization=organization, bot=bot, external_id=what.subject)
        source = bot
    SubscriptionFactory.create(membership=reader, source=source)
    EventFactory.create(
        connection=ConnectionFactory.create(organization=organization),
        source=source,
        subject=what.subject,
        type=example.type,
        payload={"data": example.data},
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_what_a_tap_on_each_banner_opens_has_all_that_its_screen_needs(
    alice: Membership, example: Example
) -> None:
    happen(example, alice)
    what = about(example, alice.organization)

    answer = opened(alice, links.link(what, base=BASE, organization="acme"))

    assert answer.status_code == 200, answer.content
    target = answer.json()
    assert (target["screen"], target["organization"]) == (
        {Subject.CONVERSATION: "conversation", Subject.BOT: "audit_log", Subject.RUN: "run"}[
            what.row.subject
        ],
        "acme",
    )
    again = client_for(alice.user).get(target["api"])
    assert again.status_code == 200
    assert target["content"] == again.json()
    assert example.type in str(target["content"]) or target["content"]["id"] == what.subject


@pytest.mark.parametrize(
    "type", [row.name for row in OWN.values() if row.subject is Subject.MEMBER]
)
def test_what_tells_of_other_things_opens_the_inbox(alice: Membership, type: str) -> None:
    what = About(OWN[type], alice.organization_id, 1, source="")
    NotificationFactory.create(
        event=EventFactory.create(
            connection=ConnectionFactory.create(organization=alice.organization)
        ),
        membership=alice,
        listed=True,
    )

    answer = opened(alice, links.link(what, base=BASE, organization="acme")).json()

    assert (answer["screen"], answer["api"]) == ("inbox", "http://testserver/api/v1/acme/inbox/")
    assert len(answer["content"]["results"]) == 1
    assert answer["content"] == client_for(alice.user).get(answer["api"]).json()


@pytest.mark.parametrize("external_id", ["bot_1", "bot 1", "a/b", "50%25 ü?"])
def test_the_next_page_of_a_list_is_where_the_screen_finds_it(
    alice: Membership, external_id: str
) -> None:
    bot = BotFactory.create(organization=alice.organization, external_id=external_id)
    SubscriptionFactory.create(membership=alice, source=bot)
    data = {"bot": {"id": external_id, "name": "Bot"}, "tool": {"id": "t", "name": "Refunds"}}
    source = ConnectionFactory.create(organization=alice.organization)
    rows = [
        EventFactory.create(
            connection=source,
            source=bot,
            subject="",
            type="bot.tool_linked",
            payload={"data": data},
        )
        for _ in range(31)
    ]
    what = About(EVENT_TYPES["bot.tool_linked"], 1, 1, external_id)
    link = links.link(what, base=BASE, organization="acme")

    target = opened(alice, link).json()
    following = client_for(alice.user).get(target["content"]["next"])

    assert target["content"]["next"].startswith(f"{target['api']}?cursor=")
    assert [row["id"] for row in following.json()["results"]] == [rows[0].pk]


def test_parameters_beside_the_link_do_not_reach_the_screen(alice: Membership) -> None:
    answer = client_for(alice.user).get(
        LINKS, {"link": f"{BASE}/o/acme/inbox", "limit": "nonsense", "unread": "nonsense"}
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("slashed", ["a/b", "a/runs/b", "ü %2F?#"])
def test_any_id_of_the_platforms_comes_through(alice: Membership, slashed: str) -> None:
    workflow = WorkflowFactory.create(organization=alice.organization, external_id=slashed)
    SubscriptionFactory.create(membership=alice, source=workflow)
    RunFactory.create(workflow=workflow, external_id="run 1")
    what = About(EVENT_TYPES["workflow.run_started"], 1, 1, slashed, "run 1")

    answer = opened(alice, links.link(what, base=BASE, organization="acme"))

    assert answer.json()["content"]["workflow"]["id"] == slashed
    assert client_for(alice.user).get(answer.json()["api"]).json() == answer.json()["content"]


@pytest.mark.parametrize(
    "link",
    [
        "",
        "nonsense",
        "/o/acme/inbox",
        "https://elsewhere.example.com/o/acme/inbox",
        f"{BASE}/o/acme/secrets",
        f"{BASE}/o/acme/conversations/%00",
        f"{BASE}/o/acme/conversations/{'x' * 5000}",
        f"{BASE}/o/acme/inbox\x00",
    ],
)
def test_a_link_that_no_banner_carries_is_refused(alice: Membership, link: str) -> None:
    answer = opened(alice, link)

    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
    assert [fault["parameter"] for fault in answer.json()["errors"]] == ["link"]


def test_without_a_link_it_is_named(alice: Membership) -> None:
    answer = client_for(alice.user).get(LINKS)

    assert answer.status_code == 400
    assert [fault["parameter"] for fault in answer.json()["errors"]] == ["link"]


@pytest.mark.parametrize(
    "path",
    [
        "/o/acme/conversations/conv_1",
        "/o/acme/bots/bot_1/audit-log",
        "/o/acme/workflows/wf_1/runs/run_1",
        f"/o/acme/conversations/{'x' * 129}",
        "/o/nobody/inbox",
        "/o/acme/inbox",
    ],
)
def test_what_one_may_not_see_is_not_there(alice: Membership, path: str) -> None:
    stranger = MembershipFactory.create()
    colleague = MembershipFactory.create(organization=alice.organization)
    readers = [stranger] if path == "/o/acme/inbox" else [stranger, colleague]
    conversation = ConversationFactory.create(
        organization=alice.organization, bot__external_id="bot_1", external_id="conv_1"
    )
    RunFactory.create(
        workflow__organization=alice.organization,
        workflow__external_id="wf_1",
        external_id="run_1",
    )
    permit(bot=conversation.bot, to=alice.user)

    answers = [opened(reader, f"{BASE}{path}") for reader in readers]

    assert {(answer.status_code, answer["Content-Type"]) for answer in answers} == {(404, PROBLEM)}


@pytest.mark.parametrize("method", ["put", "delete", "post", "patch"])
def test_a_link_is_only_ever_read(alice: Membership, method: str) -> None:
    answer = getattr(client_for(alice.user), method)(f"{LINKS}?link={BASE}/o/acme/inbox")

    assert answer.status_code == 405


def test_a_token_that_may_not_read_opens_nothing(alice: Membership) -> None:
    client = client_for(alice.user, scopes=frozenset({Scope.WRITE}))

    assert client.get(LINKS, {"link": f"{BASE}/o/acme/inbox"}).status_code == 403


def test_what_has_not_changed_is_not_sent_again(alice: Membership) -> None:
    client = client_for(alice.user)
    asked = {"link": f"{BASE}/o/acme/inbox"}
    seen = client.get(LINKS, asked)["ETag"]

    assert client.get(LINKS, asked, headers={"If-None-Match": seen}).status_code == 304


def test_a_screen_by_its_link_takes_no_more_queries_than_by_its_address(
    alice: Membership,
) -> None:
    counts = []
    for address in ("/api/v1/acme/inbox/", f"{LINKS}?link={BASE}/o/acme/inbox"):
        with CaptureQueriesContext(connection) as queries:
            client_for(alice.user).get(address)
        counts.append(len(queries))

    assert counts[0] == counts[1]
