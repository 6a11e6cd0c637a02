from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from channels_app.event_shapes import Shape
from channels_app.event_types import CATALOGUE, Channel
from channels_app.levels import Lane, Level
from tests.examples import EXAMPLES, SMALLEST, Example

# What somebody is told that they did not know; the rest takes the place of that.
PUSHING = [row for row in CATALOGUE.values() if row.channel and not row.retracts]

# The specification's table "Events".
LEVELS = {
    "conversation.human_requested": (Channel.ESCALATION, Level.CRITICAL),
    "conversation.unanswered": (Channel.ESCALATION, Level.CRITICAL),
    "conversation.tone_escalated": (Channel.ESCALATION, Level.CRITICAL),
    "bot.knowledge_added": (Channel.AUTO_UPDATE, Level.QUIET),
    "bot.retrained": (Channel.AUTO_UPDATE, Level.QUIET),
    "bot.prompt_tuned": (Channel.AUTO_UPDATE, Level.LOUD),
    "bot.tool_linked": (Channel.AUTO_UPDATE, Level.LOUD),
    "workflow.run_started": (Channel.WORKFLOW, Level.QUIET),
    "workflow.step_completed": (Channel.WORKFLOW, Level.OFF),
    "workflow.run_finished": (Channel.WORKFLOW, Level.QUIET),
    "workflow.step_stuck": (Channel.WORKFLOW, Level.LOUD),
}

Path = tuple[str, ...]


def leaves(data: dict[str, Any], above: Path = ()) -> Iterator[Path]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from leaves(value, (*above, key))
        else:
            yield (*above, key)


def spoiled(data: dict[str, Any], path: Path, *value: Any) -> dict[str, Any]:
    """A copy in which the field at `path` has another value, or (none given) is missing."""
    data = copy.deepcopy(data)
    parent = data
    for key in path[:-1]:
        parent = parent.setdefault(key, {})
    if value:
        parent[path[-1]] = value[0]
    else:
        del parent[path[-1]]
    return data


def validate(type: str, data: Any) -> Shape:
    return CATALOGUE[type].shape.model_validate(data)


def faults(type: str, data: Any) -> list[Path]:
    with pytest.raises(ValidationError) as caught:
        validate(type, data)
    return [tuple(str(part) for part in error["loc"]) for error in caught.value.errors()]


