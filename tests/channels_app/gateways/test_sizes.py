"""Cutting a banner to its budget."""

import json

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from channels_app.gateways.outcomes import Unsendable
from channels_app.gateways.sizes import encode, fit
from channels_app.plain_text import ELLIPSIS

FAMILY = "👨‍👩‍👧‍👦"


def encoded(title: str, body: str) -> bytes:
    return encode({"title": title, "body": body})


def fitted(title: str, body: str, limit: int) -> dict[str, str]:
    text = fit(title, body, encoded, limit)
    assert len(text) <= limit
    content: dict[str, str] = json.loads(text)
    return content


def test_what_fits_is_left_alone() -> None:
    assert fitted("t", "b <i>&amp;</i>", 100) == {"title": "t", "body": "b <i>&amp;</i>"}


def test_the_body_is_cut_before_the_title() -> None:
    content = fitted("The title", "x" * 100, 60)

    assert content["title"] == "The title"
    assert content["body"].endswith("x" + ELLIPSIS)


def test_as_much_is_kept_as_fits() -> None:
    assert len(fit("t", "x" * 100, encoded, 60)) == 60


def test_a_title_too_long_by_itself_is_cut_too() -> None:
    assert fitted("t" * 100, "body", 60) == {"title": "t" * 35 + ELLIPSIS, "body": ""}


def test_a_family_is_not_torn_apart() -> None:
    for limit in range(30, 80):
        body = fitted("t", FAMILY * 3, limit)["body"].removesuffix(ELLIPSIS)
        assert body == FAMILY * (len(body) // len(FAMILY))


def test_no_space_is_left_before_the_ellipsis() -> None:
    bodies = {fitted("t", "ab cd ef gh ij kl mn", limit)["body"] for limit in range(26, 46)}

    assert not any(body.endswith(" " + ELLIPSIS) for body in bodies)


def test_what_does_not_fit_without_any_text_cannot_be_sent() -> None:
    with pytest.raises(Unsendable, match="PayloadTooLarge"):
        fit("title", "body", encoded, 10)


def test_text_that_is_no_unicode_cannot_be_sent() -> None:
    with pytest.raises(Unsendable, match="BadText"):
        encoded("\ud83d", "")


def test_characters_travel_as_themselves() -> None:
    assert encoded("🆘", "ü") == '{"title":"🆘","body":"ü"}'.encode()


@given(st.text(max_size=60), st.text(max_size=200), st.integers(25, 400))
def test_whatever_the_text_it_fits_and_stays_whole(title: str, body: str, limit: int) -> None:
    try:
        content = fitted(title, body, limit)
    except Unsendable as error:
        assert error.reason in ("BadText", "PayloadTooLarge")
        return
    for whole, cut in ((title, content["title"]), (body, content["body"])):
        graphemes = regex.findall(r"\X", whole)
        prefixes = {"".join(graphemes[:n]).rstrip() for n in range(len(graphemes) + 1)}
        assert cut in ("", whole) or cut.removesuffix(ELLIPSIS) in prefixes
