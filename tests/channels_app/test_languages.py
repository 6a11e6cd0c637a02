from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app import languages


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("en", "en"),
        ("en-GB", "en"),
        ("de", "de"),
        ("DE", "de"),
        (" de-AT ", "de"),
        ("de_AT", "de"),
        ("de_CH.UTF-8", "de"),
        ("de_DE@euro", "de"),
        ("de-u-co-phonebk", "de"),
        ("ar", "ar"),
        ("ar_SA@numbers=latn;calendar=gregorian", "ar"),
        ("ar-Arab-EG-u-nu-latn", "ar"),
    ],
)
def test_a_tag_is_served_by_the_nearest_language(tag: str, language: str) -> None:
    assert languages.match(tag) == languages.best(tag) == language


@pytest.mark.parametrize("tag", ["", " ", "pt-BR", "zh-Hans-CN", "arz", "x", "-", "_", "@", "\x00"])
def test_whoever_asks_for_another_language_is_served_in_english(tag: str) -> None:
    assert languages.best(tag) == "en"
    with pytest.raises(languages.UnknownLanguage):
        languages.match(tag)


@given(st.text() | st.text(alphabet="-_de@.", min_size=400, max_size=900))
def test_whatever_the_tag_is_there_is_a_language(tag: str) -> None:
    assert languages.best(tag) in {"en", "de", "ar"}
