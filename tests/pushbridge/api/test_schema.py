"""What the OpenAPI document says is so, as far as the document itself can tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from openapi_schema_validator import OAS31Validator

from pushbridge.api.schema import TAGS

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS & set(item):
            yield f"{method} {path}", item[method]


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each body that an operation takes or answers with, as JSON."""
    yield "request", operation.get("requestBody", {}).get("content", {})
    for status, response in operation["responses"].items():
        yield status, response.get("content", {})


def test_every_example_is_one(document: dict[str, Any]) -> None:
    found = 0
    for name, operation in operations(document):
        for which, content in contents(operation):
            for media in content.values():
                schema = OAS31Validator({**document, **media["schema"]})
                for example in media.get("examples", {}).values():
                    faults = [error.message for error in schema.iter_errors(example["value"])]
                    assert faults == [], (name, which)
                    found += 1
    assert found > 10


def test_every_body_that_an_app_sends_or_gets_is_shown(document: dict[str, Any]) -> None:
    missing = [
        (name, which)
        for name, operation in operations(document)
        if operation["tags"] != ["Webhooks"]
        for which, content in contents(operation)
        for media in content.values()
        if which in ("request", "200", "201", "202") and not media.get("examples")
    ]

    assert missing == []


def test_every_operation_says_what_it_does_in_a_section_of_the_page(
    document: dict[str, Any],
) -> None:
    for name, operation in operations(document):
        assert operation.get("summary"), name
        assert set(operation["tags"]) <= set(TAGS), name


def test_every_section_has_operations(document: dict[str, Any]) -> None:
    used = {tag for _, operation in operations(document) for tag in operation["tags"]}

    assert used == set(TAGS)


def test_names_of_operations_are_names_of_functions_in_generated_clients(
    document: dict[str, Any],
) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]

    assert len(names) == len(set(names))
    assert all(name.isidentifier() for name in names)


# With the app closed nobody is signed in: the device proves itself.
BY_DEVICE = "post /api/v1/actions/claim/"


def test_every_operation_of_the_api_needs_a_scope(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        if name == BY_DEVICE:
            assert "security" not in operation and "security" not in document
        elif "/api/" in name:
            scope = "read" if name.startswith("get ") else "write"
            assert {"OAuth2": [scope]} in operation["security"], name
            assert {} not in operation["security"], name


def test_the_guide_is_the_pages_introduction(document: dict[str, Any]) -> None:
    introduction = document["info"]["description"]

    assert not introduction.startswith("#")
    for headline in ("Signing in", "Errors", "Pages", "Asking again", "Limits"):
        assert f"\n## {headline}\n" in introduction
