from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app.event_types import CATALOGUE, Channel
from channels_app.levels import Level
from channels_app.routing import (
    Candidate,
    Decision,
    Device,
    Occasion,
    Outcome,
    Thresholds,
    decide,
    resolve_level,
)
from tests.examples import SMALLEST

PHONE = Device(installation_id=UUID(int=1), critical_sounds=True)
ALICE = Candidate(
    membership_id=1,
    external_id="alice",
    active=True,
    permitted=True,
    subscribed=True,
    devices=(PHONE,),
)


def occasion(type: str, **data: Any) -> Occasion:
    return Occasion(row=CATALOGUE[type], data={**SMALLEST[type], **data})


UNANSWERED = occasion("conversation.unanswered", consecutive_unanswered=3)
LEARNED = occasion("bot.knowledge_added")

# The ladder of the specification: what stands on a higher line is the outcome, whatever applies
# further down. Each line says how to make it apply to an escalation that would be pushed.
Change = tuple[Outcome, dict[str, Any], dict[str, Any]]
LADDER: list[list[Change]] = [
    [(Outcome.ACTOR, {}, {"data": {**UNANSWERED.data, "actor": {"id": "alice"}}})],
    [(Outcome.INACTIVE, {"active": False}, {})],
    [(Outcome.NO_PERMISSION, {"permitted": False}, {})],
    [(Outcome.NOT_SUBSCRIBED, {"subscribed": False}, {})],
    [
        (Outcome.TYPE_OFF, {"type_level": Level.OFF}, {}),
        (Outcome.SOURCE_OFF, {"source_level": Level.OFF}, {}),
    ],
    [(Outcome.BELOW_THRESHOLD, {}, {"thresholds": Thresholds(unanswered=4)})],
    [
        (Outcome.ALREADY_CLAIMED, {}, {"facts": {"state": "claimed"}}),
        (Outcome.RESOLVED, {}, {"facts": {"state": "with_bot"}}),
        (Outcome.RESOLVED, {}, {"facts": {"state": "resolved"}}),
        (Outcome.MOOT, {}, {"facts": {"state": "finished"}}),
    ],
    [(Outcome.NO_DEVICE, {"devices": ()}, {})],
    [(Outcome.PUSHED, {}, {})],
]
EACH = [
    pytest.param(change, id=f"{change[0]}-{i}") for i, line in enumerate(LADDER) for change in line
]


def outcome(*changes: Change) -> Outcome:
    person, what = ALICE, UNANSWERED
    for _, of_person, of_event in changes:
        person, what = replace(person, **of_person), replace(what, **of_event)
    return decide(what, person).outcome


def test_the_ladder_has_every_outcome_in_its_order() -> None:
    assert list(dict.fromkeys(change[0] for line in LADDER for change in line)) == list(Outcome)


@pytest.mark.parametrize("change", EACH)
def test_each_reason_alone_is_the_outcome(change: Change) -> None:
    assert outcome(change) is change[0]


@given(st.tuples(*(st.none() | st.sampled_from(line) for line in LADDER)))
def test_of_several_reasons_the_first_is_the_outcome(drawn: tuple[Change | None, ...]) -> None:
    changes = [change for change in drawn if change is not None]
    assert outcome(*changes) is (changes[0][0] if changes else Outcome.PUSHED)


QUIET, LOUD, CRITICAL, OFF = Level.QUIET, Level.LOUD, Level.CRITICAL, Level.OFF


@pytest.mark.parametrize(
    ("type", "type_level", "source_level", "expected"),
    [
        ("bot.knowledge_added", None, None, (QUIET, "catalogue")),
        ("bot.tool_linked", None, None, (LOUD, "catalogue")),
        ("conversation.human_requested", None, None, (CRITICAL, "catalogue")),
        ("workflow.step_completed", None, None, (OFF, "catalogue")),
        ("bot.knowledge_added", LOUD, None, (LOUD, "type_level")),
        ("bot.knowledge_added", None, LOUD, (LOUD, "source_level")),
        ("bot.knowledge_added", LOUD, OFF, (OFF, "source_level")),
        ("bot.knowledge_added", OFF, LOUD, (LOUD, "source_level")),
        ("workflow.step_completed", QUIET, None, (QUIET, "type_level")),
        ("conversation.human_requested", QUIET, None, (QUIET, "type_level")),
        ("conversation.human_requested", QUIET, CRITICAL, (CRITICAL, "source_level")),
    ],
)
def test_the_level_is_the_most_specific_setting(
    type: str,
    type_level: Level | None,
    source_level: Level | None,
    expected: tuple[Level, str],
) -> None:
    person = replace(ALICE, type_level=type_level, source_level=source_level)
    assert resolve_level(occasion(type), person) == expected


