from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app.plain_text import GRAPHEME, clean, cut


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("", ""),
        ("plain", "plain"),
        ("  two\t\n words \r\n", "two words"),
        ("line\u2028and\u2029paragraph", "line and paragraph"),
        ("nul\x00bell\x07escape\x1b[31m", "nulbellescape[31m"),
        ("next\x85line", "next line"),
        ("right\u202eto\u202dleft\u202c", "righttoleft"),
        ("iso\u2066la\u2069ted", "isolated"),
        ("\u200emarks\u200f\u061c", "marks"),
        ("zero\u200bwidth\ufeff\u2060", "zerowidth"),
        ("lone\ud800surrogate", "lonesurrogate"),
        ("private\ue000use\U00100000", "privateuse"),
        ("a \u200b b", "a b"),
        ("\u200b\u202e\x00 ", ""),
        ("no\xa0break", "no break"),
    ],
)
def test_what_does_not_belong_on_a_lock_screen_is_removed(raw: str, plain: str) -> None:
    assert clean(raw) == plain


@pytest.mark.parametrize(
    "text",
    [
        "👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 1️⃣",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "می‌خواهم",  # Persian, with its zero-width non-joiner
        "क्‍ष नमस्ते",
        "Ærø – “quoted” & <b>bold</b>",
        "שלום مرحبا",
    ],
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@given(st.text())
def test_what_is_clean_is_one_line_without_invisible_controls(text: str) -> None:
    cleaned = clean(text)
    assert not {unicodedata.category(character) for character in cleaned} & {
        "Cc", "Cs", "Co", "Zl", "Zp",
    }  # fmt: skip
    assert "  " not in cleaned
    assert cleaned == cleaned.strip() == clean(cleaned)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(3, 40))
def test_what_is_cut_fits_and_begins_as_before(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert len(short.encode()) <= limit
    assert short == text or text.startswith(short.removesuffix("…"))


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(3, 40))
def test_no_grapheme_is_cut_in_two(text: str, limit: int) -> None:
    short = cut(text, limit)
    if short != text:
        kept = GRAPHEME.findall(short.removesuffix("…"))
        assert GRAPHEME.findall(text)[: len(kept)] == kept


def test_what_fits_exactly_is_left_alone() -> None:
    assert cut("é" * 5, 10) == "é" * 5


def test_what_is_missing_is_marked() -> None:
    assert cut("hello world", 9) == "hello…"


def test_a_single_grapheme_that_does_not_fit_is_only_marked() -> None:
    assert cut("a" + "\u0301" * 50, 20) == "…"
