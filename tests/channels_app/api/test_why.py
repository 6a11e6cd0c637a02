from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.utils import timezone
from rest_framework.test import APIClient

from channels_app import why
from channels_app.models import Bot, Event, Membership, User
from tests.api import PROBLEM, client_for, pointers
from tests.channels_app.why.stories import ASKED, LINKED, alice, bot_x, happened
from tests.factories import (
    InstallationFactory,
    MembershipFactory,
    PreferenceFactory,
    QuietWindowFactory,
    SnoozeFactory,
    SubscriptionFactory,
    UserFactory,
    WorkflowFactory,
)
from tests.queries import executed

pytestmark = pytest.mark.django_db
WHY = "/api/v1/acme/why/"
REHEARSAL = "/api/v1/acme/why/rehearsal/"


@pytest.fixture
def bot() -> Bot:
    return bot_x()


@pytest.fixture
def member(bot: Bot) -> Membership:
    return alice(bot)


@pytest.fixture
def app(member: Membership) -> APIClient:
    return client_for(member.user)


def operator(bot: Bot) -> User:
    user = UserFactory.create(username="olga", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_notification"))
    MembershipFactory.create(organization=bot.organization, user=user)
    return user


def test_a_member_is_told_why_with_the_setting_and_where_it_is(
    bot: Bot, member: Membership, app: APIClient
) -> None:
    SnoozeFactory.create(membership=member, until=timezone.now() + timedelta(days=400))
    event = happened(bot, routed_at=timezone.now())

    answer = app.get(WHY, {"event": event.pk})

    assert answer.status_code == 200
    told = answer.json()
    assert told["sentence"].startswith("You were not told ")
    assert (told["outcome"], told["event"], told["user"]) == ("snoozed", event.pk, "alice")
    assert told["setting"]["api"] == "/api/v1/acme/snoozes/"
    assert told["setting"]["admin"] is None
    assert [rung["answered"] for rung in told["ladder"]].count("decided") == 1
    assert told["held"]["released_at"] is None


def test_what_became_of_a_push_on_each_device_is_told(bot: Bot, app: APIClient) -> None:
    event = happened(bot)

    (device,) = app.get(WHY, {"event": event.pk}).json()["devices"]

    assert (device["name"], device["state"]) == ("Alice's iPhone", "pending")


def test_what_would_be_decided_now_is_told_where_it_is_something_else(
    bot: Bot, member: Membership, app: APIClient
) -> None:
    event = happened(bot)
    PreferenceFactory.create(membership=member, event_type=LINKED)

    told = app.get(WHY, {"event": event.pk}).json()

    assert (told["outcome"], told["now"]["outcome"]) == ("pushed", "type_off")
    assert told["now"]["setting"]["name"] == "type_level"


def test_it_is_told_in_the_persons_language(bot: Bot, member: Membership) -> None:
    QuietWindowFactory.create(membership=member)
    User.objects.filter(pk=member.user_id).update(locale="de")
    event = happened(bot)

    told = client_for(User.objects.get(pk=member.user_id)).get(WHY, {"event": event.pk}).json()

    assert "Ruhezeit geht bis" in told["sentence"]
    assert told["setting"]["words"] == "die Ruhezeiten"


def test_a_member_may_not_ask_about_others(bot: Bot, app: APIClient) -> None:
    other = MembershipFactory.create(organization=bot.organization)
    event = happened(bot)

    asked = app.get(WHY, {"event": str(event.pk), "user": other.user.username})
    imagined = app.post(REHEARSAL, {"type": LINKED, "source": "bot_x", "user": other.user.username})

    assert (asked.status_code, imagined.status_code) == (403, 403)
    assert asked["Content-Type"] == PROBLEM


def test_staff_without_the_permission_may_not_ask_about_others(
    bot: Bot, member: Membership
) -> None:
    staff = MembershipFactory.create(
        organization=bot.organization, user=UserFactory.create(is_staff=True)
    )
    event = happened(bot)

    answer = client_for(staff.user).get(WHY, {"event": str(event.pk), "user": "alice"})

    assert answer.status_code == 403


def test_an_operator_may_and_is_led_to_the_admin(bot: Bot, member: Membership) -> None:
    QuietWindowFactory.create(membership=member)
    event = happened(bot)

    told = client_for(operator(bot)).get(WHY, {"event": str(event.pk), "user": "alice"}).json()

    assert told["sentence"].startswith("Alice was not told ")
    assert told["setting"]["admin"].startswith(f"/admin/chatbot/membership/{member.pk}/change/#")


def test_an_operator_learns_nothing_of_other_organizations(bot: Bot) -> None:
    stranger = MembershipFactory.create()
    client = client_for(operator(bot))
    event = happened(bot)

    answer = client.get(WHY, {"event": str(event.pk), "user": stranger.user.username})
    foreign = client.get(WHY, {"event": happened(_other_bot()).pk})

    assert (answer.status_code, foreign.status_code) == (400, 404)
    assert answer.json()["errors"][0]["parameter"] == "user"


def _other_bot() -> Bot:
    return SubscriptionFactory.create().source.bot


def test_an_outsider_finds_nothing(bot: Bot) -> None:
    event = happened(bot)
    client = client_for(MembershipFactory.create().user)

    assert client.get(WHY, {"event": event.pk}).status_code == 404
    assert client.post(REHEARSAL, {"type": LINKED, "source": "bot_x"}).status_code == 404


@pytest.mark.parametrize("event", ["", "x", "-1", "²", "9" * 30, "1.5"])
def test_what_is_no_number_of_an_event_is_refused(app: APIClient, event: str) -> None:
    answer = app.get(WHY, {"event": event})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "event"


def test_an_event_that_is_not_there_is_not_found(app: APIClient) -> None:
    assert app.get(WHY, {"event": 10**17}).status_code == 404


def test_another_members_digest_is_not_shown(bot: Bot, app: APIClient) -> None:
    digest = Event.objects.create(
        organization=bot.organization,
        webhook_id="digest-1",
        type="member.digest",
        state="routed",
        payload={"type": "member.digest", "data": {"count": 1, "items": [{"title": "Secret"}]}},
        facts={"membership": 0},
        occurred_at=timezone.now(),
        received_at=timezone.now(),
        route_at=timezone.now(),
    )

    answer = app.get(WHY, {"event": digest.pk})

    assert answer.json()["outcome"] == "not_a_candidate"
    assert "Secret" not in answer.content.decode()


def test_an_imagined_event_is_judged_by_the_settings_as_they_are(
    member: Membership, app: APIClient
) -> None:
    QuietWindowFactory.create(membership=member)
    body = {"type": LINKED, "source": "bot_x", "at": _tonight()}

    answer = app.post(REHEARSAL, body)

    assert answer.status_code == 200
    told = answer.json()
    assert (told["outcome"], told["imagined"], told["event"]) == ("held", True, None)
    assert told["sentence"].startswith("You would not be told ")
    assert told["data"]["tool"]["id"] == "rehearsal"


def _tonight() -> str:
    return f"{timezone.now() + timedelta(days=1):%Y-%m-%d}T03:00:00+01:00"


def test_an_operator_rehearses_for_others(bot: Bot, member: Membership) -> None:
    told = client_for(operator(bot)).post(
        REHEARSAL, {"type": ASKED, "source": "bot_x", "user": "alice"}
    )

    assert (told.json()["user"], told.json()["outcome"]) == ("alice", "pushed")


def test_a_workflow_is_found_by_its_id_too(member: Membership, app: APIClient) -> None:
    workflow = WorkflowFactory.create(organization=member.organization, external_id="wf_kpi")
    SubscriptionFactory.create(membership=member, source=workflow)
    body = {"type": "workflow.run_finished", "source": "wf_kpi", "data": {"status": "failure"}}

    assert app.post(REHEARSAL, body).json()["level"] == "loud"


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, {"/type", "/source"}),
        ({"type": "bot.renamed", "source": "bot_x"}, {"/type"}),
        ({"type": "conversation.message", "source": "bot_x"}, {"/type"}),
        ({"type": LINKED, "source": "bot_y"}, {"/source"}),
        ({"type": "workflow.run_started", "source": "bot_x"}, {"/source"}),
        ({"type": LINKED, "source": "bot_x", "at": "yesterday"}, {"/at"}),
        ({"type": LINKED, "source": "bot_x", "at": "9999-12-31T23:59:59Z"}, {"/at"}),
        ({"type": LINKED, "source": "bot_x", "data": {"tool": 7}}, {"/data/tool"}),
        ({"type": LINKED, "source": "bot_x", "data": []}, {"/data"}),
        ({"type": LINKED, "source": "bot_x", "user": "\x00"}, {"/user"}),
        ({"type": LINKED, "source": "bot_x", "who": "alice"}, {"/who"}),
    ],
)
def test_what_cannot_be_imagined_is_named(
    app: APIClient, body: dict[str, Any], places: set[str]
) -> None:
    answer = app.post(REHEARSAL, body)

    assert answer.status_code == 400
    assert pointers(answer) == places


