"""The OpenAPI document: what drf-spectacular cannot see in the views of `/api/v1/`."""

from __future__ import annotations

from http import HTTPStatus
from inspect import cleandoc
from typing import Any, Literal

from django.conf import settings
from drf_spectacular.openapi import AutoSchema
from rest_framework.permissions import SAFE_METHODS

from channels_app.api.documents import PROBLEM
from channels_app.problems import CONTENT_TYPE, Fault, Problem
from pushbridge.api import security

Schema = dict[str, Any]
JSON = "application/json"
Direction = Literal["request", "response"]

# What every endpoint may answer. Each is there once, and named by its phrase.
_MEANINGS = {
    HTTPStatus.BAD_REQUEST: "The body or a parameter cannot be used; `errors` names each place.",
    HTTPStatus.UNAUTHORIZED: "No token, or one that is not valid (any more).",
    HTTPStatus.FORBIDDEN: "The token's scope, or your permissions, are not enough.",
    HTTPStatus.NOT_FOUND: "There is no such thing, or it is not yours to see.",
    HTTPStatus.NOT_ACCEPTABLE: "You accept no application/json.",
    HTTPStatus.PRECONDITION_FAILED: "If-Match names another version.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is over 2 MiB.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not application/json.",
    HTTPStatus.TOO_MANY_REQUESTS: "A limit is used up: see Retry-After.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not just now: see Retry-After.",
}


def _name(status: HTTPStatus) -> str:
    return "".join(word.capitalize() for word in status.phrase.split())


def _example(status: HTTPStatus, meaning: str) -> Schema:
    faults = [Fault("/time_zone", "is not the name of an IANA time zone, such as Europe/Berlin")]
    detail = "This body cannot be used." if status == HTTPStatus.BAD_REQUEST else meaning
    return Problem(
        status, detail, faults=faults if status == HTTPStatus.BAD_REQUEST else ()
    ).members()


COMPONENTS: Schema = {
    "responses": {
        _name(status): {
            "description": meaning,
            "content": {CONTENT_TYPE: {"schema": PROBLEM, "example": _example(status, meaning)}},
        }
        for status, meaning in _MEANINGS.items()
    }
}


# The sections of the page, in the order in which an app comes to need them.
TAGS = {
    "Me": "Who you are, and where you belong.",
    "Devices": "Where banners go: phones and browsers, each with its push token.",
    "Bots": "Chatbots, which of them you follow, and what they changed about themselves.",
    "Workflows": "Workflows, which of them you follow, and how their runs go.",
    "Preferences": "How loudly you are told of what, in which order settings apply, and why.",
    "Quiet hours": "Times of the week in which only what matters gets through.",
    "Snoozes": "Quiet hours that start now: for yourself, for a bot, or for a run.",
    "Inbox": "All that you were told, or would have been; unread counts, and receipts of banners.",
    "Conversations": "Customers who want a human.",
    "Links": "What a tap on a banner opens.",
    "Why": "Why you were, or were not, told of something.",
    "Advisor": "For operators: which banners nobody opens, and what to set.",
    "Webhooks": "Not for apps: the door through which the chatbot platform reports what happened.",
}

GUIDE = settings.BASE_DIR / "docs" / "api.md"


def complete(result: Schema, generator: object, request: object, public: bool) -> Schema:
    """A postprocessing hook of drf-spectacular: the guide, the sections, the common answers."""
    # Without its headline, which is the document's title.
    result["info"]["description"] = GUIDE.read_text(encoding="utf-8").partition("\n")[2].strip()
    result["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    result["x-tagGroups"] = [{"name": "Endpoints", "tags": list(TAGS)}]
    result["components"].update(COMPONENTS)
    return result


class ApiSchema(AutoSchema):
    """One operation. Its method's docstring is what it says: a line, then a description."""

    method_mapping = {
        "get": "get",
        "post": "create",
        "put": "set",
        "patch": "change",
        "delete": "delete",
    }

    def get_tags(self) -> list[str]:
        tag = getattr(self.view, "tag", "")
        return [tag] if tag else super().get_tags()

    def get_summary(self) -> str:
        return self._text()[0]

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular does
        return self._text()[1]

    def get_serializer_name(self, serializer: Any, direction: Direction) -> str:
        name: str = super().get_serializer_name(serializer, direction)
        return name.removesuffix("Body")

    def _map_basic_serializer(self, serializer: Any, direction: Direction) -> Schema:
        """A body says of itself what its own docstring says; its base's is for its authors."""
        schema: Schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if type(serializer).__doc__ is None:
            schema.pop("description", None)
        return schema

    def _text(self) -> tuple[str, str]:
        handler = getattr(self.view, self.method.lower(), None)
        summary, _, description = cleandoc(getattr(handler, "__doc__", None) or "").partition("\n")
        return summary.rstrip("."), description.strip()

    def _get_response_bodies(self, direction: Direction = "response") -> Schema:
        responses: Schema = super()._get_response_bodies(direction)
        for status in self._refusals(responses):
            ref = {"$ref": f"#/components/responses/{_name(status)}"}
            responses.setdefault(str(status.value), ref)
        for code, response in responses.items():
            if "description" in response:
                response["description"] = response["description"] or HTTPStatus(int(code)).phrase
        if self.method in SAFE_METHODS and JSON in responses.get("200", {}).get("content", {}):
            responses.setdefault("304", {"description": "As you have it (If-None-Match)."})
        return dict(sorted(responses.items()))

    def _refusals(self, responses: Schema) -> list[HTTPStatus]:
        statuses = set(_MEANINGS)
        if self.method in SAFE_METHODS or self.method == "DELETE":
            statuses -= {
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            }
        if self.method not in ("PATCH", "PUT"):
            statuses -= {HTTPStatus.PRECONDITION_FAILED}
        return sorted(statuses)


__all__ = ["COMPONENTS", "ApiSchema", "security"]
