"""Google's token endpoint: whose assertion is good for an access token."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.channels_app.sandbox.senders import Senders


def test_a_good_assertion_buys_a_token_of_an_hour(senders: Senders) -> None:
    answer = senders.send(senders.grant())
    assert answer.status == 200
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 3600)


def test_the_audience_that_google_auth_always_writes_is_taken(senders: Senders) -> None:
    grant = senders.grant(aud="https://oauth2.googleapis.com/token")
    assert senders.send(grant).status == 200


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"aud": "https://example.com/token"}, "invalid_grant"),
        ({"iss": "stranger@example.com"}, "invalid_grant"),
        ({"exp": int(time.time()) + 7200}, "invalid_grant"),
        ({"iat": int(time.time()) - 7200, "exp": int(time.time()) - 3601}, "invalid_grant"),
        ({"iat": int(time.time()) + 3600, "exp": int(time.time()) + 7000}, "invalid_grant"),
        ({"exp": None}, "invalid_grant"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "https://www.googleapis.com/auth/drive"}, "invalid_scope"),
    ],
)
def test_wrong_assertions_are_refused(
    senders: Senders, claims: Mapping[str, Any], error: str
) -> None:
    answer = senders.send(senders.grant(**claims))
    assert (answer.status, answer.json["error"]) == (400, error)


def test_another_key_is_refused(senders: Senders) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    answer = senders.send(senders.grant(key=key))
    assert answer.json == {
        "error": "invalid_grant",
        "error_description": "Invalid JWT Signature.",
    }


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
        (
            {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "x"},
            "invalid_grant",
        ),
    ],
)
def test_wrong_forms_are_refused(senders: Senders, form: dict[str, str], error: str) -> None:
    grant = senders.grant()
    grant.body = urlencode(form).encode()
    answer = senders.send(grant)
    assert (answer.status, answer.json["error"]) == (400, error)
