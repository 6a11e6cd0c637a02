"""Apps are registered without a secret, and people are signed out of them by deleting a sign-in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, RefreshToken

from tests.channels_app.admin.worlds import superuser
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
ADD = reverse("admin:oauth2_provider_application_add")


@pytest.fixture
def as_superuser(client: Client) -> Client:
    client.force_login(superuser())
    return client


def test_an_app_is_registered_by_its_name_and_its_addresses(as_superuser: Client) -> None:
    as_superuser.post(ADD, {"name": "Phones", "redirect_uris": "pushbridge://oauth"})

    app = Application.objects.get()
    assert app.client_type == Application.CLIENT_PUBLIC
    assert app.authorization_grant_type == Application.GRANT_AUTHORIZATION_CODE
    assert (app.client_secret, app.skip_authorization) == ("", False)


def test_developers_are_given_its_client_id(as_superuser: Client) -> None:
    as_superuser.post(ADD, {"name": "Phones", "redirect_uris": "pushbridge://oauth"})
    app = Application.objects.get()

    page = as_superuser.get(reverse("admin:oauth2_provider_application_change", args=[app.pk]))

    assert app.client_id in page.content.decode()


@pytest.mark.parametrize(
    "addresses", ["", "http://app.example.com/", "javascript:alert(1)", "other://oauth", "oauth"]
)
def test_an_address_that_is_not_safe_is_refused(as_superuser: Client, addresses: str) -> None:
    answer = as_superuser.post(ADD, {"name": "Phones", "redirect_uris": addresses})

    assert "redirect_uris" in answer.context["adminform"].form.errors
    assert not Application.objects.exists()


@pytest.mark.parametrize("by", ["page", "list"])
def test_to_delete_a_sign_in_is_to_sign_out(as_superuser: Client, by: str) -> None:
    app = Application.objects.create(name="Phones", hash_client_secret=False)
    alice = UserFactory.create()
    access = AccessToken.objects.create(
        user=alice, application=app, token="a", expires=timezone.now() + timedelta(hours=1)
    )
    token = RefreshToken.objects.create(user=alice, application=app, token="r", access_token=access)

    if by == "page":
        page = reverse("admin:oauth2_provider_refreshtoken_delete", args=[token.pk])
        as_superuser.post(page, {"post": "yes"})
    else:
        as_superuser.post(
            reverse("admin:oauth2_provider_refreshtoken_changelist"),
            {"action": "delete_selected", "_selected_action": [token.pk], "post": "yes"},
        )

    token.refresh_from_db()
    assert token.revoked is not None
    assert not AccessToken.objects.exists()
