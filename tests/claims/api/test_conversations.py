from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels_app.history import MOST_SHOWN
from channels_app.models import Event, Membership
from claims.models import Conversation
from tests.api import PROBLEM, client_for
from tests.factories import (
    BotFactory,
    ConnectionFactory,
    ConversationFactory,
    EventFactory,
    MembershipFactory,
    OrganizationFactory,
    RoleFactory,
    SubscriptionFactory,
    UserFactory,
    permit,
)

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ADDRESS = "/api/v1/acme/conversations/conv%201/"
NOTHING = dict.fromkeys(
    ("actor", "message", "tone", "score", "consecutive_unanswered", "reason", "wave"), None
)


@pytest.fixture
def conversation() -> Conversation:
    acme = OrganizationFactory.create(slug="acme")
    return ConversationFactory.create(
        organization=acme,
        external_id="conv 1",
        changed_at=NOON,
        waiting_since=NOON - timedelta(minutes=1),
        wave=2,
        next_wave_at=NOON + timedelta(minutes=3),
    )


@pytest.fixture
def alice(conversation: Conversation) -> Membership:
    """An agent who may answer the bot's customers."""
    member = MembershipFactory.create(organization=conversation.organization)
    permit(bot=conversation.bot, to=member.user)
    return member


def happened(
    conversation: Conversation, type: str, *, at: datetime = NOON, **data: object
) -> Event:
    return EventFactory.create(
        connection=ConnectionFactory.create(organization=conversation.organization),
        source=conversation.bot,
        subject=conversation.external_id,
        type=f"conversation.{type}",
        occurred_at=at,
        payload={"data": data},
    )


def screen(member: Membership) -> Any:
    answer = client_for(member.user).get(ADDRESS)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_the_screen_shows_whom_it_is_about_and_how_it_stands(
    conversation: Conversation, alice: Membership
) -> None:
    assert screen(alice) == {
        "id": "conv 1",
        "bot": {"id": conversation.bot.external_id, "name": conversation.bot.name},
        "customer": {"id": "cust_1", "name": "Jane Doe"},
        "state": "waiting",
        "epoch": 1,
        "holder": None,
        "claimed_at": None,
        "lease_until": None,
        "waiting_since": "2026-11-23T11:59:00Z",
        "changed_at": "2026-11-23T12:00:00Z",
        "ladder": {"wave": 2, "next_wave_at": "2026-11-23T12:03:00Z"},
        "capabilities": ["respond"],
        "events": [],
        "earlier": False,
    }


def test_a_customer_without_a_name_and_an_id_is_none(
    conversation: Conversation, alice: Membership
) -> None:
    Conversation.objects.update(customer_id="", customer_name="")

    assert screen(alice)["customer"] is None


def test_what_happened_is_told_in_the_order_of_the_platforms_clock(
    conversation: Conversation, alice: Membership
) -> None:
    claimed = happened(
        conversation,
        "claimed",
        at=NOON + timedelta(minutes=2),
        agent={"id": "person_1", "name": "Bob"},
    )
    asked = happened(conversation, "human_requested", message="A human!\nPlease.")
    angry = happened(
        conversation,
        "tone_escalated",
        at=NOON + timedelta(minutes=1),
        message="Now!",
        tone="anger",
        score=0.93,
    )
    lost = happened(
        conversation, "unanswered", at=NOON - timedelta(minutes=1), consecutive_unanswered=3
    )

    nothing = {**NOTHING, "reported": True}
    assert screen(alice)["events"] == [
        {
            **nothing,
            "event_id": lost.pk,
            "type": "conversation.unanswered",
            "occurred_at": "2026-11-23T11:59:00Z",
            "consecutive_unanswered": 3,
        },
        {
            **nothing,
            "event_id": asked.pk,
            "type": "conversation.human_requested",
            "occurred_at": "2026-11-23T12:00:00Z",
            "message": "A human!\nPlease.",
        },
        {
            **nothing,
            "event_id": angry.pk,
            "type": "conversation.tone_escalated",
            "occurred_at": "2026-11-23T12:01:00Z",
            "message": "Now!",
            "tone": "anger",
            "score": 0.93,
        },
        {
            **nothing,
            "event_id": claimed.pk,
            "type": "conversation.claimed",
            "occurred_at": "2026-11-23T12:02:00Z",
            "actor": {"id": "person_1", "name": "Bob"},
        },
    ]


def test_another_conversation_of_the_bot_is_not_mixed_in(
    conversation: Conversation, alice: Membership
) -> None:
    other = ConversationFactory.create(organization=conversation.organization, bot=conversation.bot)
    happened(other, "human_requested")

    assert screen(alice)["events"] == []


def test_what_was_said_to_an_earlier_bot_is_part_of_it(
    conversation: Conversation, alice: Membership
) -> None:
    earlier = happened(conversation, "human_requested", message="A human!")
    conversation.bot = BotFactory.create(organization=conversation.organization)
    conversation.save()
    permit(bot=conversation.bot, to=alice.user)

    assert [event["event_id"] for event in screen(alice)["events"]] == [earlier.pk]


def test_a_message_of_any_length_leaves_room_for_the_others(
    conversation: Conversation, alice: Membership
) -> None:
    happened(conversation, "message", message="é" * 65_536)

    (event,) = screen(alice)["events"]

    assert len(event["message"].encode()) <= 16_384
    assert event["message"].endswith("…")


