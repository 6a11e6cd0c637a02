"""Checks a message against Google's own description of the FCM v1 API.

The discovery document ships in google-api-python-client. The texts of the violations are those
of Google's JSON front end, which names the place as `message.android.ttl`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

DURATION = re.compile(r"-?\d+(?:\.\d{1,9})?s")
UPPER_CASE = re.compile(r"[A-Z]")
TYPES_OF_GOOGLE: Mapping[str, str] = {
    "string": "TYPE_STRING",
    "boolean": "TYPE_BOOL",
    "integer": "TYPE_INT32",
    "number": "TYPE_FLOAT",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with a message: the field, and Google's sentence about it."""

    field: str
    description: str


@cache
def schemas() -> Mapping[str, Any]:
    """The schemas of the FCM v1 API, by name."""
    document = files("googleapiclient") / "discovery_cache" / "documents" / "fcm.v1.json"
    found: Mapping[str, Any] = json.loads(document.read_text())["schemas"]
    return found


@cache
def _properties(name: str) -> Mapping[str, tuple[str, Any]]:
    """Accepted key -> (canonical key, schema). Google takes the snake_case form as well."""
    accepted: dict[str, tuple[str, Any]] = {}
    for key, schema in schemas()[name].get("properties", {}).items():
        accepted[key] = accepted[_snake_case(key)] = (key, schema)
    return accepted


def violations(content: object) -> list[Violation]:
    """What is wrong with the body of a `messages:send`; empty: nothing."""
    return list(_object(content, "SendMessageRequest", ""))


def canonical(content: Any, name: str = "SendMessageRequest") -> Any:
    """The same message with every key in its camelCase form and nulls left out."""
    result: dict[str, Any] = {}
    for key, value in content.items():
        if value is None:
            continue
        canonical_key, schema = _properties(name)[key]
        reference = schema.get("$ref")
        result[canonical_key] = canonical(value, reference) if reference else value
    return result


def _object(value: object, name: str, path: str) -> Iterator[Violation]:
    if not isinstance(value, dict):
        yield _invalid(path, f"type.googleapis.com/google.firebase.fcm.v1.{name}", value)
        return
    accepted = _properties(name)
    for key, child in value.items():
        if key not in accepted:
            where = f" at '{path}'" if path else ""
            yield Violation(
                path,
                f'Invalid JSON payload received. Unknown name "{key}"{where}: Cannot find field.',
            )
        elif child is not None:
            yield from _value(child, accepted[key][1], f"{path}.{key}" if path else key)


def _value(value: object, schema: Mapping[str, Any], path: str) -> Iterator[Violation]:
    if "$ref" in schema:
        yield from _object(value, schema["$ref"], path)
    elif schema["type"] == "array":
        yield from _array(value, schema, path)
    elif schema["type"] == "object":
        yield from _map(value, schema["additionalProperties"], path)
    elif schema["type"] != "any":
        yield from _scalar(value, schema, path)


def _array(value: object, schema: Mapping[str, Any], path: str) -> Iterator[Violation]:
    if not isinstance(value, list):
        yield Violation(path, f"Proto field is repeating, but no array was given at '{path}'.")
        return
    for index, item in enumerate(value):
        yield from _value(item, schema["items"], f"{path}[{index}]")


def _map(value: object, item_schema: Mapping[str, Any], path: str) -> Iterator[Violation]:
    if not isinstance(value, dict):
        yield _invalid(path, "Map", value)
        return
    for index, item in enumerate(value.values()):
        yield from _value(item, item_schema, f"{path}[{index}].value")


def _scalar(value: object, schema: Mapping[str, Any], path: str) -> Iterator[Violation]:
    if "enum" in schema:
        known = isinstance(value, str) and value.upper() in schema["enum"]
        if not known:
            yield _invalid(path, "TYPE_ENUM", value)
    elif schema.get("format") == "google-duration":
        if not isinstance(value, str) or not DURATION.fullmatch(value):
            yield Violation(
                path,
                f"Invalid value at '{path}' (type.googleapis.com/google.protobuf.Duration), "
                "Field 'duration', Illegal duration format; duration must end with 's'",
            )
    elif not _fits(value, schema["type"]):
        yield _invalid(path, TYPES_OF_GOOGLE[schema["type"]], value)


def _fits(value: object, kind: str) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _invalid(path: str, kind: str, value: object) -> Violation:
    return Violation(path, f"Invalid value at '{path}' ({kind}), {json.dumps(value)}")


def _snake_case(name: str) -> str:
    return UPPER_CASE.sub(lambda match: f"_{match[0].lower()}", name)
