from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.conf import settings as configured
from django.db import connection
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, Grant, RefreshToken
from rest_framework.test import APIClient

from channels_app.models import User
from tests.factories import UserFactory
from tests.pushbridge.api.app import App, redirected, registered

pytestmark = pytest.mark.django_db
ME = "/api/v1/me/"


@pytest.fixture
def alice() -> User:
    return UserFactory.create(username="alice")


@pytest.fixture
def app(alice: User) -> App:
    return App(alice)


def me(access_token: str) -> Any:
    return APIClient().get(ME, headers={"Authorization": f"Bearer {access_token}"})


def after(seconds: float) -> time_machine.travel:
    return time_machine.travel(timezone.now().timestamp() + seconds, tick=True)


def test_an_app_signs_its_person_in(app: App) -> None:
    tokens = app.tokens()

    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 3600
    assert set(tokens["scope"].split()) == {"read", "write"}
    assert me(tokens["access_token"]).json()["username"] == "alice"


def test_the_answer_says_which_server_it_is_from(app: App) -> None:
    """RFC 9207."""
    answer = redirected(app.authorize())

    assert answer["iss"] == [configured.PUBLIC_URL]
    assert answer["state"] == ["xyz"]


def test_no_token_is_kept_that_could_be_used(app: App) -> None:
    tokens = app.tokens()

    with connection.cursor() as cursor:
        for model in (AccessToken, RefreshToken):
            cursor.execute(f"SELECT token::text FROM {model._meta.db_table}")
            assert cursor.fetchall() == [("",)]
    assert me(tokens["access_token"]).status_code == 200


def test_who_is_not_signed_in_is_asked_to(app: App) -> None:
    answer = Client().get("/oauth/authorize", app.request())

    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/?next=/oauth/authorize")


def test_the_consent_page_says_who_asks_for_what(app: App) -> None:
    page = app.browser.get("/oauth/authorize", app.request()).content.decode()

    assert "Pushbridge for phones" in page
    assert "alice" in page
    assert "Change them, register devices" in page


def test_who_agreed_once_is_asked_again(app: App) -> None:
    app.tokens()

    answer = app.browser.get("/oauth/authorize", app.request() | {"approval_prompt": "auto"})

    assert answer.status_code == 200


def test_who_does_not_agree_sends_the_app_away(app: App) -> None:
    answer = redirected(app.authorize(allow=False))

    assert answer["error"] == ["access_denied"]
    assert "code" not in answer


@pytest.mark.parametrize(
    "otherwise",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"redirect_uri": "pushbridge://elsewhere"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "pushbridge://oauth?more=1"},
        {"redirect_uri": "javascript:alert(1)"},
    ],
    ids=str,
)
def test_an_app_that_is_not_registered_is_told_on_the_page(
    app: App, otherwise: dict[str, str | None]
) -> None:
    answer = app.browser.get("/oauth/authorize", app.request(**otherwise))

    assert answer.status_code == 400
    assert "This app cannot be let in" in answer.content.decode()


@pytest.mark.parametrize(
    "otherwise",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"response_type": "token"},
        {"scope": "admin"},
    ],
    ids=str,
)
def test_a_request_that_is_not_safe_goes_back_to_the_app(
    app: App, otherwise: dict[str, Any]
) -> None:
    answer = redirected(app.authorize(**otherwise))

    assert answer["error"]
    assert "code" not in answer


def test_without_the_verifier_a_code_is_worth_nothing(app: App) -> None:
    answer = app.exchange(app.code(), code_verifier="x" * 50)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_code_is_used_once(app: App) -> None:
    code = app.code()
    app.exchange(code)

    assert app.exchange(code).status_code == 400


def test_a_code_is_good_for_a_minute(app: App) -> None:
    code = app.code()

    with after(61):
        assert app.exchange(code).status_code == 400


def test_another_app_cannot_use_a_code(app: App) -> None:
    other = registered(name="Other")

    assert app.exchange(app.code(), client_id=other.client_id).status_code == 400


def test_an_access_token_lasts_an_hour(app: App) -> None:
    token = app.tokens()["access_token"]

    with after(3601):
        answer = me(token)

    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer["WWW-Authenticate"]


def test_refreshing_gives_new_tokens_and_ends_the_old_ones(app: App) -> None:
    old = app.tokens()

    new = app.refresh(old["refresh_token"]).json()

    assert me(new["access_token"]).status_code == 200
    assert me(old["access_token"]).status_code == 401
    assert new["refresh_token"] != old["refresh_token"]


def test_a_phone_that_missed_the_answer_may_ask_again(app: App) -> None:
    old = app.tokens()
    missed = app.refresh(old["refresh_token"]).json()

    again = app.refresh(old["refresh_token"])

    assert again.status_code == 200
    tokens = again.json()
    assert me(tokens["access_token"]).status_code == 200
    assert app.refresh(tokens["refresh_token"]).status_code == 200
    assert me(missed["access_token"]).status_code == 401


