"""The first page: the figures of the reader's own organizations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from channels_app.admin.dashboard import figures
from channels_app.models import Attempt, Delivery, Event, Organization
from tests.channels_app.admin.worlds import operator, superuser
from tests.factories import (
    AttemptFactory,
    ConnectionFactory,
    DeliveryFactory,
    EventFactory,
    InstallationFactory,
    MembershipFactory,
    OrganizationFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def event(*, ago: timedelta = timedelta(hours=1), **more: object) -> Event:
    return EventFactory.create(received_at=NOW - ago, **more)


def accepted(*, seconds: float, ago: timedelta = timedelta(hours=1)) -> Delivery:
    received = event(ago=ago)
    return DeliveryFactory.create(
        notification__event=received,
        accepted=True,
        settled_at=received.received_at + timedelta(seconds=seconds),
    )


def test_only_the_last_24_hours_count() -> None:
    accepted(seconds=1)
    accepted(seconds=9, ago=timedelta(hours=25))
    shown = figures(Organization.objects.all(), now=NOW)
    assert (shown.received, shown.accepted) == (1, 1)


def test_the_median_is_taken_from_the_webhook_to_the_acceptance() -> None:
    for seconds in (1, 2, 60):
        accepted(seconds=seconds)
    assert figures(Organization.objects.all(), now=NOW).median == timedelta(seconds=2)


def test_nothing_measured_is_not_zero() -> None:
    shown = figures(Organization.objects.all(), now=NOW)
    assert shown.median is None
    assert shown.waiting == {"escalation": None, "default": None}


def test_the_oldest_thing_of_each_lane_is_named_be_it_event_or_delivery() -> None:
    event(ago=timedelta(seconds=5), lane="escalation")
    DeliveryFactory.create(
        notification__event=event(lane="escalation", state=Event.State.ROUTED),
        due_at=NOW - timedelta(seconds=40),
    )
    DeliveryFactory.create(
        notification__event=event(lane="default", state=Event.State.ROUTED),
        due_at=NOW + timedelta(seconds=40),
    )
    waiting = figures(Organization.objects.all(), now=NOW).waiting
    assert waiting == {"escalation": timedelta(seconds=40), "default": None}


def test_broken_credentials_are_those_of_the_last_hour() -> None:
    for minutes in (10, 90):
        sent = NOW - timedelta(minutes=minutes)
        AttemptFactory.create(
            delivery__notification__event=event(ago=timedelta(hours=2)),
            verdict=Attempt.Verdict.CREDENTIALS,
            sent_at=sent,
        )
    assert figures(Organization.objects.all(), now=NOW).broken_credentials == 1


def test_a_quarantined_event_is_counted_however_old_it_is() -> None:
    event(ago=timedelta(days=40), state=Event.State.QUARANTINED)
    assert figures(Organization.objects.all(), now=NOW).quarantined == 1


def test_dead_and_living_devices_are_counted() -> None:
    member = MembershipFactory.create()
    InstallationFactory.create(user=member.user, dead_since=NOW)
    InstallationFactory.create(user=member.user)
    shown = figures(Organization.objects.all(), now=NOW)
    assert (shown.dead_devices, shown.living_devices) == (1, 1)


def test_the_figures_of_other_organizations_stay_theirs() -> None:
    accepted(seconds=1)
    event(state=Event.State.QUARANTINED)
    InstallationFactory.create(user=MembershipFactory.create().user, dead_since=NOW)
    own = OrganizationFactory.create()
    shown = figures(Organization.objects.filter(pk=own.pk), now=NOW)
    assert (shown.received, shown.accepted, shown.quarantined) == (0, 0, 0)
    assert (shown.dead_devices, shown.living_devices) == (0, 0)


def test_an_empty_system_says_what_to_do_first(client: Client) -> None:
    client.force_login(superuser())
    steps = client.get(reverse("admin:index")).context["first_steps"]
    assert [step.done for step in steps] == [False] * 5


def test_what_is_done_already_is_ticked(client: Client) -> None:
    connection = ConnectionFactory.create()
    client.force_login(operator(connection.organization))
    steps = client.get(reverse("admin:index")).context["first_steps"]
    assert [step.done for step in steps] == [True, True, True, False, False]


def test_who_may_not_see_events_sees_no_figures(client: Client) -> None:
    staff = UserFactory.create(is_staff=True)
    client.force_login(staff)
    answer = client.get(reverse("admin:index"))
    assert "figures" not in answer.context
    assert answer.status_code == 200


def test_the_sidebar_shows_what_one_may_open(client: Client) -> None:
    staff = UserFactory.create(is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_event"))
    client.force_login(staff)
    groups = client.get(reverse("admin:index")).context["sidebar_navigation"]
    titles = [item["title"] for group in groups for item in group["items"]]
    assert titles == ["Overview", "Events"]


def test_everything_in_the_sidebar_opens(client: Client) -> None:
    client.force_login(superuser())
    groups = client.get(reverse("admin:index")).context["sidebar_navigation"]
    links = [item["link"] for group in groups for item in group["items"]]
    assert len(links) == len(set(links)) > 15
    assert {client.get(link).status_code for link in links} == {200}
