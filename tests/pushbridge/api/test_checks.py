from __future__ import annotations

import pytest
from oauth2_provider.checks import validate_bcp_configuration
from pytest_django import Settings

from pushbridge.api import checks

ISSUER = "https://login.example.com/"


def found(settings: Settings, **values: object) -> list[str | None]:
    """The ids of what is wrong with an issuer that is as it should be, but for these."""
    usual = {"OIDC_ISSUER": ISSUER, "OIDC_AUDIENCE": "pushbridge"}
    for name, value in (usual | values).items():
        setattr(settings, name, value)
    return [message.id for message in checks.issuer(None)]


def test_an_issuer_with_an_audience_is_right(settings: Settings) -> None:
    assert found(settings) == []


def test_without_an_issuer_there_is_nothing_to_check(settings: Settings) -> None:
    assert found(settings, OIDC_ISSUER="", OIDC_AUDIENCE="") == []


def test_an_issuer_without_an_audience_would_let_everybody_in(settings: Settings) -> None:
    assert found(settings, OIDC_AUDIENCE="") == ["pushbridge.E003"]


@pytest.mark.parametrize("algorithm", ["none", "HS256", "rs256", ""])
def test_an_algorithm_that_is_not_asymmetric_is_refused(settings: Settings, algorithm: str) -> None:
    assert found(settings, OIDC_ALGORITHMS=["RS256", algorithm]) == ["pushbridge.E004"]


@pytest.mark.parametrize("name", ["OIDC_ISSUER", "OIDC_JWKS_URL"])
def test_keys_that_anybody_on_the_way_could_change_are_refused(
    settings: Settings, name: str
) -> None:
    assert found(settings, **{name: "http://login.example.com/"}) == ["pushbridge.E005"]


def test_an_issuer_on_this_machine_needs_no_https(settings: Settings) -> None:
    assert found(settings, OIDC_ISSUER="http://127.0.0.1:9000") == []


def test_a_production_server_lets_tokens_be_neither_read_nor_guessed() -> None:
    """The toolkit's own checks of RFC 9700, but for the one that our validator answers."""
    found = [message for message in validate_bcp_configuration(None) if not message.is_silenced()]

    assert found == []