@pytest.mark.parametrize("type", [r.name for r in CATALOGUE.values() if r.channel])
def test_only_an_escalation_can_be_critical(type: str) -> None:
    level, _ = resolve_level(occasion(type), replace(ALICE, type_level=Level.CRITICAL))
    escalation = CATALOGUE[type].channel is Channel.ESCALATION
    assert level is (Level.CRITICAL if escalation else Level.LOUD)


@pytest.mark.parametrize(("status", "level"), [("success", QUIET), ("failure", LOUD)])
def test_a_failed_run_is_louder_than_a_finished_one(status: str, level: Level) -> None:
    assert decide(occasion("workflow.run_finished", status=status), ALICE).level is level


@pytest.mark.parametrize(
    ("count", "threshold", "expected"),
    [
        (2, 3, Outcome.BELOW_THRESHOLD),
        (3, 3, Outcome.PUSHED),
        (4, 3, Outcome.PUSHED),
        (0, 1, Outcome.BELOW_THRESHOLD),
        (1, 1, Outcome.PUSHED),
    ],
)
def test_unanswered_questions_push_from_the_bots_threshold_on(
    count: int, threshold: int, expected: Outcome
) -> None:
    what = occasion("conversation.unanswered", consecutive_unanswered=count)
    what = replace(what, thresholds=Thresholds(unanswered=threshold))
    assert decide(what, ALICE).outcome is expected


@pytest.mark.parametrize(
    ("score", "minimum", "expected"),
    [
        (0.0, 0.0, Outcome.PUSHED),
        (0.79, 0.8, Outcome.BELOW_THRESHOLD),
        (0.8, 0.8, Outcome.PUSHED),
        (1, 1.0, Outcome.PUSHED),
    ],
)
def test_a_tone_pushes_at_or_above_the_bots_minimum(
    score: float, minimum: float, expected: Outcome
) -> None:
    what = occasion("conversation.tone_escalated", score=score)
    what = replace(what, thresholds=Thresholds(tone=minimum))
    assert decide(what, ALICE).outcome is expected


@pytest.mark.parametrize(
    ("type", "threshold"),
    [
        ("conversation.unanswered", "unanswered_threshold"),
        ("conversation.tone_escalated", "tone_minimum"),
    ],
)
def test_the_threshold_that_was_not_reached_is_named(type: str, threshold: str) -> None:
    what = replace(occasion(type), thresholds=Thresholds(unanswered=9, tone=1.0))
    assert decide(what, ALICE).decided_by == threshold


@pytest.mark.parametrize("type", ["bot.knowledge_added", "workflow.run_started"])
def test_only_an_escalation_asks_for_the_permission(type: str) -> None:
    assert decide(occasion(type), replace(ALICE, permitted=False)).outcome is Outcome.PUSHED


def test_the_missing_permission_is_named() -> None:
    decision = decide(UNANSWERED, replace(ALICE, permitted=False))
    assert decision == Decision(Outcome.NO_PERMISSION, Level.CRITICAL, "chatbot.respond")


@pytest.mark.parametrize(
    ("actor", "external_id", "expected"),
    [
        ({"id": "alice"}, "alice", Outcome.ACTOR),
        ({"id": "bob"}, "alice", Outcome.PUSHED),
        ({"id": "Alice"}, "alice", Outcome.PUSHED),
        (None, "alice", Outcome.PUSHED),
        ({"id": "alice"}, "", Outcome.PUSHED),
    ],
)
def test_only_who_did_it_is_the_actor(
    actor: dict[str, str] | None, external_id: str, expected: Outcome
) -> None:
    what = occasion("bot.knowledge_added", actor=actor)
    assert decide(what, replace(ALICE, external_id=external_id)).outcome is expected


def test_the_setting_that_decided_is_named() -> None:
    assert decide(LEARNED, replace(ALICE, type_level=LOUD)).decided_by == "type_level"
    assert decide(LEARNED, replace(ALICE, source_level=OFF)).decided_by == "source_level"


def test_a_conversation_that_still_waits_is_pushed() -> None:
    assert decide(replace(UNANSWERED, facts={"epoch": 2}), ALICE).outcome is Outcome.PUSHED