@pytest.mark.parametrize("type", why.TOLD)
def test_every_address_of_a_setting_is_one_of_the_api(bot: Bot, type: str) -> None:
    """Whichever setting it is that decides."""
    member = alice(bot)
    workflow = WorkflowFactory.create(organization=bot.organization, external_id="a/b c")
    source = workflow if type.startswith("workflow.") else bot
    addresses = set()
    for arrange in (
        lambda: None,
        lambda: SubscriptionFactory.create(membership=member, source=workflow),
        lambda: PreferenceFactory.create(membership=member, event_type=type, source=source),
    ):
        arrange()
        answer = why.rehearse(
            membership=member, source=source, type=type, at=timezone.now(), now=timezone.now()
        )
        if answer.place and answer.place.api:
            addresses.add(answer.place.api)

    assert addresses
    assert all(resolve(address) for address in addresses)


def test_many_devices_and_members_take_as_many_queries_as_one(
    bot: Bot, member: Membership, app: APIClient
) -> None:
    event = happened(bot)
    for_one = _queries(app, event)
    InstallationFactory.create_batch(20, user=member.user)
    for _ in range(20):
        SubscriptionFactory.create(
            membership=MembershipFactory.create(organization=bot.organization), source=bot
        )

    assert _queries(app, happened(bot)) == for_one <= 16


def _queries(app: APIClient, event: Event) -> int:
    app.get(WHY, {"event": event.pk})
    with CaptureQueriesContext(connection) as captured:
        assert app.get(WHY, {"event": event.pk}).status_code == 200
    return executed(captured)
