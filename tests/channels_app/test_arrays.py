from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from channels_app import arrays

pytestmark = pytest.mark.django_db


def read(array: str, type: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{type}[]", [array])
        (values,) = cursor.fetchone()
    return list(values)


@pytest.mark.parametrize(
    ("values", "type"),
    [
        ([1, -2, 2**63 - 1], "bigint"),
        ([0.1, 1777896600.123457, 5e-324, float("inf")], "float8"),
        ([True, False], "boolean"),
        ([], "bigint"),
    ],
)
def test_numbers_and_truth_values_arrive_as_they_are(values: list[Any], type: str) -> None:
    assert read(arrays.plain(values), type) == values


def test_uuids_arrive_as_they_are() -> None:
    ids = [uuid.uuid4(), uuid.UUID(int=9)]
    assert read(arrays.plain(ids), "uuid[]::text") == [str(id) for id in ids]


# PostgreSQL has no NUL in a text, and no lone surrogates.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(st.lists(TEXT))
def test_every_text_arrives_as_it_is(values: list[str]) -> None:
    assert read(arrays.texts(values), "text") == values


@pytest.mark.parametrize(
    "value",
    ["", "NULL", "null", '"', "\\", "{}", "},{", "a,b", " a ", "'", "';--", "\\'", "%s", "\n"],
)
def test_what_means_something_to_postgresql_is_only_text(value: str) -> None:
    assert read(arrays.texts([value, value]), "text") == [value, value]


def test_a_text_that_postgresql_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        read(arrays.texts(["a\0b"]), "text")
