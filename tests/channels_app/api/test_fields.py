from __future__ import annotations

from typing import Any

import pytest
from rest_framework import serializers

from channels_app.api.fields import Body


class PartBody(Body):
    on = serializers.BooleanField()


class ThingBody(Body):
    flag = serializers.BooleanField(allow_null=True)
    count = serializers.IntegerField()
    name = serializers.CharField()
    key = serializers.UUIDField()
    days = serializers.ListField(child=serializers.IntegerField(max_value=7))
    part = PartBody()
    parts = PartBody(many=True)


KEY = "6f9a3c1e-6a53-4b5e-9d0f-0f6a5d9e2b11"
RIGHT: dict[str, Any] = {
    "flag": None,
    "count": 5,
    "name": "5",
    "key": KEY,
    "days": [1, 2],
    "part": {"on": True},
    "parts": [],
}


def faults(**changed: Any) -> dict[str, Any]:
    body = ThingBody(data={**RIGHT, **changed})
    body.is_valid()
    return dict(body.errors)


def test_a_body_of_the_types_that_the_document_says_is_right() -> None:
    assert faults() == {}


@pytest.mark.parametrize(
    ("member", "value", "fault"),
    [
        ("flag", 1, "must be true or false"),
        ("flag", "yes", "must be true or false"),
        ("count", "5", "must be a whole number"),
        ("name", 5, "must be a string"),
        ("key", 5, "must be a string"),
    ],
)
def test_a_value_of_another_type_is_not_made_to_fit(member: str, value: Any, fault: str) -> None:
    assert faults(**{member: value}) == {member: [fault]}


def test_a_whole_number_may_have_a_decimal_point() -> None:
    assert faults(count=5.0) == {}


def test_each_element_of_a_list_is_looked_at() -> None:
    assert faults(days=[1, "2", 3]) == {"days": {1: ["must be a whole number"]}}


def test_so_are_the_objects_in_an_object() -> None:
    found = faults(part={"on": "yes"}, parts=[{"on": True}, {"on": 0}])

    assert found["part"] == {"on": ["must be true or false"]}
    assert found["parts"] == {1: {"on": ["must be true or false"]}}


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = faults(flag="yes", nmae="", days=[8], name="")

    assert set(found) == {"flag", "nmae", "days", "name"}
