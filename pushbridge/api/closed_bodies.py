"""What the OpenAPI document says of bodies that only we are sent: no other members than these.

Answers may get new members at any time, so the schemas that are theirs too cannot say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

PREFIX = "#/components/schemas/"


def close(result: Schema, generator: object, request: object, public: bool) -> Schema:
    """A postprocessing hook of drf-spectacular."""
    schemas = result["components"]["schemas"]
    sent: set[str] = set()
    answered: set[str] = set()
    for item in result["paths"].values():
        for operation in item.values():
            sent |= _reached(operation.get("requestBody"), schemas)
            answered |= _reached(operation.get("responses"), schemas)
    for name in sent - answered:
        if "properties" in schemas[name]:
            schemas[name].setdefault("additionalProperties", False)
    return result


def _reached(part: Any, schemas: Schema) -> set[str]:
    """The names of the schemas that a part of the document refers to, and those that they do."""
    found: set[str] = set()
    wanted = list(_names(part))
    while wanted:
        name = wanted.pop()
        if name not in found:
            found.add(name)
            wanted += _names(schemas[name])
    return found


def _names(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        reference = part.get("$ref", "")
        if isinstance(reference, str) and reference.startswith(PREFIX):
            yield reference.removeprefix(PREFIX)
        for value in part.values():
            yield from _names(value)
    elif isinstance(part, list):
        for value in part:
            yield from _names(value)