EVERY_FIELD = [
    pytest.param(type, path, id=f"{type}-{'.'.join(path)}")
    for type, data in SMALLEST.items()
    for path in leaves(data)
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_every_example_is_valid(example: Example) -> None:
    validate(example.type, example.data)


def test_there_are_twelve_examples() -> None:
    assert len(EXAMPLES) == 12


@pytest.mark.parametrize("row", PUSHING, ids=lambda row: row.name)
def test_every_type_that_pushes_has_a_template(row: Any) -> None:
    assert (settings.BASE_DIR / "templates" / "banners" / f"{row.name}.txt").is_file()


def test_every_type_that_pushes_has_an_example_and_no_other_has_one() -> None:
    assert {example.type for example in EXAMPLES} == {row.name for row in PUSHING}


def test_every_type_that_pushes_has_the_channel_and_the_level_of_the_specification() -> None:
    assert {row.name: (row.channel, row.default_level({})) for row in PUSHING} == LEVELS


def test_a_failed_run_is_loud() -> None:
    assert CATALOGUE["workflow.run_finished"].default_level({"status": "failure"}) is Level.LOUD


def test_only_what_is_about_a_conversation_travels_in_the_fast_lane() -> None:
    fast = {name for name, row in CATALOGUE.items() if row.lane is Lane.ESCALATION}
    assert fast == {name for name in CATALOGUE if name.startswith("conversation.")}


def test_there_is_a_smallest_event_of_every_type() -> None:
    assert SMALLEST.keys() == CATALOGUE.keys()


@pytest.mark.parametrize("type", CATALOGUE)
def test_the_required_fields_are_enough(type: str) -> None:
    validate(type, SMALLEST[type])


@pytest.mark.parametrize(("type", "path"), EVERY_FIELD)
def test_a_missing_field_is_refused_by_name(type: str, path: Path) -> None:
    assert path in faults(type, spoiled(SMALLEST[type], path))


@pytest.mark.parametrize("value", [None, [], {}, True], ids=repr)
@pytest.mark.parametrize(("type", "path"), EVERY_FIELD)
def test_a_field_of_a_wrong_type_is_refused_by_name(type: str, path: Path, value: Any) -> None:
    assert path in faults(type, spoiled(SMALLEST[type], path, value))


@pytest.mark.parametrize("type", CATALOGUE)
def test_unknown_fields_are_kept_at_every_depth(type: str) -> None:
    data = spoiled(SMALLEST[type], ("plan", "tier"), ["gold", 7])
    first = next(iter(SMALLEST[type]))
    data = spoiled(data, (first, "colour"), "blue")
    kept = validate(type, data).model_dump()
    assert kept["plan"] == {"tier": ["gold", 7]}
    assert kept[first]["colour"] == "blue"


REFUSED = [
    ("conversation.unanswered", ("consecutive_unanswered",), "3"),
    ("conversation.unanswered", ("consecutive_unanswered",), 3.0),
    ("conversation.unanswered", ("consecutive_unanswered",), -1),
    ("conversation.unanswered", ("consecutive_unanswered",), 2**31),
    ("conversation.tone_escalated", ("score",), "0.9"),
    ("conversation.tone_escalated", ("score",), float("nan")),
    ("conversation.tone_escalated", ("score",), 1.01),
    ("conversation.tone_escalated", ("score",), -0.01),
    ("conversation.tone_escalated", ("tone",), "Anger"),
    ("conversation.human_requested", ("conversation", "id"), ""),
    ("conversation.human_requested", ("conversation", "id"), "x" * 129),
    ("conversation.human_requested", ("conversation", "id"), 1001),
    ("conversation.human_requested", ("conversation", "customer"), {"name": "no id"}),
    ("conversation.human_requested", ("bot", "name"), ""),
    ("conversation.human_requested", ("bot", "name"), "x" * 201),
    ("conversation.human_requested", ("message",), None),
    ("conversation.human_requested", ("message",), "x" * 65_537),
    ("conversation.claimed", ("agent",), "alice"),
    ("bot.knowledge_added", ("chunks",), 0),
    ("bot.knowledge_added", ("chunks",), 12.5),
    ("bot.knowledge_added", ("actor",), {}),
    ("bot.prompt_tuned", ("cause",), "boredom"),
    ("workflow.run_started", ("run", "steps"), 0),
    ("workflow.step_completed", ("step", "index"), 0),
    ("workflow.step_completed", ("step", "duration_seconds"), "12s"),
    ("workflow.step_stuck", ("step", "running_seconds"), float("inf")),
    ("workflow.step_stuck", ("step", "running_seconds"), -0.5),
    ("workflow.step_stuck", ("step", "running_seconds"), 1e9),
    ("workflow.step_stuck", ("step", "average_seconds"), True),
    ("workflow.run_finished", ("status",), "cancelled"),
    ("workflow.run_finished", ("duration_seconds",), float("-inf")),
]


@pytest.mark.parametrize(("type", "path", "value"), REFUSED)
def test_a_value_out_of_its_range_is_refused_by_name(type: str, path: Path, value: Any) -> None:
    found = faults(type, spoiled(SMALLEST[type], path, value))
    assert any(fault[: len(path)] == path for fault in found)


ACCEPTED = [
    ("conversation.tone_escalated", ("score",), 1),
    ("conversation.tone_escalated", ("score",), 0),
    ("conversation.human_requested", ("conversation", "customer"), None),
    ("conversation.human_requested", ("message",), "x" * 65_536),
    ("conversation.human_requested", ("conversation", "id"), "../é\u202e?"),
    ("bot.retrained", ("actor",), None),
    ("workflow.run_started", ("run", "steps"), None),
    ("workflow.run_finished", ("duration_seconds",), 252),
    ("workflow.run_finished", ("duration_seconds",), 251.7),
    ("workflow.step_stuck", ("step", "average_seconds"), None),
]


@pytest.mark.parametrize(("type", "path", "value"), ACCEPTED)
def test_a_value_at_the_edge_of_its_range_is_accepted(type: str, path: Path, value: Any) -> None:
    validate(type, spoiled(SMALLEST[type], path, value))


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(type=st.sampled_from(sorted(CATALOGUE)), data=values)
def test_what_is_no_event_is_refused_and_breaks_nothing(type: str, data: Any) -> None:
    with pytest.raises(ValidationError):
        validate(type, data)
