from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app.bidi import begin_right, isolate


@pytest.mark.parametrize("text", ["", "Bot X", "Straße 12", "Бот", "東京", "👩‍💻 !?"])
def test_what_runs_from_left_to_right_needs_no_mark_among_its_kind(text: str) -> None:
    assert isolate(text, right_to_left=False) == text


@pytest.mark.parametrize("text", ["بوت", "בוט", "file-ملف-2026.pdf", "ބޮޓް"])
def test_what_runs_the_other_way_is_isolated(text: str) -> None:
    assert isolate(text, right_to_left=False) == f"\u2068{text}\u2069"


@given(st.text(min_size=1))
def test_a_name_is_isolated_exactly_where_a_letter_of_it_runs_the_other_way(text: str) -> None:
    other_way = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)
    known = not any(unicodedata.category(letter) == "Cn" for letter in text)
    assert (isolate(text, right_to_left=False) != text) == other_way or not known


@pytest.mark.parametrize("text", ["Bot X", "بوت", "24!"])
def test_from_right_to_left_every_name_is_isolated(text: str) -> None:
    assert isolate(text, right_to_left=True) == f"\u2068{text}\u2069"


def test_nothing_is_not_isolated() -> None:
    assert isolate("", right_to_left=True) == ""


def test_a_line_begins_on_the_right_once() -> None:
    assert begin_right(begin_right("🆘 تصعيد")) == "\u200f🆘 تصعيد"
