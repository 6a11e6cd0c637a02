from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app.gateways import addresses
from claims.outbound.urls import MAX_CHARACTERS, fault

HERE = addresses.networks(["127.0.0.0/8", "::1/128"])


@pytest.mark.parametrize(
    "url",
    [
        "https://platform.example/hooks",
        "https://platform.example",
        "https://platform.example:8443/hooks?organization=acme&x=%20",
        "https://platform.example:443/",
        "https://xn--bcher-kva.example/",
        "https://93.184.216.34/hooks",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/hooks",
        "https://platform.example/an@sign",
    ],
)
def test_an_address_of_the_public_internet_will_do(url: str) -> None:
    assert fault(url) is None


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://platform.example/", "It must begin with https://."),
        ("HTTPS://platform.example/", "It must begin with https://."),
        ("ftp://platform.example/", "It must begin with https://."),
        ("", "It must begin with https://."),
        ("https://user:pass@platform.example/", "It must hold no user name and no password."),
        ("https://platform.example@127.0.0.1/", "It must hold no user name and no password."),
        ("https://platform.example/#top", "It must hold no fragment (#…)."),
        ("https://platform.example:22/", "Its port must be 443, or 1024 or above."),
        ("https://platform.example:0/", "Its port must be 443, or 1024 or above."),
        ("https://platform.example:99999/", "Its port must be 443, or 1024 or above."),
        ("https://127.0.0.1/", "It is no public address."),
        ("https://10.1.2.3:8443/", "It is no public address."),
        ("https://169.254.169.254/latest/", "It is no public address."),
        ("https://[::1]/", "It is no public address."),
        ("https://[::ffff:10.0.0.1]/", "It is no public address."),
        ("https://2130706433/", "It is no public address."),
        ("https://127.1/", "It is no public address."),
        ("https://localhost/", "Its host is a name of a local network."),
        ("https://printer/", "Its host is a name of a local network."),
        ("https://printer.local/", "Its host is a name of a local network."),
        ("https://db.localhost/", "Its host is a name of a local network."),
        ("https://" + "a" * MAX_CHARACTERS, "It has more than 500 characters."),
    ],
)
def test_each_fault_is_said_in_a_sentence(url: str, sentence: str) -> None:
    assert fault(url) == sentence


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https:///hooks",
        "https://platform.example\\@127.0.0.1/",
        "https://platform.example/a b",
        "https://platform.example/\r\nhost: x",
        "https://bücher.example/",
        "https://platform.example\x00/",
        "https://platform.example:/",
        "https://-platform.example/",
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(url: str) -> None:
    assert fault(url) is not None


@pytest.mark.parametrize("url", ["https://127.0.0.1:8443/", "https://localhost/", "https://[::1]/"])
def test_a_network_that_is_allowed_may_be_named(url: str) -> None:
    assert fault(url, allowed=HERE) is None


@given(st.text(max_size=60))
def test_whatever_is_typed_is_judged(text: str) -> None:
    fault(text)
    fault(f"https://{text}")
