from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
import time_machine
from pytest_django import Settings
from rest_framework.test import APIClient

from channels_app.models import User
from pushbridge.api import issuer_keys, openid
from tests.api import PROBLEM
from tests.factories import UserFactory
from tests.pushbridge.api.issuer import (
    AUDIENCE,
    DISCOVERY,
    KEYS,
    Issuer,
    ec_key,
    public,
    rsa_key,
    running,
)

pytestmark = pytest.mark.django_db
ME = "/api/v1/me/"


@pytest.fixture
def issuer(settings: Settings) -> Iterator[Issuer]:
    with running() as issuer:
        settings.OIDC_ISSUER = issuer.url
        settings.OIDC_AUDIENCE = AUDIENCE
        yield issuer


@pytest.fixture(autouse=True)
def alice() -> User:
    return UserFactory.create(username="alice")


def ask(token: str) -> Any:
    return APIClient().get(ME, headers={"Authorization": f"Bearer {token}"})


def later(seconds: float) -> time_machine.travel:
    """`with later(60):` the clock has gone on."""
    return time_machine.travel(time.time() + seconds, tick=True)


def test_the_issuers_person_comes_in(issuer: Issuer, alice: User) -> None:
    answer = ask(issuer.token())

    assert (answer.status_code, answer.json()["id"]) == (200, alice.pk)


def test_the_app_is_counted_by_its_id(issuer: Issuer) -> None:
    assert '"client"' in ask(issuer.token())["RateLimit"]


def test_keys_are_fetched_once_for_many_tokens(issuer: Issuer) -> None:
    for _ in range(5):
        ask(issuer.token())

    assert issuer.asked == {DISCOVERY: 1, KEYS: 1}


def test_where_the_keys_are_may_be_set(issuer: Issuer, settings: Settings) -> None:
    settings.OIDC_JWKS_URL = f"{issuer.url}{KEYS}"

    assert ask(issuer.token()).status_code == 200
    assert issuer.asked == {KEYS: 1}


def test_another_claim_may_be_the_username(issuer: Issuer, settings: Settings) -> None:
    settings.OIDC_USERNAME_CLAIM = "preferred_username"

    assert ask(issuer.token(sub="7", preferred_username="alice")).status_code == 200


def test_elliptic_keys_are_keys_too(issuer: Issuer) -> None:
    issuer.keys = [public(ec_key("two"), "two")]

    assert ask(issuer.token(key=ec_key("two"), kid="two", algorithm="ES256")).status_code == 200


def test_a_token_that_names_no_key_is_checked_by_the_only_one(issuer: Issuer) -> None:
    assert ask(issuer.token(kid=None)).status_code == 200


def test_a_clock_that_is_a_little_wrong_does_no_harm(issuer: Issuer) -> None:
    now = int(time.time())

    assert ask(issuer.token(iat=now + 20, nbf=now + 20)).status_code == 200
    assert ask(issuer.token(exp=now - 20)).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "somebody-else"},
        {"aud": ["somebody-else"]},
        {"aud": []},
        {"exp": 1},
        {"exp": "soon"},
        {"nbf": 4_000_000_000},
        {"iat": 4_000_000_000},
        {"without": "aud"},
        {"without": "exp"},
        {"without": "sub"},
        {"sub": ""},
        {"sub": "ali\0ce"},
        {"sub": "mallory"},
        {"sub": ["alice"]},
        {"sub": 7},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_us_or_not_now_is_refused(
    issuer: Issuer, claims: dict[str, Any]
) -> None:
    # PyJWT would not make a token whose subject is no text.
    odd_subject = claims.get("sub") if not isinstance(claims.get("sub", ""), str) else None
    token = _signed(issuer, sub=odd_subject) if odd_subject else issuer.token(**claims)

    answer = ask(token)

    assert (answer.status_code, answer["Content-Type"]) == (401, PROBLEM)
    assert 'error="invalid_token"' in answer["WWW-Authenticate"]


def _signed(issuer: Issuer, **claims: Any) -> str:
    """A token with claims that PyJWT would not write."""
    body = jwt.decode(issuer.token(), options={"verify_signature": False}) | claims
    return jwt.PyJWS().encode(json.dumps(body).encode(), rsa_key("one"), "RS256", {"kid": "one"})


