"""Columns of many rows on their way to PostgreSQL: arrays, written as PostgreSQL writes them. Pure.

psycopg2 writes a list as an `ARRAY[...]` constructor, value by value, and PostgreSQL parses it as
that many expressions: for thousands of values, most of the cost of a statement. The text form of an
array ("Arrays", section "Array Input and Output Syntax" of its documentation) is one value to both.
A parameter in this form needs a cast: `%(id)s::bigint[]`.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID


def plain(values: Iterable[int | float | UUID]) -> str:
    """An array of what needs no quotes: numbers, truth values, UUIDs."""
    return "{" + ",".join(map(str, values)) + "}"


def texts(values: Iterable[str]) -> str:
    """An array of any texts."""
    return "{" + ",".join(map(_quoted, values)) + "}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
