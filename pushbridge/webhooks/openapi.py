"""The door in the OpenAPI document, made from the catalogue: its view is no REST framework view."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from channels_app.event_types import CATALOGUE
from pushbridge.webhooks.messages import MAX_TYPE_LENGTH

Schema = dict[str, Any]
REFERENCE = "#/components/schemas/{model}"


def add_door(result: Schema, generator: object, request: object, public: bool) -> Schema:
    """A postprocessing hook of drf-spectacular."""
    result["paths"]["/webhooks/v1/{connection}"] = {"post": _operation()}
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas |= _data_schemas() | {"Event": _event(), "Problem": _problem()}
    return result


def _operation() -> Schema:
    return {
        "operationId": "webhooks_receive",
        "summary": "Report that something happened",
        "description": "Signed as Standard Webhooks 1.0 says. An answer never waits for a push.",
        "tags": ["Webhooks"],
        "security": [{}],
        "parameters": [
            _parameter("connection", "path", {"type": "string", "format": "uuid"}),
            _parameter("webhook-id", "header", {"type": "string", "maxLength": 256}),
            _parameter("webhook-timestamp", "header", {"type": "string", "pattern": "^[0-9]+$"}),
            _parameter("webhook-signature", "header", {"type": "string", "maxLength": 4096}),
        ],
        "requestBody": {"required": True, "content": _content("application/json", "Event")},
        "responses": {
            "202": _stored("Stored."),
            "200": _stored("This webhook-id was stored before."),
            **{status: _refused(why) for status, why in _REFUSALS.items()},
        },
    }


_REFUSALS = {
    "400": "Not JSON, or not of this shape.",
    "401": "Signature or time.",
    "404": "No such connection.",
    "408": "The body did not arrive in time.",
    "413": "Over 256 KiB.",
    "415": "Not application/json.",
    "422": "A known type with fields that cannot be used; `errors` names each.",
    "429": "Too many requests at once: see Retry-After.",
    "503": "Could not be stored just now: see Retry-After.",
}


def _parameter(name: str, place: str, schema: Schema) -> Schema:
    return {"name": name, "in": place, "required": True, "schema": schema}


def _content(media_type: str, model: str) -> Schema:
    return {media_type: {"schema": {"$ref": REFERENCE.format(model=model)}}}


def _stored(description: str) -> Schema:
    schema = {
        "type": "object",
        "properties": {"id": {"type": "integer", "description": "The event."}},
        "required": ["id"],
    }
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _refused(description: str) -> Schema:
    return {
        "description": description,
        "content": _content("application/problem+json", "Problem"),
    }


def _data_schemas() -> Schema:
    """The shapes of the catalogue, by name. Pydantic's JSON Schema is that of OpenAPI 3.1."""
    shapes = {row.shape for row in CATALOGUE.values()}
    _, definitions = models_json_schema(
        [(shape, "validation") for shape in sorted(shapes, key=lambda shape: shape.__name__)],
        ref_template=REFERENCE,
    )
    schemas: Schema = definitions["$defs"]
    return schemas


def _event() -> Schema:
    known = [
        _envelope({"const": row.name}, {"$ref": REFERENCE.format(model=row.shape.__name__)})
        for row in CATALOGUE.values()
    ]
    other = _envelope(
        {"type": "string", "maxLength": MAX_TYPE_LENGTH, "not": {"enum": list(CATALOGUE)}},
        {"type": "object"},
    )
    return {"oneOf": [*known, other]}


def _envelope(type_schema: Schema, data_schema: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {
            "type": type_schema,
            "timestamp": {"type": "string", "format": "date-time"},
            "data": data_schema,
        },
        "required": ["type", "timestamp", "data"],
    }


def _problem() -> Schema:
    text = {"type": "string"}
    fault = {
        "type": "object",
        "properties": {
            "pointer": {**text, "description": "Where in the body (RFC 6901)."},
            "parameter": {**text, "description": "Or which parameter of the address."},
            "detail": text,
        },
        "required": ["detail"],
    }
    return {
        "type": "object",
        "description": "Problem details, RFC 9457.",
        "properties": {
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "errors": {"type": "array", "items": fault},
        },
        "required": ["title", "status", "detail"],
    }
