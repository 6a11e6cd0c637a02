from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels_app.models import Bot, Event, Membership, Source
from tests.api import PROBLEM, client_for
from tests.examples import EXAMPLES
from tests.factories import (
    BotFactory,
    ConnectionFactory,
    EventFactory,
    MembershipFactory,
    NotificationFactory,
    OrganizationFactory,
    RoleFactory,
    SubscriptionFactory,
    UserFactory,
    WorkflowFactory,
    permit,
)

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LOG = "/api/v1/acme/bots/bot%20x/audit-log/"
CHANGES = [example for example in EXAMPLES if example.type.startswith("bot.")]


@pytest.fixture
def bot() -> Bot:
    acme = OrganizationFactory.create(slug="acme")
    return BotFactory.create(organization=acme, external_id="bot x", name="Bot X")


@pytest.fixture
def alice(bot: Bot) -> Membership:
    """A subscriber."""
    member = MembershipFactory.create(organization=bot.organization)
    SubscriptionFactory.create(membership=member, source=bot)
    return member


def change(bot: Source, type: str, data: dict[str, Any], *, at: datetime = NOON) -> Event:
    return EventFactory.create(
        connection=ConnectionFactory.create(organization=bot.organization),
        source=bot,
        subject="",
        type=type,
        occurred_at=at,
        received_at=at + timedelta(seconds=1),
        payload={"type": type, "timestamp": at.isoformat(), "data": data},
    )


def tool_linked(bot: Bot, *, at: datetime = NOON) -> Event:
    data = {
        "bot": {"id": bot.external_id, "name": bot.name},
        "tool": {"id": "t", "name": "Refunds"},
    }
    return change(bot, "bot.tool_linked", data, at=at)


def log(member: Membership, query: str = "") -> Any:
    answer = client_for(member.user).get(f"{LOG}{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_an_entry_holds_all_that_was_received(bot: Bot, alice: Membership) -> None:
    data = {
        "bot": {"id": "bot x", "name": "Bot X"},
        "actor": {"id": "person_17", "name": "Bob", "team": 4},
        "chunks": 12,
        "document": "supplier-spec-2026.pdf",
        "import_job": {"id": "job_88"},
    }
    event = change(bot, "bot.knowledge_added", data)
    NotificationFactory.create_batch(2, event=event)
    NotificationFactory.create(event=event, outcome="source_off")

    (entry,) = log(alice)["results"]

    assert entry == {
        "id": event.pk,
        "type": "bot.knowledge_added",
        "title": "🤖 Bot X auto-updated",
        "text": '12 KB chunks added from "supplier-spec-2026.pdf".',
        "actor": {"id": "person_17", "name": "Bob"},
        "data": data,
        "occurred_at": "2026-11-23T12:00:00Z",
        "received_at": "2026-11-23T12:00:01Z",
        "told": 2,
    }


@pytest.mark.parametrize("example", CHANGES, ids=lambda example: example.name)
def test_every_change_is_said_as_its_banner_says_it(
    bot: Bot, alice: Membership, example: Any
) -> None:
    change(bot, example.type, example.data)

    (entry,) = log(alice)["results"]

    assert entry["title"] == example.title
    assert f"{entry['text']}\nTap to review." == example.body


def test_it_is_said_in_the_readers_language(bot: Bot, alice: Membership) -> None:
    alice.user.locale = "de"
    alice.user.save()
    tool_linked(bot)

    (entry,) = log(alice)["results"]

    assert "Refunds" in entry["text"]
    assert entry["text"] != "New tool linked: Refunds."
    assert "\n" not in entry["text"]


def test_what_happened_last_comes_first_whenever_it_was_received(
    bot: Bot, alice: Membership
) -> None:
    times = [NOON + timedelta(minutes=n) for n in (3, 1, 1, 2)]
    rows = [tool_linked(bot, at=at) for at in times]

    first = log(alice, "?limit=3")
    second = client_for(alice.user).get(first["next"]).json()

    found = [entry["id"] for page in (first, second) for entry in page["results"]]
    assert found == [rows[n].pk for n in (0, 3, 2, 1)]


def test_the_customers_of_a_bot_are_not_in_its_audit_log(bot: Bot, alice: Membership) -> None:
    EventFactory.create(source=bot, connection__organization=bot.organization)

    assert log(alice)["results"] == []


def test_another_bots_changes_are_not_in_it(bot: Bot, alice: Membership) -> None:
    tool_linked(BotFactory.create(organization=bot.organization))

    assert log(alice)["results"] == []


def test_many_changes_take_as_many_queries_as_one(bot: Bot, alice: Membership) -> None:
    counts = []
    for more in (1, 20):
        for _ in range(more):
            NotificationFactory.create(event=tool_linked(bot))
        with CaptureQueriesContext(connection) as queries:
            log(alice)
        counts.append(len(queries))

    assert counts == [3, 3]


def test_who_may_answer_its_customers_reads_it_too(bot: Bot) -> None:
    direct, by_role = MembershipFactory.create_batch(2, organization=bot.organization)
    permit(bot=bot, to=direct.user)
    role = RoleFactory.create(organization=bot.organization)
    permit(bot=bot, to=role)
    role.group.user_set.add(by_role.user)

    assert log(direct)["results"] == log(by_role)["results"] == []


def test_operators_read_it_too(bot: Bot) -> None:
    operator = MembershipFactory.create(
        organization=bot.organization, user=UserFactory.create(is_staff=True)
    )

    assert log(operator)["results"] == []


@pytest.mark.parametrize("method", ["get", "put", "delete", "post"])
def test_an_outsider_finds_no_log(bot: Bot, method: str) -> None:
    operator_elsewhere = MembershipFactory.create(user=UserFactory.create(is_staff=True))

    answer = getattr(client_for(operator_elsewhere.user), method)(LOG)

    assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)


