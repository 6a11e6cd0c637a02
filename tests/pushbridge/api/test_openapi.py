from __future__ import annotations

from typing import Any

import pytest

from pushbridge.api.closed_bodies import close
from pushbridge.api.next_steps import STEPS, Step
from tests.contract.operations import described, document


def by_id() -> dict[str, dict[str, Any]]:
    return {found["operationId"]: found for found in described().values()}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.operation}-{step.follower}")
def test_a_step_goes_to_an_operation_and_gives_parameters_of_it(step: Step) -> None:
    follower = by_id()[step.follower]
    answers = by_id()[step.operation]["responses"]

    assert set(step.parameters) <= {one["name"] for one in follower["parameters"]}
    assert any(step.follower in answer.get("links", {}) for answer in answers.values())


def test_a_body_that_only_we_are_sent_has_no_further_members() -> None:
    schemas = document()["components"]["schemas"]

    assert schemas["DeviceRegistration"]["additionalProperties"] is False
    assert schemas["WebPushKeys"]["additionalProperties"] is False


def test_a_body_that_is_answered_too_may_get_further_ones() -> None:
    assert "additionalProperties" not in document()["components"]["schemas"]["Device"]


def test_bodies_that_refer_to_themselves_are_read_once() -> None:
    tree = {"properties": {"parts": {"items": {"$ref": "#/components/schemas/Tree"}}}}
    body = {"requestBody": {"$ref": "#/components/schemas/Tree"}}

    found = close(
        {"paths": {"/": {"put": body}}, "components": {"schemas": {"Tree": tree}}}, None, None, True
    )

    assert found["components"]["schemas"]["Tree"]["additionalProperties"] is False
