from __future__ import annotations

from typing import Any

import pytest

from channels_app.api.credentials import Scope
from channels_app.models import Membership, Source, Subscription
from tests.api import PROBLEM, client_for, pointers
from tests.factories import (
    BotFactory,
    MembershipFactory,
    SubscriptionFactory,
    WorkflowFactory,
    permit,
)
from tests.races import at_once

pytestmark = pytest.mark.django_db


def address(member: Membership, source: Source) -> str:
    return f"/api/v1/{member.organization.slug}/{source.kind}s/{source.external_id}/subscription/"


def test_subscribing_again_changes_the_level_and_nothing_else() -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)
    client = client_for(me.user)

    first = client.put(address(me, bot), {"level": "quiet"})
    again = client.put(address(me, bot), {"level": "loud"})
    unset = client.put(address(me, bot), {"level": None})

    assert [first.status_code, again.status_code, unset.status_code] == [201, 200, 200]
    assert unset.json() == {"level": None, "can_respond": False}
    assert client.get(address(me, bot)).json() == unset.json()
    assert Subscription.objects.get().level == ""


def test_who_may_not_respond_is_told_that_no_escalation_will_come() -> None:
    me = MembershipFactory.create()
    mute, open_to_me = BotFactory.create_batch(2, organization=me.organization)
    permit(bot=open_to_me, to=me.user)
    client = client_for(me.user)

    answers = [client.put(address(me, bot), {"level": None}) for bot in (mute, open_to_me)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert [answer.json()["can_respond"] for answer in answers] == [False, True]


def test_a_workflow_is_subscribed_to_alike() -> None:
    me = MembershipFactory.create()
    workflow = WorkflowFactory.create(organization=me.organization)
    client = client_for(me.user)

    assert client.put(address(me, workflow), {"level": "off"}).json() == {"level": "off"}
    assert client.delete(address(me, workflow)).status_code == 204
    assert client.get(address(me, workflow)).status_code == 404


def test_unsubscribing_twice_is_right() -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)
    SubscriptionFactory.create(membership=me, source=bot)
    colleague = SubscriptionFactory.create(membership__organization=me.organization, source=bot)
    client = client_for(me.user)

    assert [client.delete(address(me, bot)).status_code for _ in range(2)] == [204, 204]
    assert Subscription.objects.get() == colleague


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({"level": "critical"}, {"/level"}),
        ({"level": "Quiet"}, {"/level"}),
        ({"level": ""}, {"/level"}),
        ({"level": 1}, {"/level"}),
        ({"level": ["quiet"]}, {"/level"}),
        ({"level": "quiet", "volume": 11}, {"/volume"}),
        ([], {""}),
    ],
)
def test_a_level_that_does_not_exist_is_named(body: Any, places: set[str]) -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)

    answer = client_for(me.user).put(address(me, bot), body)

    assert answer.status_code == 400
    assert pointers(answer) == places
    assert not Subscription.objects.exists()


def test_a_fault_says_which_levels_there_are() -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)

    answer = client_for(me.user).put(address(me, bot), {"level": "critical"})

    assert answer.json()["errors"] == [
        {"pointer": "/level", "detail": "is not one of the levels off, quiet, loud"}
    ]


def test_what_is_anothers_is_not_found_on_any_verb() -> None:
    me = MembershipFactory.create()
    theirs = SubscriptionFactory.create()
    client = client_for(me.user)
    here = address(me, theirs.source)
    there = address(theirs.membership, theirs.source)

    for place in (here, there):
        answers = [client.get(place), client.put(place, {"level": None}), client.delete(place)]
        assert {(answer.status_code, answer["Content-Type"]) for answer in answers} == {
            (404, PROBLEM)
        }
    assert Subscription.objects.get() == theirs


def test_a_token_to_read_with_subscribes_to_nothing() -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)

    client = client_for(me.user, scopes=frozenset({Scope.READ}))

    assert client.put(address(me, bot), {"level": None}).status_code == 403
    assert client.delete(address(me, bot)).status_code == 403


def test_a_change_that_was_based_on_something_older_is_refused() -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)
    client = client_for(me.user)
    client.put(address(me, bot), {"level": None})
    seen = {"If-Match": client.get(address(me, bot))["ETag"]}

    changed = client.put(address(me, bot), {"level": "quiet"}, headers=seen)
    too_late = client.put(address(me, bot), {"level": "off"}, headers=seen)
    gone_too_late = client.delete(address(me, bot), headers=seen)

    assert [changed.status_code, too_late.status_code, gone_too_late.status_code] == [200, 412, 412]
    assert Subscription.objects.get().level == "quiet"


@pytest.mark.django_db(transaction=True)
def test_many_at_once_subscribe_once() -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)
    levels = ["quiet", "loud", "off", None] * 2

    statuses = at_once(
        8, lambda n: client_for(me.user).put(address(me, bot), {"level": levels[n]}).status_code
    )

    assert sorted(statuses) == [200] * 7 + [201]
    assert Subscription.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_changes_that_were_based_on_the_same_one_is_made() -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)
    client = client_for(me.user)
    client.put(address(me, bot), {"level": None})
    seen = {"If-Match": client.get(address(me, bot))["ETag"]}

    statuses = at_once(
        6,
        lambda n: (
            client_for(me.user)
            .put(address(me, bot), {"level": "loud" if n % 2 else "quiet"}, headers=seen)
            .status_code
        ),
    )

    assert sorted(statuses) == [200] + [412] * 5


def test_who_just_subscribes_hears_each_event_as_it_is() -> None:
    me = MembershipFactory.create()
    bot = BotFactory.create(organization=me.organization)

    answer = client_for(me.user).put(address(me, bot), {})

    assert (answer.status_code, answer.json()["level"]) == (201, None)
