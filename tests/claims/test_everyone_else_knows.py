"""From a claim to the phones: whoever was called is told, once, where they were called."""

from __future__ import annotations

import pytest

from channels_app.models import Bot, Delivery, Installation, Membership, Notification
from claims import claiming
from claims.models import Conversation
from tests.claims.calls import MINUTE, NINE, call, route
from tests.crowds import agent
from tests.factories import BotFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def bot() -> Bot:
    return BotFactory.create()


@pytest.fixture
def alice(bot: Bot) -> Membership:
    return agent(bot=bot, devices=2)


@pytest.fixture
def bob(bot: Bot) -> Membership:
    return agent(bot=bot)


def accepted() -> None:
    """Everything that is under way has arrived."""
    Delivery.objects.filter(settled_at=None).update(state="accepted", settled_at=NINE)


def replaced(type: str) -> set[Installation | None]:
    """The devices on which an event of this type is about to replace the call."""
    rows = Delivery.objects.filter(notification__event__type=type, state="pending")
    return {row.installation for row in rows.select_related("installation")}


def devices(*members: Membership) -> list[Installation]:
    people = [member.user_id for member in members]
    return list(Installation.objects.filter(user__in=people).order_by("pk"))


def claim(conversation: Conversation, by: Membership, **more: object) -> None:
    claiming.claim(
        conversation_id=conversation.pk,
        membership=by,
        now=NINE + MINUTE,
        **more,  # type: ignore[arg-type]
    )
    route(NINE + MINUTE)


def test_every_phone_that_rang_but_the_tapped_one_is_told(
    bot: Bot, alice: Membership, bob: Membership
) -> None:
    waiting = call(bot)
    accepted()
    tapped, other = devices(alice)

    claim(waiting, alice, tapped=tapped.pk)

    assert replaced("conversation.claimed") == {other, *devices(bob)}
    told = Notification.objects.filter(event__type="conversation.claimed")
    name = alice.user.first_name
    assert {row.title for row in told.filter(outcome="pushed")} == {f"✅ Claimed by {name}"}


def test_what_has_not_left_does_not_leave_any_more(
    bot: Bot, alice: Membership, bob: Membership
) -> None:
    waiting = call(bot)

    claim(waiting, alice)

    assert replaced("conversation.human_requested") == set()
    assert replaced("conversation.claimed") == set()


@pytest.mark.parametrize("how", ["hand_back", "resolve"])
def test_an_end_by_an_operator_takes_the_call_off_every_phone(
    bot: Bot, alice: Membership, bob: Membership, how: str
) -> None:
    waiting = call(bot)
    accepted()

    getattr(claiming, how)(
        conversation_id=waiting.pk, membership=alice, operator=True, now=NINE + MINUTE
    )
    route(NINE + MINUTE)

    type = {"hand_back": "conversation.handed_back", "resolve": "conversation.resolved"}[how]
    assert replaced(type) == {*devices(alice, bob)}


def test_a_release_calls_everybody_anew(bot: Bot, alice: Membership, bob: Membership) -> None:
    waiting = call(bot)
    accepted()
    claim(waiting, alice)
    accepted()

    claiming.release(
        conversation_id=waiting.pk, membership=alice, operator=False, now=NINE + 2 * MINUTE
    )
    route(NINE + 2 * MINUTE)

    assert replaced("conversation.still_waiting") == {*devices(alice, bob)}


def test_a_further_call_rings_the_holder_alone(
    bot: Bot, alice: Membership, bob: Membership
) -> None:
    waiting = call(bot)
    accepted()
    claim(waiting, alice)
    accepted()

    call(bot, at=NINE + 3 * MINUTE)

    assert replaced("conversation.human_requested") == {*devices(alice)}
    later = Notification.objects.filter(event__occurred_at=NINE + 3 * MINUTE)
    assert dict(later.values_list("membership", "outcome")) == {
        alice.pk: "pushed",
        bob.pk: "already_claimed",
    }
