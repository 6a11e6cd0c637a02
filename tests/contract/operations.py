"""Every operation of `/api/v1/`, as the OpenAPI document lists them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

PREFIX = "/api/v1/"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# One of an address in the URL conf: `<external:bot>`.
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True, slots=True, order=True)
class Operation:
    """One method of one address: `PUT`, `{org}/bots/{bot}/subscription/`."""

    path: str
    method: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    def address(self, ids: Mapping[str, str]) -> str:
        """The address with these ids in the place of its parameters."""
        return PREFIX + self.path.format_map({key: quote(ids[key], safe="") for key in ids})

    def send(self, client: APIClient, ids: Mapping[str, str], body: Any = None) -> Any:
        """The answer to this operation on these things."""
        content = "" if body is None else json.dumps(body)
        return client.generic(self.method, self.address(ids), content, "application/json")


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document, as `/api/schema/` serves it."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    found: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


def described() -> dict[Operation, dict[str, Any]]:
    """Each operation with what the document says of it."""
    return {
        Operation(path.removeprefix(PREFIX), method): item[method.lower()]
        for path, item in document()["paths"].items()
        if path.startswith(PREFIX)
        for method in METHODS
        if method.lower() in item
    }


def operations() -> list[Operation]:
    return sorted(described())


def writing() -> list[Operation]:
    return [operation for operation in operations() if operation.writes]


def takes_body(operation: Operation) -> bool:
    return "requestBody" in described()[operation]


def parameters(operation: Operation, place: str) -> list[str]:
    """The names of those in the `path` or in the `query`."""
    found = described()[operation].get("parameters", [])
    return [one["name"] for one in found if one["in"] == place]


def answered() -> set[Operation]:
    """What the views themselves answer, documented or not, by the URL conf."""
    return {
        Operation(_PARAMETER.sub(r"{\1}", path), method)
        for path, view in _views(get_resolver().url_patterns, "/")
        for method in METHODS
        if hasattr(view, method.lower())
    }


def _views(patterns: Sequence[URLPattern | URLResolver], before: str) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        path = f"{before}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns, path)
        elif path.startswith(PREFIX):
            yield path.removeprefix(PREFIX), pattern.callback.view_class  # type: ignore[attr-defined]
