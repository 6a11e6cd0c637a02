"""The button of a banner, with the app closed: what it takes to claim by it, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from channels_app import action_tokens
from channels_app.action_tokens import Action
from channels_app.models import BotUserPermission, Event, Installation, Membership
from claims import claiming
from claims.models import Conversation
from tests.api import PROBLEM, pointers
from tests.factories import (
    ConversationFactory,
    InstallationFactory,
    MembershipFactory,
    UserFactory,
    permit,
)

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/actions/claim/"
SECRET = "q0Yx2vJ7mZs4Wc9RkT1bNf6HpD3gLa8E"


@dataclass(slots=True)
class Banner:
    """A call for a human on a phone of Alice's."""

    conversation: Conversation
    alice: Membership
    phone: Installation
    token: str

    def tap(self, **changes: Any) -> Any:
        body = {
            "action_token": self.token,
            "installation_id": str(self.phone.pk),
            "installation_secret": SECRET,
            **changes,
        }
        return APIClient().post(ADDRESS, body, format="json")


def phone_of(member: Membership, secret: str = SECRET) -> Installation:
    hashed = sha256(secret.encode()).hexdigest() if secret else ""
    return InstallationFactory.create(user=member.user, secret_hash=hashed)


@pytest.fixture(autouse=True)
def unlimited(settings: Settings) -> None:
    """Redis remembers what earlier runs sent from this address."""
    settings.API_ADDRESS_LIMIT = (1_000_000, 60)


@pytest.fixture
def banner() -> Banner:
    conversation = ConversationFactory.create(waiting_since=timezone.now(), wave=1)
    alice = MembershipFactory.create(organization=conversation.organization)
    permit(bot=conversation.bot, to=alice.user)
    phone = phone_of(alice)
    token = action_tokens.issue(Action(alice.pk, phone.pk, conversation.pk, conversation.epoch))
    return Banner(conversation, alice, phone, token)


def test_the_button_claims_for_whom_it_was_sent_to(banner: Banner) -> None:
    answer = banner.tap()

    assert answer.status_code == 200, answer.content
    assert answer.json()["holder"]["user_id"] == banner.alice.user_id
    assert Event.objects.get().facts == {
        "conversation": banner.conversation.pk,
        "epoch": 1,
        "holder": banner.alice.pk,
        "tapped": str(banner.phone.pk),
    }


def test_twice_it_is_answered_the_same(banner: Banner) -> None:
    first, again = banner.tap(), banner.tap()

    assert again.status_code == 200
    assert again.json()["claimed_at"] == first.json()["claimed_at"]
    assert Event.objects.count() == 1


def test_who_is_too_late_is_told_who_has_it(banner: Banner) -> None:
    bob = MembershipFactory.create(organization=banner.conversation.organization)
    row = claim(banner, bob)

    answer = banner.tap()

    assert (answer.status_code, answer["Content-Type"]) == (409, PROBLEM)
    assert answer.json()["holder"]["user_id"] == bob.user_id
    assert row.claimed_at is not None
    assert datetime.fromisoformat(answer.json()["since"]) == row.claimed_at


def claim(banner: Banner, member: Membership) -> Conversation:
    return claiming.claim(
        conversation_id=banner.conversation.pk, membership=member, now=timezone.now()
    )


@pytest.mark.parametrize("how", ["release", "hand_back", "resolve"])
def test_the_banner_of_a_round_that_is_over_claims_nothing(banner: Banner, how: str) -> None:
    banner.tap()
    leave = getattr(claiming, how)
    leave(
        conversation_id=banner.conversation.pk,
        membership=banner.alice,
        operator=False,
        now=timezone.now(),
    )

    answer = banner.tap()

    assert answer.status_code == 409
    assert (answer.json()["holder"], answer.json()["epoch"]) == (None, 1 + (how == "release"))
    assert Conversation.objects.get().holder is None


def _other_phone(banner: Banner) -> dict[str, Any]:
    return {"installation_id": str(phone_of(banner.alice).pk)}


def _thiefs_phone(banner: Banner) -> dict[str, Any]:
    thief = MembershipFactory.create(organization=banner.conversation.organization)
    permit(bot=banner.conversation.bot, to=thief.user)
    return {"installation_id": str(phone_of(thief).pk)}


def _unknown_phone(banner: Banner) -> dict[str, Any]:
    return {"installation_id": str(uuid4())}


def _wrong_secret(banner: Banner) -> dict[str, Any]:
    return {"installation_secret": SECRET[::-1]}


def _no_secret_there(banner: Banner) -> dict[str, Any]:
    Installation.objects.update(secret_hash="")
    return {}


def _forged(banner: Banner) -> dict[str, Any]:
    return {"action_token": banner.token[:-1] + ("A" if banner.token[-1] != "A" else "B")}


