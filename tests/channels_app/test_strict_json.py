from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app.strict_json import MAX_DEPTH, MAX_VALUES, Unreadable, loads

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(text, inner, max_size=5),
    max_leaves=20,
)


def refusal(body: bytes) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        loads(body)
    return caught.value


@given(values, st.booleans())
def test_what_json_can_say_is_read_as_it_was_meant(value: Any, ascii_only: bool) -> None:
    assert loads(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary())
def test_arbitrary_bytes_are_read_or_refused_and_nothing_else(body: bytes) -> None:
    try:
        loads(body)
    except Unreadable as error:
        assert error.detail


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        (b"", "", "line 1, column 1"),
        (b'{"a": 1', "", "not JSON"),
        (b'{"a": 1}{', "", "column 9"),
        (b"{'a': 1}", "", "not JSON"),
        (b'{"a": 01}', "", "not JSON"),
        (b'"a\tb"', "", "not JSON"),
        (b'"a\0b"', "", "not JSON"),
        (b'\xef\xbb\xbf{"a": 1}', "", "byte order mark"),
        ('{"a": "é"}'.encode("latin-1"), "", "byte 7"),
        ('{"a": 1}'.encode("utf-16"), "", "not UTF-8"),
        ('{"a": 1}'.encode("utf-16-le"), "", "not JSON"),
        ('{"a": 1}'.encode("utf-32"), "", "not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "", "not UTF-8"),
        (b'{"a": "\xc0\x80"}', "", "not UTF-8"),
        (b'{"a": {"b": 1, "b": 2}}', "/a", "stands twice"),
        (b'{"a": 1, "\\u0061": 2}', "", "stands twice"),
        (b'{"a": NaN}', "/a", "NaN is not JSON"),
        (b'{"a": [0, -Infinity]}', "/a/1", "-Infinity is not JSON"),
        (b'{"a": 1e400}', "/a", "too large"),
        (b'{"a/b": {"~": -1e400}}', "/a~1b/~0", "too large"),
        (b'{"a": 9223372036854775808}', "/a", "64 bits"),
        (b'{"a": -9223372036854775809}', "/a", "64 bits"),
        (b'{"a": ' + b"9" * 5000 + b"}", "/a", "64 bits"),
        (b'{"a": "\\u0000"}', "/a", "NUL"),
        (b'{"a": {"\\u0000": 1}}', "/a", "key"),
        (b'{"a": ["\\ud800"]}', "/a/0", "surrogate"),
        (b'{"a": "\\udc00\\ud800"}', "/a", "surrogate"),
        (b'{"a": {"\\uDFFF": 1}}', "/a", "key"),
    ],
)
def test_a_monster_is_named_with_its_place(body: bytes, pointer: str, detail: str) -> None:
    error = refusal(body)

    assert detail in error.detail
    assert error.pointer == pointer


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'"\\ud83c\\udd98"', "🆘"),
        (b'"\\\\u0000"', "\\u0000"),
        (b"9223372036854775807", 2**63 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"1e308", 1e308),
        (b"1e-400", 0.0),
        (b' \n\t\r{"a": 1}\n', {"a": 1}),
        (b'"' + b"[" * 100_000 + b'"', "[" * 100_000),
        (b'["\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["]', ['"' + "[" * 40]),
    ],
)
def test_what_only_looks_like_a_monster_is_read(body: bytes, value: Any) -> None:
    assert loads(body) == value


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_is_limited_before_anything_is_parsed(opening: bytes, closing: bytes) -> None:
    def nested(levels: int) -> bytes:
        return opening * levels + b"1" + closing * levels

    assert loads(nested(MAX_DEPTH)) is not None
    for levels in (MAX_DEPTH + 1, 100_000):
        assert f"more than {MAX_DEPTH} levels" in refusal(nested(levels)).detail
    assert f"more than {MAX_DEPTH} levels" in refusal(opening * 100_000).detail


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert len(loads(b"[" + b"[]," * 1000 + b"1]")) == 1001


def test_the_number_of_values_is_limited() -> None:
    assert loads(b"[" + b"1," * (MAX_VALUES - 2) + b"1]")
    assert f"more than {MAX_VALUES}" in refusal(b"[" + b"1," * MAX_VALUES + b"1]").detail


def test_commas_in_a_text_are_not_values() -> None:
    assert loads(b'["' + b"," * 200_000 + b'"]')


def test_floats_stay_finite() -> None:
    assert math.isfinite(loads(b"1.7976931348623157e308"))
