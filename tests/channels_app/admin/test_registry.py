"""What holds for every page of the admin, whichever model it shows."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from channels_app.models import Attempt, Delivery, Event, Membership, Notification, Organization
from tests.channels_app.admin.worlds import World, operator, superuser, world
from tests.factories import (
    BotFactory,
    ConnectionFactory,
    MembershipFactory,
    OrganizationFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
# Concern all organizations at once.
FOR_SUPERUSERS = {"axes", "oauth2_provider"}
SHARED = [model for model in MODELS if model._meta.app_label not in FOR_SUPERUSERS]
OURS = {"chatbot", "claims", "workflows"}
UNTOUCHABLE = (Event, Notification, Delivery, Attempt)


def named(model: type[Model]) -> str:
    return str(model._meta.label)


def address(view: str, model: type[Model], *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


@pytest.fixture
def acme() -> Organization:
    return OrganizationFactory.create(name="Acme", slug="acme")


@pytest.fixture
def ours(acme: Organization) -> World:
    return world(acme, called="acme")


@pytest.fixture
def theirs() -> World:
    return world(OrganizationFactory.create(name="Zebra", slug="zebra"), called="zebra")


@pytest.fixture
def as_operator(client: Client, acme: Organization) -> Client:
    client.force_login(operator(acme))
    return client


@pytest.fixture
def as_superuser(client: Client) -> Client:
    client.force_login(superuser())
    return client


@pytest.mark.parametrize("model", MODELS, ids=named)
def test_every_list_and_every_page_opens(
    as_superuser: Client, ours: World, model: type[Model]
) -> None:
    row = ours[model]
    assert as_superuser.get(address("changelist", model)).status_code == 200
    page = as_superuser.get(address("change", model, row.pk), follow=True)
    assert page.status_code == 200
    assert page.redirect_chain == [] or model._meta.label == "chatbot.Source"
    assert as_superuser.get(address("history", model, row.pk)).status_code == 200


@pytest.mark.parametrize("model", SHARED, ids=named)
def test_an_operator_sees_the_rows_of_their_own_organization(
    as_operator: Client, ours: World, model: type[Model]
) -> None:
    listed = as_operator.get(address("changelist", model)).context["cl"].queryset
    assert ours[model].pk in {row.pk for row in listed}
    page = as_operator.get(address("change", model, ours[model].pk), follow=True)
    assert page.status_code == 200
    assert page.context["original"].pk == ours[model].pk


@pytest.mark.parametrize("model", MODELS, ids=named)
def test_an_operator_never_sees_rows_of_another_organization(
    as_operator: Client, theirs: World, model: type[Model]
) -> None:
    row = theirs[model]
    listing = as_operator.get(address("changelist", model))
    if listing.status_code == 200:
        assert row.pk not in {other.pk for other in listing.context["cl"].queryset}
    else:
        assert listing.status_code == 403
    for view in ("change", "delete", "history"):
        assert as_operator.get(address(view, model, row.pk)).status_code in (302, 403, 404)


@pytest.mark.parametrize("model", SHARED, ids=named)
def test_no_page_names_what_belongs_to_another_organization(
    client: Client, acme: Organization, model: type[Model]
) -> None:
    """Not in filters, choices, inlines or links, even of a person who belongs to both."""
    person = UserFactory.create(username="both")
    ours = world(acme, person=person, called="acme")
    zebra = OrganizationFactory.create(name="Zebra", slug="zebra")
    MembershipFactory.create(organization=zebra)
    theirs = world(zebra, called="zebra")
    membership = MembershipFactory.create(organization=zebra, user=person, external_id="zebra-1")
    notification = theirs[Notification]
    Notification.objects.filter(pk=notification.pk).update(membership=membership)
    Delivery.objects.filter(notification=notification.pk).update(
        installation=ours[next(m for m in MODELS if named(m) == "chatbot.Installation")].pk
    )
    client.force_login(operator(acme))
    for url in (address("changelist", model), address("change", model, ours[model].pk)):
        assert "zebra" not in client.get(url, follow=True).content.decode().lower(), url


@pytest.mark.parametrize("model", SHARED, ids=named)
def test_who_left_an_organization_sees_nothing_of_it(
    client: Client, acme: Organization, ours: World, model: type[Model]
) -> None:
    left = operator(acme)
    Membership.objects.filter(user=left).update(active=False)
    client.force_login(left)
    assert list(client.get(address("changelist", model)).context["cl"].queryset) == []


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (model, field)
        for model, model_admin in admin.site._registry.items()
        for field in model_admin.autocomplete_fields
    ],
)
def test_choices_are_offered_from_the_own_organization_only(
    as_operator: Client, theirs: World, model: type[Model], field: str
) -> None:
    answer = as_operator.get(
        reverse("admin:autocomplete"),
        {
            "app_label": model._meta.app_label,
            "model_name": str(model._meta.model_name),
            "field_name": field,
        },
    )
    assert answer.status_code == 200
    target = model._meta.get_field(field).related_model
    assert isinstance(target, type)
    assert str(theirs[target].pk) not in {row["id"] for row in answer.json()["results"]}


def test_a_row_cannot_be_made_in_another_organization(as_operator: Client, theirs: World) -> None:
    zebra = theirs[Organization]
    connection_model = type(ConnectionFactory.create())
    answer = as_operator.post(
        address("add", connection_model), {"organization": zebra.pk, "name": "mine"}
    )
    assert answer.status_code == 200
    assert "organization" in answer.context["adminform"].form.errors


@pytest.mark.parametrize("called", ["operator", "superuser"])
def test_a_member_cannot_be_subscribed_to_a_bot_of_another_organization(
    client: Client, acme: Organization, called: str
) -> None:
    user = operator(acme) if called == "operator" else superuser()
    client.force_login(user)
    membership = MembershipFactory.create(organization=acme)
    answer = client.post(
        address("change", Membership, membership.pk),
        {
            "external_id": "p1",
            "active": "on",
            "subscriptions-TOTAL_FORMS": "1",
            "subscriptions-INITIAL_FORMS": "0",
            "subscriptions-0-source": str(BotFactory.create().pk),
            **{
                f"{inline}-{what}_FORMS": "0"
                for inline in ("preferences", "channel_preferences", "quiet_windows", "snoozes")
                for what in ("TOTAL", "INITIAL")
            },
        },
    )
    assert answer.status_code == 200
    assert not membership.subscriptions.exists()


@pytest.mark.parametrize("model", UNTOUCHABLE, ids=named)
def test_what_was_done_cannot_be_changed_even_by_a_superuser(
    as_superuser: Client, ours: World, model: type[Model]
) -> None:
    page = address("change", model, ours[model].pk)
    before = model._default_manager.filter(pk=ours[model].pk).values().get()
    assert as_superuser.get(address("add", model)).status_code == 403
    assert as_superuser.post(page, {"state": "failed", "outcome": "moot"}).status_code == 403
    assert as_superuser.post(address("delete", model, ours[model].pk)).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": [str(ours[model].pk)], "post": "yes"}
    as_superuser.post(address("changelist", model), bulk)
    assert model._default_manager.filter(pk=ours[model].pk).values().get() == before
    assert b'name="_save"' not in as_superuser.get(page).content


def test_a_list_takes_as_many_queries_for_fifty_rows_as_for_one(as_superuser: Client) -> None:
    world(OrganizationFactory.create())
    # The first request of a process also fills caches (content types, the session).
    as_superuser.get(reverse("admin:index"))
    for_one = {model: queries(as_superuser, address("changelist", model)) for model in MODELS}
    for _ in range(49):
        world(OrganizationFactory.create())
    for_fifty = {model: queries(as_superuser, address("changelist", model)) for model in MODELS}
    more = {named(m): (for_one[m], for_fifty[m]) for m in MODELS if for_fifty[m] > for_one[m]}
    assert more == {}
    assert max(for_fifty.values()) <= 8


def test_the_first_page_takes_as_many_queries_for_fifty_organizations_as_for_one(
    as_superuser: Client,
) -> None:
    world(OrganizationFactory.create())
    for_one = queries(as_superuser, reverse("admin:index"))
    for _ in range(9):
        world(OrganizationFactory.create())
    assert queries(as_superuser, reverse("admin:index")) == for_one


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_every_model_of_ours_is_there() -> None:
    """Those without a page of their own are on the page of what they belong to."""
    within = {
        "Baseline",
        "BotGroupPermission",
        "BotUserPermission",
        "ChannelPolicy",
        "ChannelPreference",
        "Preference",
        "QuietWindow",
        "Receipt",
        "Snooze",
        "Step",
        "Subscription",
        "TypePolicy",
        "Wave",
    }
    missing = {
        model.__name__
        for label in OURS
        for model in apps.get_app_config(label).get_models()
        if model not in admin.site._registry and model.__name__ not in within
    }
    assert missing == set()
