"""What no app sends: refused, with the place that is at fault, and never a defect of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from tests.api import PROBLEM
from tests.contract import operations, worlds
from tests.contract.operations import Operation
from tests.contract.worlds import Person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("applications", "unlimited")]

ALL = operations.operations()
WRITING = operations.writing()
WITH_BODY = [operation for operation in WRITING if operations.takes_body(operation)]
JSON = "application/json"
HERE = "@here@"

# In the place of each value of a body that is otherwise right.
HOSTILE_VALUES = {
    "NUL": rb'"a\u0000b"',
    "half of a pair": rb'"\ud83d"',
    "the other half": rb'"\ude00\ud83d"',
    "a megabyte": b'"%s"' % (b"x" * 1_000_000),
    "not a number": b"NaN",
    "infinite": b"-Infinity",
    "a large exponent": b"1e999",
    "a large integer": b"9" * 30,
    "an integer of 5,000 digits": b"9" * 5_000,
    "an object": b'{"a": 1}',
    "a list in a list": b"[[]]",
    "a key that stands twice": b'{"a": 1, "a": 1}',
}
# In the place of a whole body.
HOSTILE_BODIES = {
    "null": b"null",
    "a list": b"[]",
    "a list of bodies": b"[{}]",
    "a string": b'"x"',
    "a number": b"5",
    "not ended": b'{"a": ',
    "ended twice": b"{}{}",
    "no JSON": b"a=1&b=2",
    "one more comma": b'{"a": 1,}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "Latin-1": b'{"a": "\xe4"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "raw NUL": b'{"a": "\x00"}',
    "deep": b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a key that stands twice": b'{"a": 1, "a": 2}',
    "NUL in a key": rb'{"a\u0000": 1}',
    "many members": json.dumps({str(number): 1 for number in range(20_000)}).encode(),
    "unknown members": b'{"__proto__": {}, "a/b~c": 1}',
}
HOSTILE_TYPES = [
    "text/plain",
    "text/json",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json/json",
    "application/octet-stream",
    "",
]
# In the place of each parameter of an address.
HOSTILE_SEGMENTS = ["%00", "%ff", "..%2F..", "%F0%9F%98%80", "9" * 30, "-1", "a%0Ab", "x" * 5_000]
HOSTILE_QUERIES = ["", "%00", "%ff", "9" * 30, "-1", "NaN", "%F0%9F%98%80", "x" * 5_000, "[]"]


@pytest.fixture
def alice() -> Person:
    return worlds.owner(worlds.tenant("acme"), "alice")


@pytest.fixture
def app(alice: Person) -> APIClient:
    """Hers."""
    return alice.client()


def told(app: APIClient, method: str, address: str, body: bytes = b"", kind: str = JSON) -> Any:
    """The answer; whatever was done is taken back."""
    with transaction.atomic():
        answer = app.generic(method, address, body, kind)  # type: ignore[arg-type]
        transaction.set_rollback(True)
    what = f"{method} {address[:200]}: {answer.status_code} {answer.content[:500]!r}"
    assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, what
    if answer.status_code >= HTTPStatus.BAD_REQUEST:
        assert answer["Content-Type"] == PROBLEM, what
    return answer


def places(value: Any, pointer: str = "") -> Iterator[str]:
    """Where there are values in a body, that are neither objects nor lists."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from places(member, f"{pointer}/{key}")
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from places(element, f"{pointer}/{index}")
    else:
        yield pointer


def replaced(value: Any, place: str, by: bytes, pointer: str = "") -> bytes:
    """A body with other bytes in this place."""
    return json.dumps(_marked(value, place, pointer)).encode().replace(f'"{HERE}"'.encode(), by)


def _marked(value: Any, place: str, pointer: str) -> Any:
    if pointer == place:
        return HERE
    if isinstance(value, dict):
        return {key: _marked(one, place, f"{pointer}/{key}") for key, one in value.items()}
    if isinstance(value, list):
        return [_marked(one, place, f"{pointer}/{index}") for index, one in enumerate(value)]
    return value


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_hostile_value_is_refused_by_its_name(
    app: APIClient, alice: Person, operation: Operation
) -> None:
    right = worlds.body(operation, alice.ids)
    for place in places(right):
        for name, value in HOSTILE_VALUES.items():
            answer = told(
                app,
                operation.method,
                operation.address(alice.ids),
                replaced(right, place, value),
            )
            named = [error["pointer"] for error in answer.json().get("errors", ())]
            assert answer.status_code == HTTPStatus.BAD_REQUEST, (place, name)
            assert any(f"{one}/".startswith(f"{place}/") for one in named), (place, name, named)


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_hostile_body_is_refused(app: APIClient, alice: Person, operation: Operation) -> None:
    for name, body in HOSTILE_BODIES.items():
        answer = told(app, operation.method, operation.address(alice.ids), body)
        assert answer.status_code == HTTPStatus.BAD_REQUEST, name


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_of_another_type_is_refused(
    app: APIClient, alice: Person, operation: Operation
) -> None:
    body = json.dumps(worlds.body(operation, alice.ids)).encode()
    for kind in HOSTILE_TYPES:
        answer = told(app, operation.method, operation.address(alice.ids), body, kind)
        assert answer.status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE, kind


@pytest.mark.parametrize("operation", sorted(set(WRITING) - set(WITH_BODY)), ids=str)
def test_a_body_where_none_is_taken_changes_no_answer(
    app: APIClient, alice: Person, operation: Operation
) -> None:
    address = operation.address(alice.ids)
    usual = told(app, operation.method, address).status_code

    for name, body in HOSTILE_BODIES.items():
        assert told(app, operation.method, address, body).status_code == usual, name


@pytest.mark.parametrize("operation", [one for one in ALL if "{" in one.path], ids=str)
def test_a_hostile_address_is_not_there(
    app: APIClient, alice: Person, operation: Operation
) -> None:
    body = json.dumps(worlds.body(operation, alice.ids) or {}).encode()
    address = operation.address(alice.ids)
    for name in operations.parameters(operation, "path"):
        for segment in HOSTILE_SEGMENTS:
            hostile = operation.address({**alice.ids, name: HERE}).replace("%40here%40", segment)
            assert hostile != address
            answer = told(app, operation.method, hostile, body)
            assert answer.status_code == HTTPStatus.NOT_FOUND, (name, segment)


@pytest.mark.parametrize(
    "operation", [one for one in ALL if operations.parameters(one, "query")], ids=str
)
def test_a_hostile_parameter_is_refused_by_its_name(
    app: APIClient, alice: Person, operation: Operation
) -> None:
    names = operations.parameters(operation, "query")
    for name in names:
        needed = "".join(f"{one}={alice.ids[one]}&" for one in names if one in alice.ids)
        for value in HOSTILE_QUERIES:
            answer = told(app, "GET", f"{operation.address(alice.ids)}?{needed}{name}={value}")
            if answer.status_code == HTTPStatus.BAD_REQUEST:
                named = {error["parameter"] for error in answer.json()["errors"]}
                assert named == {name}, value
