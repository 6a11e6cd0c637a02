from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from channels_app.models import Event, Installation, Membership
from claims.models import Conversation, Endpoint, Message
from tests.api import PROBLEM, client_for, newcomer, pointers
from tests.factories import (
    ConnectionFactory,
    ConversationFactory,
    InstallationFactory,
    MembershipFactory,
    OrganizationFactory,
    permit,
)

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/acme/conversations/conv%2F1/"
WHAT = ["claim", "release", "hand-back", "resolve", "reply"]


@pytest.fixture
def conversation() -> Conversation:
    acme = OrganizationFactory.create(slug="acme")
    return ConversationFactory.create(
        organization=acme,
        external_id="conv/1",
        waiting_since=timezone.now() - timedelta(minutes=1),
        wave=1,
    )


@pytest.fixture
def alice(conversation: Conversation) -> Membership:
    return responder(conversation, "Alice")


@pytest.fixture
def bob(conversation: Conversation) -> Membership:
    return responder(conversation, "Bob")


@pytest.fixture
def olivia(conversation: Conversation) -> Membership:
    """An operator who answers nobody herself."""
    member = MembershipFactory.create(organization=conversation.organization)
    member.user.is_staff = True
    member.user.save()
    return member


def responder(conversation: Conversation, name: str) -> Membership:
    member = MembershipFactory.create(organization=conversation.organization, external_id=name)
    member.user.first_name = name
    member.user.save()
    permit(bot=conversation.bot, to=member.user)
    return member


def ask(member: Membership, what: str, body: Any = None) -> Any:
    body = {"text": "Hello"} if what == "reply" and body is None else body
    return client_for(member.user).post(f"{ADDRESS}{what}/", body)


def test_the_winner_is_told_what_they_have(conversation: Conversation, alice: Membership) -> None:
    answer = ask(alice, "claim")

    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert shown["holder"] == {"user_id": alice.user_id, "id": "Alice", "name": "Alice"}
    assert (shown["id"], shown["state"], shown["epoch"]) == ("conv/1", "claimed", 1)
    assert shown["claimed_at"] < shown["lease_until"] and shown["waiting_since"] is None


def test_the_winners_repeat_is_answered_the_same(alice: Membership) -> None:
    first, again = ask(alice, "claim"), ask(alice, "claim")

    assert again.status_code == 200
    assert again.json()["claimed_at"] == first.json()["claimed_at"]
    assert Event.objects.count() == 1


def test_everybody_else_is_told_who_and_since_when(alice: Membership, bob: Membership) -> None:
    won = ask(alice, "claim").json()

    lost = ask(bob, "claim")

    assert (lost.status_code, lost["Content-Type"]) == (409, PROBLEM)
    assert lost.json() == {
        "title": "Conflict",
        "status": 409,
        "detail": "Alice has it.",
        "state": "claimed",
        "epoch": 1,
        "holder": won["holder"],
        "since": won["claimed_at"],
    }


def test_the_tapped_device_is_the_callers_own(alice: Membership, bob: Membership) -> None:
    own = InstallationFactory.create(user=alice.user)
    other = InstallationFactory.create(user=bob.user)

    refused = ask(alice, "claim", {"installation_id": str(other.pk)})
    won = ask(alice, "claim", {"installation_id": str(own.pk)})

    assert (refused.status_code, refused["Content-Type"], won.status_code) == (404, PROBLEM, 200)
    assert Event.objects.get().facts["tapped"] == str(own.pk)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"installation_id": "x"}, "/installation_id"),
        ({"installation_id": None}, "/installation_id"),
        ({"device": "x"}, "/device"),
    ],
)
def test_a_claim_that_says_nonsense_is_no_claim(
    alice: Membership, body: dict[str, Any], pointer: str
) -> None:
    answer = ask(alice, "claim", body)

    assert (answer.status_code, pointers(answer)) == (400, {pointer})
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("what", "state"),
    [("release", "waiting"), ("hand-back", "with_bot"), ("resolve", "resolved")],
)
def test_the_holder_ends_a_claim_once_however_often_they_ask(
    alice: Membership, what: str, state: str
) -> None:
    ask(alice, "claim")

    first, again = ask(alice, what), ask(alice, what)

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert (first.json()["state"], first.json()["holder"]) == (state, None)


@pytest.mark.parametrize("what", ["release", "hand-back", "resolve", "reply"])
def test_who_does_not_hold_it_is_told_who_does(
    alice: Membership, bob: Membership, what: str
) -> None:
    ask(alice, "claim")

    answer = ask(bob, what)

    assert (answer.status_code, answer.json()["holder"]["name"]) == (409, "Alice")
    assert Conversation.objects.get().holder == alice


@pytest.mark.parametrize("what", ["release", "hand-back", "resolve"])
def test_an_operator_ends_the_claim_of_somebody_else(
    alice: Membership, olivia: Membership, what: str
) -> None:
    ask(alice, "claim")

    assert ask(olivia, what).json()["holder"] is None