def forged(issuer: Issuer, header: dict[str, Any], signature: bytes = b"") -> str:
    claims = issuer.token().split(".")[1]
    text = urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{text}.{claims}.{urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_who_signs_with_a_key_of_their_own_is_refused(issuer: Issuer) -> None:
    assert ask(issuer.token(key=rsa_key("mallory"))).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None", "kid": "one"},
        {"alg": "HS256", "kid": "one"},
        {"alg": "RS512", "kid": "one"},
        {"alg": "ES256", "kid": "one"},
        {"alg": ["RS256"], "kid": "one"},
        {"alg": None, "kid": "one"},
        {"kid": "one"},
        {"alg": "RS256", "kid": ["one"]},
        {"alg": "RS256", "kid": {}},
        {"alg": "RS256", "kid": "one", "crit": ["exp"]},
        {"alg": "RS256", "kid": "one"},
    ],
    ids=str,
)
def test_a_forged_token_is_refused(issuer: Issuer, header: dict[str, Any]) -> None:
    assert ask(forged(issuer, header, b"signed")).status_code == 401


def test_a_public_key_is_no_secret_to_sign_with(issuer: Issuer, settings: Settings) -> None:
    """Even where somebody set what `check` refuses."""
    settings.OIDC_ALGORITHMS = ["RS256", "HS256", "none"]
    secret = b"x" * 32
    encoded = urlsafe_b64encode(secret).decode().rstrip("=")
    issuer.keys = [{"kty": "oct", "kid": "one", "k": encoded}]

    token = issuer.token(key=secret, algorithm="HS256")

    assert ask(token).status_code == 401


def test_a_key_for_encryption_checks_no_signature(issuer: Issuer) -> None:
    issuer.keys = [public(rsa_key("one"), "one", use="enc")]

    assert ask(issuer.token()).status_code == 401


def test_a_key_is_used_for_its_own_algorithm_alone(issuer: Issuer, settings: Settings) -> None:
    settings.OIDC_ALGORITHMS = ["RS256", "RS512"]
    issuer.keys = [public(rsa_key("one"), "one", alg="RS512")]

    assert ask(issuer.token(algorithm="RS256")).status_code == 401
    assert ask(issuer.token(algorithm="RS512")).status_code == 200


def test_a_key_that_is_too_short_convinces_nobody(issuer: Issuer) -> None:
    issuer.keys = [public(rsa_key("short", 1024), "short")]

    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = issuer.token(key=rsa_key("short", 1024), kid="short")

    assert ask(token).status_code == 401


def test_inactive_people_are_refused(issuer: Issuer, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)

    assert ask(issuer.token()).status_code == 401


def test_a_new_key_is_found_when_a_token_first_names_it(issuer: Issuer) -> None:
    ask(issuer.token())
    issuer.keys.append(public(rsa_key("two"), "two"))

    with later(issuer_keys.PAUSE_SECONDS + 1):
        assert ask(issuer.token(key=rsa_key("two"), kid="two")).status_code == 200


def test_a_key_that_was_withdrawn_is_not_believed_for_long(issuer: Issuer) -> None:
    ask(issuer.token())
    issuer.keys = [public(rsa_key("two"), "two")]

    with later(issuer_keys.FRESH_SECONDS + 1):
        assert ask(issuer.token()).status_code == 401


def test_made_up_key_ids_do_not_flood_the_issuer(issuer: Issuer) -> None:
    tokens = [issuer.token(kid=f"made-up-{number}") for number in range(40)]
    keys = openid.keys_of(issuer.url, "")

    def refused(token: str) -> bool:
        try:
            keys.key(jwt.get_unverified_header(token)["kid"], "RS256")
        except issuer_keys.UnknownKey:
            return True
        return False

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(refused, tokens))

    assert issuer.asked == {DISCOVERY: 1, KEYS: 1}


