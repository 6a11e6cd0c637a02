"""The noise advisor's page."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from channels_app import policies
from channels_app.levels import Level
from channels_app.models import Membership, Organization, Receipt
from tests.channels_app.admin.worlds import operator, superuser
from tests.channels_app.advisor.weeks import NOW, STUCK, banner, happened, many
from tests.factories import (
    BotFactory,
    MembershipFactory,
    OrganizationFactory,
    TypePolicyFactory,
    UserFactory,
    WorkflowFactory,
)
from workflows.models import Workflow

pytestmark = pytest.mark.django_db
ADDRESS = reverse("admin:chatbot_organization_advisor")
TAKE = reverse("admin:chatbot_organization_take_advice")


@pytest.fixture(autouse=True)
def _monday() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def leads() -> Workflow:
    return WorkflowFactory.create(name="Lead enrichment", organization__name="Acme")


@pytest.fixture
def alice(leads: Workflow) -> Membership:
    return MembershipFactory.create(organization=leads.organization)


@pytest.fixture
def as_operator(client: Client, leads: Workflow) -> Client:
    client.force_login(operator(leads.organization))
    return client


def page(client: Client, **query: int) -> str:
    answer = client.get(ADDRESS, query)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def taken(client: Client, organization: Organization, type: str, level: str) -> int:
    data = {"organization": organization.pk, "type": type, "level": level}
    return client.post(TAKE, data).status_code


def test_it_shows_what_went_out_and_what_could_be_set(
    as_operator: Client, leads: Workflow, alice: Membership
) -> None:
    many(leads, alice, 80, Receipt.Kind.DISPLAYED)

    html = page(as_operator)

    assert "“Stuck” is rarely opened" in html
    assert "80 banners to 1 person, 0 % opened." in html
    assert "Quiet for everyone" in html
    assert "−80 sounds" in html
    assert f"{leads.organization.pk}/change/#id_type_{STUCK}" in html
    assert "2026-11-16 12:00:00" in html


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (None, "Nothing went out"),
        ((), "Nobody knows what was opened"),
        ((Receipt.Kind.DISPLAYED,), "Too little to judge"),
    ],
)
def test_it_says_why_it_has_nothing_to_say(
    as_operator: Client,
    leads: Workflow,
    alice: Membership,
    said: tuple[Receipt.Kind, ...] | None,
    words: str,
) -> None:
    if said is not None:
        banner(happened(leads), alice, *said)

    assert words in page(as_operator)


def test_customers_whom_nobody_came_to_are_no_noise(as_operator: Client, leads: Workflow) -> None:
    happened(BotFactory.create(organization=leads.organization), "conversation.human_requested")

    assert "1 of 1 calls for a human" in page(as_operator)


def test_a_call_that_nobody_opens_is_not_called_rarely_opened(
    as_operator: Client, leads: Workflow, alice: Membership
) -> None:
    bot = BotFactory.create(organization=leads.organization)
    many(bot, alice, 80, Receipt.Kind.DISPLAYED, type="conversation.human_requested")

    html = page(as_operator)

    assert "Not judged" in html
    assert "Rarely opened" not in html


def test_advice_about_one_type_of_several_sources_is_given_once(
    as_operator: Client, leads: Workflow, alice: Membership
) -> None:
    for name in ("KPI", "Invoices"):
        noisy = WorkflowFactory.create(organization=leads.organization, name=name)
        many(noisy, alice, 80, Receipt.Kind.DISPLAYED)
    many(leads, alice, 80, Receipt.Kind.OPENED)

    html = page(as_operator)

    assert html.count("“Stuck” of these is rarely opened") == 1
    assert "160 banners in all, 0 % opened." in html


def test_one_button_takes_the_advice_for_everyone(
    as_operator: Client, leads: Workflow, alice: Membership
) -> None:
    many(leads, alice, 80, Receipt.Kind.DISPLAYED)

    status = taken(as_operator, leads.organization, STUCK, "quiet")

    html = page(as_operator)
    assert status == 302
    assert policies.of(leads.organization.pk).levels == {STUCK: Level.QUIET}
    assert "“Stuck” is quiet now for everyone" in html
    assert "it was as by default (loud)" in html
    assert "No level to change" in html
    assert LogEntry.objects.get().object_id == str(leads.organization.pk)


def test_what_was_set_before_is_told_so_that_it_can_be_set_again(
    as_operator: Client, leads: Workflow
) -> None:
    TypePolicyFactory.create(organization=leads.organization, event_type=STUCK, level=Level.LOUD)

    taken(as_operator, leads.organization, STUCK, "quiet")

    assert "it was loud" in page(as_operator)


@pytest.mark.parametrize(
    ("type", "level"),
    [(STUCK, "loud"), (STUCK, "critical"), ("member.digest", "off"), ("nothing", "off"), ("", "")],
)
def test_only_what_can_be_advised_can_be_taken(
    as_operator: Client, leads: Workflow, type: str, level: str
) -> None:
    assert taken(as_operator, leads.organization, type, level) == 400
    assert policies.of(leads.organization.pk).levels == {}


def test_advice_is_not_taken_by_following_a_link(as_operator: Client, leads: Workflow) -> None:
    query = f"organization={leads.organization.pk}&type={STUCK}&level=off"

    assert as_operator.get(f"{TAKE}?{query}").status_code == 405


def test_another_organization_is_neither_shown_nor_changed(
    as_operator: Client, leads: Workflow
) -> None:
    zebra = WorkflowFactory.create(organization__name="Zebra", name="Zebra digest")
    banner(happened(zebra), MembershipFactory.create(organization=zebra.organization))

    assert "Zebra" not in page(as_operator)
    assert as_operator.get(ADDRESS, {"organization": zebra.organization.pk}).status_code == 404
    assert taken(as_operator, zebra.organization, STUCK, "off") == 404
    assert policies.of(zebra.organization.pk).levels == {}


def test_who_has_several_organizations_chooses(client: Client, leads: Workflow) -> None:
    beta = OrganizationFactory.create(name="Beta")
    client.force_login(operator(leads.organization, beta))

    assert "What Acme sent" in page(client)
    assert "What Beta sent" in page(client, organization=beta.pk)


def test_who_belongs_to_none_is_told_so(client: Client) -> None:
    client.force_login(operator())

    assert "You belong to no organization" in page(client)


@pytest.mark.parametrize(
    ("permissions", "status"),
    [
        ([], 403),
        (["view_notification"], 403),
        (["view_organization"], 403),
        (["view_notification", "view_organization"], 200),
    ],
)
def test_it_is_shown_to_who_may_see_notifications_and_settings(
    client: Client, leads: Workflow, permissions: list[str], status: int
) -> None:
    staff = UserFactory.create(is_staff=True)
    MembershipFactory.create(organization=leads.organization, user=staff)
    staff.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(staff)

    assert client.get(ADDRESS).status_code == status
    assert taken(client, leads.organization, STUCK, "off") in (403, 404)


def test_who_may_only_look_has_no_button(
    client: Client, leads: Workflow, alice: Membership
) -> None:
    many(leads, alice, 80, Receipt.Kind.DISPLAYED)
    staff = UserFactory.create(is_staff=True)
    MembershipFactory.create(organization=leads.organization, user=staff)
    seeing = ["view_notification", "view_organization"]
    staff.user_permissions.set(Permission.objects.filter(codename__in=seeing))
    client.force_login(staff)

    assert TAKE not in page(client)


def test_names_from_outside_are_never_taken_for_html(client: Client) -> None:
    workflow = WorkflowFactory.create(name="<script>alert(1)</script>")
    member = MembershipFactory.create(organization=workflow.organization)
    banner(happened(workflow), member)
    client.force_login(superuser())

    content = client.get(ADDRESS).content.decode()

    assert "&lt;script&gt;alert(1)" in content
    assert "<script>alert(1)" not in content
