"""A conversation's page: how it stands, its ladder, its history, and what operators may do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from channels_app.models import Bot, Event, Membership, Organization, User
from claims import claiming
from claims.models import Conversation
from tests.channels_app.admin.worlds import operator, superuser
from tests.claims.calls import MINUTE, call, pass_time, route, sweep
from tests.crowds import agent
from tests.factories import (
    BotFactory,
    LadderFactory,
    OrganizationFactory,
    RoleFactory,
    UserFactory,
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
def alice(bot: Bot) -> Membership:
    alice = agent(bot=bot)
    User.objects.filter(pk=alice.user_id).update(first_name="Alice", last_name="Jones")
    alice.user.refresh_from_db()
    return alice


@pytest.fixture
def olivia(client: Client, acme: Organization) -> User:
    """An operator, who looks at pages."""
    olivia = operator(acme)
    client.force_login(olivia)
    return olivia


def page(client: Client, row: Conversation) -> str:
    answer = client.get(reverse("admin:claims_conversation_change", args=[row.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def press(client: Client, row: Conversation, button: str) -> int:
    """Press a button on the page, and confirm; answers the status."""
    address = reverse(f"admin:claims_conversation_{button}", args=[row.pk])
    return client.post(address, {"_form_submitted": "1"}).status_code


def test_the_ladder_says_who_was_told_and_who_comes_next(
    client: Client, bot: Bot, alice: Membership, olivia: User
) -> None:
    nobody = RoleFactory.create(organization=bot.organization, name="Night shift")
    ladder = LadderFactory.create(organization=bot.organization, bot=bot)
    WaveFactory.create(ladder=ladder)
    WaveFactory.create(ladder=ladder, after=MINUTE, audience="role", role=nobody)
    WaveFactory.create(ladder=ladder, after=2 * MINUTE, audience="responders")
    since = timezone.now() - 2 * MINUTE
    row = call(bot, at=since)
    sweep(since + MINUTE)
    text = page(client, row)
    for words in (
        "All subscribers who may respond",
        "The role “Night shift”",
        "nobody told",
        "1 person told",
        "Everyone who may respond, again",
        "3 min 0 s after the one before",
        "The operators: nobody came",
        reverse("admin:claims_ladder_change", args=[ladder.pk]),
        reverse("admin:claims_unreachable_bot", args=[bot.pk]),
    ):
        assert words in text


def test_of_repeats_that_reach_nobody_the_ladder_says_why_they_were_left_out(
    client: Client, bot: Bot, olivia: User
) -> None:
    since = timezone.now() - 2 * MINUTE
    row = call(bot, at=since)
    pass_time(since, 1)
    text = page(client, row)
    assert "Left out" in text
    assert "the same people are not told again" in text


def test_a_ladder_that_operators_have_not_set_is_said_to_be_built_in(
    client: Client, bot: Bot, olivia: User
) -> None:
    text = page(client, call(bot))
    assert "This is the ladder that is built in." in text
    assert f"{reverse('admin:claims_ladder_add')}?organization={bot.organization_id}" in text


def test_the_history_tells_everything_in_words(
    client: Client, bot: Bot, alice: Membership, olivia: User
) -> None:
    since = timezone.now() - 20 * MINUTE
    row = call(bot, at=since, type="conversation.unanswered", consecutive_unanswered=4)
    sweep(since + 3 * MINUTE)
    claiming.claim(conversation_id=row.pk, membership=alice, now=since + 4 * MINUTE)
    claiming.release(
        conversation_id=row.pk, membership=alice, operator=False, now=since + 5 * MINUTE
    )
    route(since + 5 * MINUTE)
    text = page(client, row)
    for words in (
        "The bot had no answer 4 times in a row",
        "I want to talk to a human.",
        "Wave 2: everyone who may respond",
        "Claimed by Alice Jones",
        "Released by Alice Jones",
        "Given back. Wave 1: all subscribers who may respond",
        "1 told",
    ):
        assert words in text
    for event in Event.objects.filter(subject="conv_1"):
        assert reverse("admin:chatbot_event_change", args=[event.pk]) in text


def test_the_history_begins_with_the_bot_that_had_it_first(
    client: Client, bot: Bot, olivia: User
) -> None:
    call(bot, at=timezone.now() - 5 * MINUTE, message="To the first.")
    other = BotFactory.create(organization=bot.organization)
    row = call(other, at=timezone.now(), message="To the second.")
    text = page(client, row)
    assert "To the first." in text
    assert "To the second." in text


def test_a_lapsed_claim_is_told_as_such(
    client: Client, bot: Bot, alice: Membership, olivia: User
) -> None:
    row = call(bot, at=timezone.now() - 40 * MINUTE)
    claimed_at = timezone.now() - 39 * MINUTE
    claiming.claim(conversation_id=row.pk, membership=alice, now=claimed_at)
    assert "Alice Jones" in page(client, row)
    claiming.lapse(now=claimed_at + 31 * MINUTE, limit=10)
    text = page(client, row)
    assert "Alice Jones did nothing for so long: the claim lapsed" in text
    assert "The claim lapsed. Wave 1" in text


def test_what_a_customer_writes_is_never_html(client: Client, bot: Bot, olivia: User) -> None:
    row = call(bot, message="<script>alert(1)</script>")
    assert "<script>alert(1)</script>" not in page(client, row)


def test_lists_and_pages_take_as_many_queries_for_few_as_for_many(
    client: Client, bot: Bot, alice: Membership, olivia: User
) -> None:
    address = reverse("admin:claims_conversation_changelist")
    row = call(bot)
    client.get(address)
    page(client, row)
    listed, shown = taken_by(lambda: client.get(address)), taken_by(lambda: page(client, row))
    for number in range(2, 8):
        other = call(bot, f"conv_{number}")
        claiming.claim(conversation_id=other.pk, membership=alice, now=timezone.now())
    pass_time(row.changed_at, 20)
    assert taken_by(lambda: client.get(address)) == listed
    assert taken_by(lambda: page(client, row)) == shown


@pytest.mark.parametrize(
    ("button", "state"),
    [("release", "waiting"), ("hand_back", "with_bot"), ("resolve", "resolved")],
)
def test_operators_end_a_claim_under_their_own_name(
    client: Client, bot: Bot, alice: Membership, olivia: User, button: str, state: str
) -> None:
    row = call(bot, at=timezone.now() - timedelta(minutes=5))
    claiming.claim(conversation_id=row.pk, membership=alice, now=timezone.now())
    assert press(client, row, button) == 200
    row.refresh_from_db()
    assert row.state == state
    assert row.left_by is not None and row.left_by.user == olivia
    done = "handed_back" if button == "hand_back" else f"{button}d"
    [event] = Event.objects.filter(type=f"conversation.{done}")
    assert event.payload["data"]["agent"]["name"] == olivia.get_full_name()


def test_only_what_is_held_can_be_released(client: Client, bot: Bot, olivia: User) -> None:
    row = call(bot)
    text = page(client, row)
    assert "Hand back to the bot" in text
    assert "Release this conversation?" not in text
    assert press(client, row, "release") in (302, 403)
    row.refresh_from_db()
    assert row.epoch == 1


@pytest.mark.parametrize("button", ["hand_back", "resolve"])
def test_whoever_is_no_operator_of_the_organization_changes_nothing(
    client: Client, bot: Bot, button: str
) -> None:
    row = call(bot)
    elsewhere = operator(OrganizationFactory.create())
    reader = UserFactory.create(is_staff=True)
    for who in (superuser(), elsewhere, reader):
        client.force_login(who)
        assert press(client, row, button) in (302, 403, 404)
    row.refresh_from_db()
    assert row.state == "waiting"