def test_who_follows_other_bots_finds_no_log(bot: Bot) -> None:
    member = MembershipFactory.create(organization=bot.organization)
    beside = BotFactory.create(organization=bot.organization)
    SubscriptionFactory.create(membership=member, source=beside)
    permit(bot=beside, to=member.user)

    assert client_for(member.user).get(LOG).status_code == 404


def test_the_bot_of_another_organization_is_not_there(alice: Membership) -> None:
    theirs = BotFactory.create(external_id="theirs")
    SubscriptionFactory.create(
        membership=MembershipFactory.create(user=alice.user, organization=theirs.organization),
        source=theirs,
    )

    answer = client_for(alice.user).get("/api/v1/acme/bots/theirs/audit-log/")

    assert answer.status_code == 404


def test_a_workflow_is_no_bot(alice: Membership) -> None:
    workflow = WorkflowFactory.create(organization=alice.organization, external_id="wf")
    SubscriptionFactory.create(membership=alice, source=workflow)

    assert client_for(alice.user).get("/api/v1/acme/bots/wf/audit-log/").status_code == 404


@pytest.mark.parametrize("external_id", ["a/b", "ümläut?&#", "audit-log", "..", "%2F", "a b/c"])
def test_any_id_of_the_platforms_finds_its_bot(alice: Membership, external_id: str) -> None:
    bot = BotFactory.create(organization=alice.organization, external_id=external_id)
    SubscriptionFactory.create(membership=alice, source=bot)
    quoted = "".join(f"%{byte:02X}" for byte in external_id.encode())

    answer = client_for(alice.user).get(f"/api/v1/acme/bots/{quoted}/audit-log/")

    assert answer.status_code == 200


@pytest.mark.parametrize("quoted", ["%00", "%FF", "x" * 129])
def test_what_cannot_be_an_id_is_not_there(alice: Membership, quoted: str) -> None:
    answer = client_for(alice.user).get(f"/api/v1/acme/bots/{quoted}/audit-log/")

    assert answer.status_code == 404