def _for_another_conversation(banner: Banner) -> dict[str, Any]:
    return {"action_token": banner.token.replace(f".{banner.conversation.pk}.", ".987654321.")}


def _nonsense(banner: Banner) -> dict[str, Any]:
    return {"action_token": "\u00e4:b:c"}


def _of_another_organization(banner: Banner) -> dict[str, Any]:
    theirs = ConversationFactory.create()
    permit(bot=theirs.bot, to=banner.alice.user)
    action = Action(banner.alice.pk, banner.phone.pk, theirs.pk, theirs.epoch)
    return {"action_token": action_tokens.issue(action)}


def _left(banner: Banner) -> dict[str, Any]:
    Membership.objects.update(active=False)
    return {}


def _removed(banner: Banner) -> dict[str, Any]:
    banner.alice.delete()
    return {}


def _disabled(banner: Banner) -> dict[str, Any]:
    banner.alice.user.is_active = False
    banner.alice.user.save()
    return {}


def _not_permitted(banner: Banner) -> dict[str, Any]:
    BotUserPermission.objects.all().delete()
    return {}


def _phone_has_another_person(banner: Banner) -> dict[str, Any]:
    Installation.objects.update(user=UserFactory.create())
    return {}


def _unregistered(banner: Banner) -> dict[str, Any]:
    Installation.objects.all().delete()
    return {}


WRONG: dict[str, Callable[[Banner], dict[str, Any]]] = {
    "stolen, with another phone of the same person": _other_phone,
    "stolen, with a colleague's phone": _thiefs_phone,
    "a phone that nobody knows": _unknown_phone,
    "a wrong secret": _wrong_secret,
    "a phone that has no secret": _no_secret_there,
    "forged": _forged,
    "rewritten": _for_another_conversation,
    "nonsense": _nonsense,
    "another organization's conversation": _of_another_organization,
    "the membership was ended": _left,
    "the membership is gone": _removed,
    "the account was closed": _disabled,
    "the permission was taken": _not_permitted,
    "the phone has another person": _phone_has_another_person,
    "the phone was unregistered": _unregistered,
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_whatever_is_wrong_the_answer_is_one_and_the_same(
    banner: Banner, wrong: Callable[[Banner], dict[str, Any]]
) -> None:
    answer = banner.tap(**wrong(banner))

    assert (answer.status_code, answer["Content-Type"]) == (403, PROBLEM)
    assert answer.json() == {
        "title": "Forbidden",
        "status": 403,
        "detail": "This token claims nothing from this device.",
    }
    assert set(Conversation.objects.values_list("state", flat=True)) == {"waiting"}
    assert not Event.objects.exists()


def test_after_the_organizations_claim_window_the_token_is_worth_nothing(banner: Banner) -> None:
    organization = banner.conversation.organization
    organization.claim_window = timedelta(minutes=5)
    organization.save()
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=2), tick=False):
        assert banner.tap().status_code == 403
    with time_machine.travel(timezone.now() + timedelta(minutes=4), tick=False):
        assert banner.tap().status_code == 200


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"action_token": ""}, "/action_token"),
        ({"action_token": "x" * 513}, "/action_token"),
        ({"installation_id": "x"}, "/installation_id"),
        ({"installation_secret": None}, "/installation_secret"),
        ({"epoch": 1}, "/epoch"),
    ],
)
def test_a_body_of_another_shape_is_refused_by_its_place(
    banner: Banner, changes: dict[str, Any], pointer: str
) -> None:
    answer = banner.tap(**changes)

    assert (answer.status_code, pointers(answer)) == (400, {pointer})


def test_a_token_may_not_be_tried_for_ever(banner: Banner) -> None:
    statuses = [banner.tap(installation_secret="x" * 32).status_code for _ in range(31)]

    assert statuses == [403] * 30 + [429]
    assert banner.tap()["Retry-After"]


def test_one_address_may_not_try_for_ever(banner: Banner, settings: Settings) -> None:
    settings.API_ADDRESS_LIMIT = (1, 3600)
    client = APIClient(REMOTE_ADDR=str(uuid4()))

    statuses = [client.post(ADDRESS, {}, format="json").status_code for _ in range(2)]

    assert statuses == [400, 429]


def test_who_is_signed_in_as_somebody_else_claims_for_whom_the_banner_was_sent_to(
    banner: Banner,
) -> None:
    client = APIClient()
    client.force_login(UserFactory.create())
    body = {
        "action_token": banner.token,
        "installation_id": str(banner.phone.pk).upper(),
        "installation_secret": SECRET,
    }

    answer = client.post(ADDRESS, body, format="json")

    assert answer.json()["holder"]["user_id"] == banner.alice.user_id