def test_a_refresh_token_that_is_used_again_later_ends_all_that_came_of_it(app: App) -> None:
    stolen = app.tokens()["refresh_token"]
    new = app.refresh(stolen).json()

    with after(31):
        assert app.refresh(stolen).status_code == 400
        assert app.refresh(new["refresh_token"]).status_code == 400
        assert me(new["access_token"]).status_code == 401


def test_an_app_that_was_not_opened_for_long_starts_afresh(app: App) -> None:
    token = app.tokens()["refresh_token"]

    with after(91 * 86_400):
        assert app.refresh(token).status_code == 400


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_signing_out_ends_both_tokens(app: App, which: str) -> None:
    tokens = app.tokens()

    answer = app.browser.post(
        "/oauth/revoke", {"token": tokens[which], "client_id": app.application.client_id}
    )

    assert answer.status_code == 200
    assert me(tokens["access_token"]).status_code == 401
    assert app.refresh(tokens["refresh_token"]).status_code == 400


def test_an_inactive_person_is_refused(app: App, alice: User) -> None:
    tokens = app.tokens()
    User.objects.filter(pk=alice.pk).update(is_active=False)

    assert me(tokens["access_token"]).status_code == 401
    assert app.refresh(tokens["refresh_token"]).status_code == 400


def test_an_app_that_was_removed_is_refused(app: App) -> None:
    token = app.tokens()["access_token"]
    app.application.delete()

    assert me(token).status_code == 401


def test_a_token_for_another_resource_is_refused(app: App) -> None:
    token = app.tokens()["access_token"]
    AccessToken.objects.update(resource=["https://other.example/"])

    assert me(token).status_code == 401


def test_a_token_to_read_with_may_not_write(app: App) -> None:
    (code,) = redirected(app.authorize(scope="read"))["code"]
    token = app.exchange(code).json()["access_token"]
    client = APIClient(headers={"Authorization": f"Bearer {token}"})

    assert client.get(ME).status_code == 200
    assert client.patch(ME, {"locale": "de"}, format="json").status_code == 403


@pytest.mark.parametrize("grant_type", ["password", "client_credentials", "implicit", "", "x"])
def test_there_is_no_other_way_to_a_token(app: App, grant_type: str) -> None:
    answer = app.browser.post(
        "/oauth/token",
        {
            "grant_type": grant_type,
            "client_id": app.application.client_id,
            "username": "alice",
            "password": "secret",
        },
    )

    assert answer.status_code in (400, 401)
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/authorize"])
@pytest.mark.parametrize("field", ["client_id", "code", "refresh_token", "token", "redirect_uri"])
@pytest.mark.parametrize("value", ["\0", "\ud800".encode(errors="surrogatepass"), "x" * 10_000])
def test_nonsense_is_no_defect_of_ours(app: App, path: str, field: str, value: Any) -> None:
    body = {"grant_type": "refresh_token", "client_id": app.application.client_id, field: value}

    assert app.browser.post(path, body).status_code in (200, 400, 401)
    assert app.browser.get(path, body).status_code in (200, 302, 400, 405)


def test_a_token_takes_one_query_to_check(app: App, django_assert_num_queries: Any) -> None:
    token = app.tokens()["access_token"]

    # The other one asks for memberships.
    with django_assert_num_queries(2):
        me(token)


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer \N{SNOWMAN}", "Bearer a b", "Bearer " + "x" * 20_000]
)
def test_what_is_no_token_is_refused(header: str) -> None:
    answer = APIClient().get(ME, HTTP_AUTHORIZATION=header)

    assert answer.status_code == 401


def test_other_schemes_are_not_looked_at(alice: User) -> None:
    client = APIClient()
    client.force_login(alice)

    assert client.get(ME, headers={"Authorization": "Basic YTpi"}).status_code == 200


def test_apps_find_everything_by_the_address_alone() -> None:
    """RFC 8414 and RFC 9728."""
    refused = APIClient().get(ME)
    resource = Client().get("/.well-known/oauth-protected-resource").json()
    server = Client().get("/.well-known/oauth-authorization-server").json()

    url = configured.PUBLIC_URL
    assert (
        f'resource_metadata="{url}/.well-known/oauth-protected-resource"'
        in (refused["WWW-Authenticate"])
    )
    assert resource["resource"] == f"{url}/api/"
    assert resource["authorization_servers"] == [url]
    assert server == {
        "issuer": url,
        "authorization_endpoint": f"{url}/oauth/authorize",
        "token_endpoint": f"{url}/oauth/token",
        "revocation_endpoint": f"{url}/oauth/revoke",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": ["read", "write"],
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": False,
    }


@pytest.mark.parametrize(
    "uri", ["pushbridge://oauth", "pushbridge:/oauth", "https://app.example.com/oauth"]
)
def test_an_app_may_be_reached_by_its_scheme_or_a_universal_link(uri: str) -> None:
    registered(redirect_uris=uri).full_clean(exclude=["client_secret"])


def test_a_used_code_is_gone(app: App) -> None:
    app.tokens()

    assert not Grant.objects.exists()
    assert Application.objects.count() == 1
