"""Text from outside is shown as text, never interpreted as HTML."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from channels_app.models import Bot, Connection, Event, Membership, Organization, Role, User
from claims.models import Conversation
from tests.channels_app.admin.worlds import World, superuser, world
from tests.factories import OrganizationFactory
from workflows.models import Run, Workflow

pytestmark = pytest.mark.django_db

EVIL = "</pre></title><script>alert(1)</script><img src=x onerror=alert(2)>\"'"
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.fixture
def evil() -> World:
    """An organization in which everything that has a name is called `EVIL`."""
    organization = OrganizationFactory.create(name=EVIL)
    rows = world(organization, called=EVIL)
    User.objects.filter(pk=rows[User].pk).update(first_name=EVIL, email=EVIL, username=EVIL)
    Membership.objects.filter(pk=rows[Membership].pk).update(external_id=EVIL)
    Event.objects.filter(pk=rows[Event].pk).update(
        payload={EVIL: EVIL},
        facts={EVIL: EVIL},
        webhook_id=EVIL,
        type=EVIL,
        route_error=EVIL,
        state=Event.State.QUARANTINED,
    )
    return rows


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model._meta.label))
def test_a_name_full_of_html_stays_text(client: Client, evil: World, model: type[Model]) -> None:
    client.force_login(superuser())
    base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    for url in (reverse(f"{base}_changelist"), reverse(f"{base}_change", args=[evil[model].pk])):
        html = client.get(url, follow=True).content.decode()
        assert "<script>alert" not in html, url
        assert "<img src=x" not in html, url


NAMED = (Organization, Role, Bot, Workflow, Connection, Conversation, Run, Event)


@pytest.mark.parametrize("model", NAMED, ids=lambda model: model.__name__)
def test_the_text_is_there_all_the_same(client: Client, evil: World, model: type[Model]) -> None:
    client.force_login(superuser())
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in client.get(url).content.decode()
