from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.test import Client

from channels_app.models import User
from tests.factories import UserFactory
from tests.pushbridge.api.app import App

pytestmark = pytest.mark.django_db
SIGN_IN = "/sign-in/"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def alice() -> User:
    user = UserFactory.create(username="alice")
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(client: Client, password: str = PASSWORD, **more: str) -> Any:
    return client.post(SIGN_IN, {"username": "alice", "password": password, **more})


def test_agents_sign_in_who_may_not_enter_the_admin(client: Client, alice: User) -> None:
    answer = sign_in(client, next="/oauth/authorize?client_id=phone")

    assert answer["Location"] == "/oauth/authorize?client_id=phone"
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_who_comes_without_an_address_is_told_that_they_are_signed_in(
    client: Client, alice: User
) -> None:
    answer = client.get(sign_in(client)["Location"])

    assert "You are signed in" in answer.content.decode()


def test_a_wrong_password_is_told_to_everyone_who_can_or_cannot_see(
    client: Client, alice: User
) -> None:
    page = sign_in(client, "wrong").content.decode()

    assert 'role="alert"' in page
    assert "<title>Error: Sign in" in page
    assert 'aria-describedby="fault"' in page
    assert "wrong" not in page


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_nobody_is_sent_elsewhere(client: Client, alice: User, address: str) -> None:
    assert sign_in(client, next=address)["Location"] == SIGN_IN


def test_who_guesses_is_locked_out_on_a_page_of_ours(client: Client, alice: User) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = sign_in(client, "wrong")

    assert answer.status_code == 429
    assert "Too many attempts" in answer.content.decode()
    assert sign_in(client).status_code == 429


def test_only_who_presses_the_button_is_signed_out(client: Client, alice: User) -> None:
    client.force_login(alice)

    assert client.get("/sign-out/").status_code == 405
    assert "_auth_user_id" in client.session
    client.post("/sign-out/")
    assert "_auth_user_id" not in client.session


def test_who_is_somebody_else_comes_back_after_signing_in(alice: User) -> None:
    app = App(alice)
    asked = "/oauth/authorize?client_id=phone&state=xyz"

    answer = app.browser.post("/sign-out/", {"next": asked})

    assert answer["Location"] == asked
    again = app.browser.get("/oauth/authorize", app.request())
    (back,) = parse_qs(urlsplit(again["Location"]).query)["next"]
    assert back.startswith("/oauth/authorize?response_type=code")


def test_no_page_can_be_framed_by_another(client: Client) -> None:
    assert client.get(SIGN_IN)["X-Frame-Options"] == "DENY"
