"""What is wrong with the data of an event, in plain sentences. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from channels_app.event_types import EventType
from channels_app.problems import Fault
from channels_app.strict_json import escape


def shape_faults(row: EventType, data: Mapping[str, Any]) -> list[Fault]:
    """The places where data is not of the shape that the catalogue wants; pointers into `/data`."""
    try:
        row.shape.model_validate(data)
    except ValidationError as error:
        return [
            Fault(_pointer(found["loc"]), _sentence(found))
            for found in error.errors(include_url=False, include_input=False)
        ]
    return []


def _pointer(location: tuple[int | str, ...]) -> str:
    """RFC 6901, section 3."""
    parts = (escape(str(part)) for part in location)
    return "/data" + "".join(f"/{part}" for part in parts)


# pydantic's names of what may be wrong with the fields of our shapes, in our own words.
_SENTENCES = {
    "missing": "is required",
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be one of {expected}",
}


def _sentence(found: ErrorDetails) -> str:
    form = _SENTENCES.get(found["type"])
    if form is None:
        return found["msg"]
    return form.format_map({key: _readable(value) for key, value in found.get("ctx", {}).items()})


def _readable(value: Any) -> Any:
    """A limit without `.0`, a list of words without quote marks."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value.replace("'", "") if isinstance(value, str) else value