def test_an_operator_without_the_permission_claims_nothing(olivia: Membership) -> None:
    answer = ask(olivia, "claim")

    assert (answer.status_code, answer["Content-Type"]) == (403, PROBLEM)


@pytest.mark.parametrize("what", WHAT)
def test_for_strangers_there_is_no_such_conversation(conversation: Conversation, what: str) -> None:
    colleague = MembershipFactory.create(organization=conversation.organization)
    stranger = MembershipFactory.create()
    permit(bot=conversation.bot, to=stranger.user)

    assert [ask(one, what).status_code for one in (colleague, stranger)] == [404, 404]
    assert Conversation.objects.get().state == "waiting"


@pytest.mark.parametrize("what", WHAT)
def test_the_conversation_of_another_organization_is_not_there(
    conversation: Conversation, alice: Membership, what: str
) -> None:
    theirs = ConversationFactory.create(external_id="theirs")
    permit(bot=theirs.bot, to=alice.user)

    answer = client_for(alice.user).post(
        f"/api/v1/acme/conversations/theirs/{what}/", {"text": "x"} if what == "reply" else None
    )

    assert answer.status_code == 404


def test_after_a_release_another_may_claim(alice: Membership, bob: Membership) -> None:
    ask(alice, "claim")
    ask(alice, "release")

    won = ask(bob, "claim")

    assert (won.json()["holder"]["name"], won.json()["epoch"]) == ("Bob", 2)


@pytest.fixture
def endpoint(conversation: Conversation) -> Endpoint:
    return Endpoint.objects.create(
        connection=ConnectionFactory.create(organization=conversation.organization),
        url="https://platform.example/",
        secret="whsec_x",
    )


def test_a_reply_of_the_holder_goes_to_the_platform_once(
    endpoint: Endpoint, alice: Membership
) -> None:
    ask(alice, "claim")
    said = {"text": " Hello!\n", "reply_id": "0b6ad5a0-7a6b-4d0c-9d2e-6a3f0f1f7a11"}

    answers = [ask(alice, "reply", said), ask(alice, "reply", said)]

    assert [answer.status_code for answer in answers] == [202, 202]
    event = Event.objects.get(type="conversation.reply")
    assert [answer.json() for answer in answers] == [{"event_id": event.pk}] * 2
    assert event.payload["data"]["message"] == " Hello!\n"
    message = Message.objects.get(type="conversation.reply")
    assert '"message": " Hello!\\n"' in message.body and "Alice" in message.body


def test_what_was_said_stays_said_when_the_claim_is_over(
    endpoint: Endpoint, alice: Membership
) -> None:
    ask(alice, "claim")
    said = {"text": "Bye", "reply_id": "0b6ad5a0-7a6b-4d0c-9d2e-6a3f0f1f7a11"}
    first = ask(alice, "reply", said)
    ask(alice, "resolve")

    assert ask(alice, "reply", said).json() == first.json()
    assert ask(alice, "reply", {"text": "Bye"}).status_code == 409


def test_two_replies_without_an_id_are_two(endpoint: Endpoint, alice: Membership) -> None:
    ask(alice, "claim")
    ask(alice, "reply")
    ask(alice, "reply")

    assert Message.objects.filter(type="conversation.reply").count() == 2


@pytest.mark.parametrize("off", [None, {"enabled": False}, {"disabled": True}])
def test_a_reply_that_nobody_would_pass_on_is_refused(
    endpoint: Endpoint, alice: Membership, off: dict[str, bool] | None
) -> None:
    ask(alice, "claim")
    match off:
        case None:
            endpoint.connection.active = False
            endpoint.connection.save()
        case {"disabled": True}:
            Endpoint.objects.update(disabled_at=timezone.now(), disabled_reason="gone")
        case _:
            Endpoint.objects.update(**off)

    answer = ask(alice, "reply")

    assert (answer.status_code, answer["Content-Type"]) == (409, PROBLEM)
    assert "endpoint" in answer.json()["detail"]
    assert not Event.objects.filter(type="conversation.reply").exists()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/text"),
        ({"text": ""}, "/text"),
        ({"text": "x" * 10_001}, "/text"),
        ({"text": "x", "reply_id": "1"}, "/reply_id"),
    ],
)
def test_a_reply_has_words(alice: Membership, body: dict[str, Any], pointer: str) -> None:
    ask(alice, "claim")
    answer = ask(alice, "reply", body)

    assert (answer.status_code, pointers(answer)) == (400, {pointer})


def test_a_reply_keeps_the_claim(endpoint: Endpoint, alice: Membership) -> None:
    ask(alice, "claim")
    Conversation.objects.update(lease_until=timezone.now() + timedelta(seconds=5))

    ask(alice, "reply")

    lease_until = Conversation.objects.get().lease_until
    assert lease_until is not None and lease_until > timezone.now() + timedelta(minutes=29)


def test_a_person_without_a_device_claims_as_well(conversation: Conversation) -> None:
    member = MembershipFactory.create(organization=conversation.organization, user=newcomer())
    permit(bot=conversation.bot, to=member.user)

    assert not Installation.objects.filter(user=member.user).exists()
    assert ask(member, "claim").status_code == 200