def test_of_a_long_conversation_the_last_events_are_shown(
    conversation: Conversation, alice: Membership
) -> None:
    template = happened(conversation, "message", at=NOON - timedelta(hours=1), message="first")
    Event.objects.bulk_create(
        Event(
            organization=conversation.organization,
            connection=template.connection,
            webhook_id=f"long {n}",
            type="conversation.message",
            source=conversation.bot,
            subject=conversation.external_id,
            occurred_at=NOON + timedelta(seconds=n),
            received_at=NOON,
            route_at=NOON,
            payload={"data": {"message": str(n)}},
        )
        for n in range(MOST_SHOWN)
    )

    answer = screen(alice)

    assert [event["message"] for event in answer["events"]] == [str(n) for n in range(MOST_SHOWN)]
    assert answer["earlier"] is True


def test_many_events_take_as_many_queries_as_one(
    conversation: Conversation, alice: Membership
) -> None:
    counts = []
    for more in (1, 20):
        for _ in range(more):
            happened(conversation, "message", message="Hello?")
        with CaptureQueriesContext(connection) as queries:
            screen(alice)
        counts.append(len(queries))

    assert counts == [4, 4]


def test_a_role_is_enough(conversation: Conversation) -> None:
    member = MembershipFactory.create(organization=conversation.organization)
    role = RoleFactory.create(organization=conversation.organization)
    permit(bot=conversation.bot, to=role)
    role.group.user_set.add(member.user)

    assert screen(member)["id"] == "conv 1"


def test_who_only_follows_the_bot_or_answers_for_another_does_not_see_its_customers(
    conversation: Conversation,
) -> None:
    subscriber = MembershipFactory.create(organization=conversation.organization)
    SubscriptionFactory.create(membership=subscriber, source=conversation.bot)
    of_another_bot = MembershipFactory.create(organization=conversation.organization)
    permit(bot=BotFactory.create(organization=conversation.organization), to=of_another_bot.user)

    answers = [client_for(member.user).get(ADDRESS) for member in (subscriber, of_another_bot)]

    assert {(answer.status_code, answer["Content-Type"]) for answer in answers} == {(404, PROBLEM)}


def test_an_operator_sees_what_an_alarm_is_about(conversation: Conversation) -> None:
    operator = MembershipFactory.create(
        organization=conversation.organization, user=UserFactory.create(is_staff=True)
    )

    assert screen(operator)["capabilities"] == ["operate"]


def test_who_holds_it_sees_it_even_where_they_may_answer_nobody_any_more(
    conversation: Conversation,
) -> None:
    member = MembershipFactory.create(organization=conversation.organization)
    Conversation.objects.update(
        state="claimed", holder=member, claimed_at=NOON, lease_until=NOON, next_wave_at=None
    )

    shown = screen(member)

    assert shown["holder"] == {
        "user_id": member.user_id,
        "id": member.external_id,
        "name": member.user.first_name,
    }
    assert (shown["claimed_at"], shown["lease_until"]) == ("2026-11-23T12:00:00Z",) * 2
    assert (shown["waiting_since"], shown["ladder"], shown["capabilities"]) == (None, None, [])


def test_an_agent_of_the_platform_is_a_holder_without_a_user(
    conversation: Conversation, alice: Membership
) -> None:
    Conversation.objects.update(
        state="claimed",
        holder_external_id="x",
        holder_name="Xu",
        claimed_at=NOON,
        next_wave_at=None,
    )

    assert screen(alice)["holder"] == {"user_id": None, "id": "x", "name": "Xu"}


def test_what_happened_here_stands_among_what_the_platform_reported(
    conversation: Conversation, alice: Membership
) -> None:
    wave = {"number": 2, "audience": "role", "role": "Second line"}
    said: dict[str, Any] = {"message": "A human!", "reason": "lapsed", "wave": wave}
    waiting = happened(conversation, "still_waiting", **said)
    reply = happened(conversation, "reply", agent={"id": "a", "name": "Alice"}, message="Hello")
    Event.objects.update(connection=None)

    assert screen(alice)["events"] == [
        {
            **NOTHING,
            "event_id": waiting.pk,
            "type": "conversation.still_waiting",
            "occurred_at": "2026-11-23T12:00:00Z",
            "reported": False,
            "reason": "lapsed",
            "wave": wave,
        },
        {
            **NOTHING,
            "event_id": reply.pk,
            "type": "conversation.reply",
            "occurred_at": "2026-11-23T12:00:00Z",
            "reported": False,
            "actor": {"id": "a", "name": "Alice"},
            "message": "Hello",
        },
    ]


@pytest.mark.parametrize("method", ["get", "put", "delete", "post"])
def test_an_outsider_finds_no_conversation_even_with_the_permission(
    conversation: Conversation, method: str
) -> None:
    stranger = MembershipFactory.create()
    permit(bot=conversation.bot, to=stranger.user)

    answer = getattr(client_for(stranger.user), method)(ADDRESS)

    assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)


def test_the_conversation_of_another_organization_is_not_there(alice: Membership) -> None:
    theirs = ConversationFactory.create(external_id="theirs")
    MembershipFactory.create(user=alice.user, organization=theirs.organization)
    permit(bot=theirs.bot, to=alice.user)

    assert client_for(alice.user).get("/api/v1/acme/conversations/theirs/").status_code == 404
