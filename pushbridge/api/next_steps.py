"""Links of the OpenAPI document: where what one operation answers is what another one asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

# Runtime expressions (OpenAPI 3.1, section 4.8.20.3).
ORGANIZATION = "$request.path.org"
INSTALLATION = "$request.path.installation"
ID = "$response.body#/id"
FIRST_ID = "$response.body#/results/0/id"


@dataclass(frozen=True, slots=True)
class Step:
    """From the answer of `operation` to `follower`, whose parameters it gives."""

    operation: str
    follower: str
    parameters: Mapping[str, str]
    meaning: str


def _of_a_list(operation: str, parameter: str, *followers: str) -> list[Step]:
    parameters = {"org": ORGANIZATION, parameter: FIRST_ID}
    return [Step(operation, one, parameters, "The `id` of an element.") for one in followers]


def _of_the_device(*followers: str) -> list[Step]:
    meaning = "The installation that was registered."
    return [Step("devices_register", one, {"installation": ID}, meaning) for one in followers]


STEPS = [
    *(
        Step("me_get", one, {"org": "$response.body#/memberships/0/organization/slug"}, "The slug.")
        for one in ("inbox_list", "inbox_summary", "bots_list", "workflows_list", "preferences_get")
    ),
    *_of_the_device("devices_get", "devices_change", "devices_test", "devices_unregister"),
    Step("devices_list", "devices_get", {"installation": FIRST_ID}, "The `id` of an element."),
    Step(
        "devices_test",
        "devices_test_progress",
        {"installation": INSTALLATION, "test": ID},
        "How far it has come; `Location` has the same.",
    ),
    *_of_a_list("inbox_list", "notification", "inbox_get", "inbox_read", "inbox_unread"),
    *_of_a_list("bots_list", "bot", "bots_get", "bots_audit_log", "bots_subscription_set"),
    *_of_a_list("workflows_list", "workflow", "workflows_get", "workflows_subscription_set"),
    *_of_a_list("snoozes_list", "snooze", "snoozes_delete"),
    Step("snoozes_set", "snoozes_delete", {"org": ORGANIZATION, "snooze": ID}, "To end it early."),
]


def add_links(result: Schema, generator: object, request: object, public: bool) -> Schema:
    """A postprocessing hook of drf-spectacular."""
    operations = {one["operationId"]: one for one in _operations(result)}
    for step in STEPS:
        for status, response in operations[step.operation]["responses"].items():
            if status.startswith("2"):
                response.setdefault("links", {})[step.follower] = {
                    "operationId": step.follower,
                    "parameters": dict(step.parameters),
                    "description": step.meaning,
                }
    return result


def _operations(document: Schema) -> Iterator[Schema]:
    for item in document["paths"].values():
        yield from (one for one in item.values() if isinstance(one, dict) and "operationId" in one)