def test_while_the_issuer_is_away_callers_are_asked_to_come_again(issuer: Issuer) -> None:
    token = issuer.token()
    issuer.answers[DISCOVERY] = (502, {}, b"")

    answers = [ask(token) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {503}
    assert 0 < int(answers[0]["Retry-After"]) <= issuer_keys.PAUSE_SECONDS
    assert issuer.asked == {DISCOVERY: 1}


def test_when_the_issuer_is_back_its_tokens_are_taken(issuer: Issuer) -> None:
    issuer.answers[KEYS] = (503, {}, b"")
    ask(issuer.token())
    del issuer.answers[KEYS]

    with later(issuer_keys.PAUSE_SECONDS + 1):
        assert ask(issuer.token()).status_code == 200


def test_keys_that_were_fetched_are_believed_while_the_issuer_is_away(issuer: Issuer) -> None:
    ask(issuer.token())
    issuer.answers[DISCOVERY] = (502, {}, b"")

    with later(issuer_keys.FRESH_SECONDS + 1):
        assert ask(issuer.token()).status_code == 200
    with later(issuer_keys.STALE_SECONDS + 1):
        assert ask(issuer.token()).status_code == 503


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (DISCOVERY, (302, {"Location": "/elsewhere"}, b"")),
        (DISCOVERY, (200, {}, b'{"issuer": "https://other.example", "jwks_uri": "x"}')),
        (DISCOVERY, (200, {}, b"[]")),
        (DISCOVERY, (200, {}, b"<html>")),
        (KEYS, (302, {"Location": "/elsewhere"}, b"")),
        (KEYS, (200, {}, b"{}")),
        (KEYS, (200, {}, b'{"keys": {}}')),
        (KEYS, (200, {}, b"x" * (issuer_keys.MAX_BYTES + 1))),
        (KEYS, (200, {}, b"\xff\xfe")),
    ],
    ids=str,
)
def test_an_issuer_that_answers_nonsense_is_away(
    issuer: Issuer, path: str, answer: tuple[int, dict[str, str], bytes]
) -> None:
    issuer.answers[path] = answer

    assert ask(issuer.token()).status_code == 503
    assert issuer.asked["/elsewhere"] == 0


def test_a_nobody_at_the_issuers_address_is_an_issuer_that_is_away(
    settings: Settings,
) -> None:
    with running() as issuer:
        token = issuer.token()
    settings.OIDC_ISSUER, settings.OIDC_AUDIENCE = issuer.url, AUDIENCE

    assert ask(token).status_code == 503


def test_an_issuer_that_is_slow_keeps_a_request_for_a_few_seconds_at_most(issuer: Issuer) -> None:
    issuer.delay = issuer_keys.TIMEOUT_SECONDS + 1
    started = time.monotonic()

    assert ask(issuer.token()).status_code == 503

    assert time.monotonic() - started < issuer_keys.TIMEOUT_SECONDS + 1


@pytest.mark.parametrize("jwks_uri", ["file:///etc/passwd", "https://127.0.0.1/keys", "keys", 7])
def test_keys_are_fetched_from_no_other_kind_of_place(issuer: Issuer, jwks_uri: object) -> None:
    document = json.dumps({"issuer": issuer.url, "jwks_uri": jwks_uri}).encode()
    issuer.answers[DISCOVERY] = (200, {}, document)

    assert ask(issuer.token()).status_code == 503


@pytest.mark.parametrize(
    "token",
    ["a.b.c", "..", "a.e30.c", "a.W10.c", "a.bnVsbA.c", "x", "a" * 20_000, "a." + "A" * 3 + ".c"],
    ids=lambda token: token[:10],
)
def test_what_is_no_token_of_the_issuer_is_looked_for_among_ours(
    issuer: Issuer, token: str
) -> None:
    assert ask(token).status_code == 401
    assert not issuer.asked


def test_tokens_of_other_issuers_are_refused(issuer: Issuer) -> None:
    assert ask(issuer.token(iss="https://other.example")).status_code == 401
    assert not issuer.asked


def test_without_an_issuer_no_jwt_is_taken(issuer: Issuer, settings: Settings) -> None:
    settings.OIDC_ISSUER = ""

    assert ask(issuer.token()).status_code == 401
