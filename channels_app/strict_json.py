"""JSON as PostgreSQL, JavaScript and Python all read it, or a sentence that says where not. Pure.

Python's own reader accepts what others refuse: NaN, 1e400, integers of any length, a key that
stands twice, NUL and lone surrogates (which jsonb refuses), and any depth until the stack ends.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAX_DEPTH = 32
MAX_VALUES = 10_000
INTEGERS = range(-(2**63), 2**63)

# A number this long cannot be within INTEGERS; Python's int() is quadratic and refuses at 4,300.
_MAX_INTEGER_DIGITS = 20
_BRACKETS_OUTSIDE_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|([\[{])|([\]}])', re.DOTALL)
_SUSPICIOUS_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Unreadable(ValueError):
    """The bytes are not JSON that we keep.

    Attributes:
        detail: a sentence for the sender, which quotes nothing of the body.
        pointer: the place as a JSON pointer (RFC 6901), or "" for the whole body.
    """

    def __init__(self, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer


@dataclass(frozen=True, slots=True)
class _Refused:
    """Stands in the parsed tree where something cannot be kept, until its pointer is known."""

    detail: str


def loads(body: bytes) -> Any:
    """What the body says.

    Raises:
        Unreadable: not UTF-8, not JSON, or JSON that somebody on its way would misread.
    """
    _check_depth(body)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"the body is not UTF-8: byte {error.start} cannot be read") from None
    if text.startswith("\ufeff"):
        raise Unreadable("the body starts with a byte order mark")
    reader = _Reader()
    try:
        value = reader.read(text)
    except json.JSONDecodeError as error:
        raise Unreadable(
            f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    # Commas bound the number of values from above; escapes are the only way to NUL and surrogates.
    if reader.refused or body.count(b",") >= MAX_VALUES or _SUSPICIOUS_ESCAPE.search(body):
        _check_values(value)
    return value


class _Reader:
    """Python's JSON reader, with a mark wherever it would be too generous."""

    def __init__(self) -> None:
        self.refused = False
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=self._integer,
            parse_float=self._float,
            parse_constant=self._constant,
        )

    def read(self, text: str) -> Any:
        return self._decoder.decode(text)

    def _refuse(self, detail: str) -> _Refused:
        self.refused = True
        return _Refused(detail)

    def _object(self, pairs: list[tuple[str, Any]]) -> Any:
        members = dict(pairs)
        if len(members) < len(pairs):
            return self._refuse("a key stands twice in this object")
        return members

    def _integer(self, digits: str) -> Any:
        if len(digits) <= _MAX_INTEGER_DIGITS and (number := int(digits)) in INTEGERS:
            return number
        return self._refuse("this integer does not fit into 64 bits")

    def _float(self, digits: str) -> Any:
        number = float(digits)
        return number if math.isfinite(number) else self._refuse("this number is too large")

    def _constant(self, name: str) -> _Refused:
        return self._refuse(f"{name} is not JSON")


def _check_depth(body: bytes) -> None:
    """Before parsing: a hundred thousand levels must cost neither the stack nor much time."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for match in _BRACKETS_OUTSIDE_STRINGS.finditer(body):
        if match[1]:
            depth += 1
            if depth > MAX_DEPTH:
                raise Unreadable(
                    f"the body is nested more than {MAX_DEPTH} levels deep (byte {match.start()})"
                )
        elif match[2]:
            depth -= 1


def _check_values(value: Any) -> None:
    for count, (pointer, found) in enumerate(_values(value, ""), start=1):
        if count > MAX_VALUES:
            raise Unreadable(f"the body holds more than {MAX_VALUES} values")
        if isinstance(found, _Refused):
            raise Unreadable(found.detail, pointer)
        if isinstance(found, str):
            _check_text(found, pointer)


def _check_text(text: str, pointer: str) -> None:
    if "\0" in text:
        raise Unreadable("this text contains NUL", pointer)
    if _SURROGATE.search(text):
        raise Unreadable("this text contains half of a surrogate pair", pointer)


def _values(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """Every value with its pointer. `_check_depth` bounds the recursion."""
    yield pointer, value
    if isinstance(value, dict):
        for key, member in value.items():
            _check_key(key, pointer)
            yield from _values(member, f"{pointer}/{escape(key)}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _values(member, f"{pointer}/{index}")


def _check_key(key: str, pointer: str) -> None:
    if "\0" in key or _SURROGATE.search(key):
        raise Unreadable("a key of this object contains NUL or half of a surrogate pair", pointer)


def escape(key: str) -> str:
    """One reference token of a JSON pointer (RFC 6901, section 3)."""
    return key.replace("~", "~0").replace("/", "~1")
