from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app.event_types import CATALOGUE, EVENT_TYPES, Channel
from channels_app.levels import Level
from channels_app.quiet_hours import Schedule, Window
from channels_app.routing import (
    Candidate,
    Decision,
    Device,
    Occasion,
    Outcome,
    Policy,
    Setting,
    Snooze,
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


NOW = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=40)
MORNING = datetime(2026, 11, 24, 7, tzinfo=UTC)
NIGHT = Schedule("UTC", (Window(frozenset(range(1, 8)), time(22), time(7)),))
BOT, CONVERSATION = 7, "conv_1"


def occasion(type: str, **data: Any) -> Occasion:
    return Occasion(
        row=CATALOGUE[type],
        data={**SMALLEST[type], **data},
        at=NOW,
        source_id=BOT,
        subject=CONVERSATION,
    )


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
    [(Outcome.CHANNEL_OFF, {}, {"policy": Policy(channels_off=frozenset({"escalation"}))})],
    [
        (Outcome.TYPE_OFF, {"type_level": Level.OFF}, {}),
        (Outcome.TYPE_OFF, {"source_level": Level.OFF}, {}),
    ],
    [(Outcome.SOURCE_OFF, {"subscription_level": Level.OFF}, {})],
    [(Outcome.BELOW_THRESHOLD, {}, {"thresholds": Thresholds(unanswered=4)})],
    [
        (Outcome.ALREADY_CLAIMED, {}, {"facts": {"state": "claimed"}}),
        (Outcome.RESOLVED, {}, {"facts": {"state": "with_bot"}}),
        (Outcome.RESOLVED, {}, {"facts": {"state": "resolved"}}),
        (Outcome.MOOT, {}, {"facts": {"state": "finished"}}),
        (Outcome.MOOT, {}, {"facts": {"state": "superseded"}}),
    ],
    [(Outcome.SNOOZED, {"snoozes": (Snooze(LATER, BOT, CONVERSATION),)}, {})],
    [(Outcome.HELD, {"quiet_hours": NIGHT, "overrides": False}, {})],
    [(Outcome.COLLAPSED, {"crowded_until": LATER}, {"row": CATALOGUE["bot.tool_linked"]})],
    [
        (Outcome.NO_DEVICE, {"devices": ()}, {}),
        (Outcome.NO_DEVICE, {"devices": (replace(PHONE, allowed=False),)}, {}),
        (Outcome.NO_DEVICE, {"devices": (replace(PHONE, phone=False),), "phone_only": True}, {}),
        (
            Outcome.NO_DEVICE,
            {"devices": (replace(PHONE, muted=frozenset({"escalation", "auto_update"})),)},
            {},
        ),
    ],
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


# An escalation is never collapsed: that reason is one of the other channels, where some of the
# reasons above it do not exist.
ESCALATING = [line for line in LADDER if line[0][0] is not Outcome.COLLAPSED]


@given(st.tuples(*(st.none() | st.sampled_from(line) for line in ESCALATING)))
def test_of_several_reasons_the_first_is_the_outcome(drawn: tuple[Change | None, ...]) -> None:
    changes = [change for change in drawn if change is not None]
    assert outcome(*changes) is (changes[0][0] if changes else Outcome.PUSHED)


QUIET, LOUD, CRITICAL, OFF = Level.QUIET, Level.LOUD, Level.CRITICAL, Level.OFF

# The first of these that is set is the level of the type.
WORDS = (Setting.SOURCE_LEVEL, Setting.TYPE_LEVEL, Setting.TYPE_POLICY)
# What becomes of a type's level (row) under what is set for its source as a whole (column).
CAPPED = {
    #         unset     off  quiet  loud
    OFF: (OFF, OFF, OFF, OFF),
    QUIET: (QUIET, OFF, QUIET, LOUD),
    LOUD: (LOUD, OFF, QUIET, LOUD),
    CRITICAL: (CRITICAL, OFF, QUIET, CRITICAL),
}


def levels_set(
    type: str, of_source: Level | None, of_type: Level | None, policy: Level | None
) -> tuple[Occasion, Candidate]:
    what = occasion(type)
    if policy is not None:
        what = replace(what, policy=Policy(levels={type: policy}))
    return what, replace(ALICE, source_level=of_source, type_level=of_type)


@pytest.mark.parametrize("levels", list(product([None, *Level], repeat=3)))
@pytest.mark.parametrize("type", ["conversation.human_requested", "bot.knowledge_added"])
def test_the_level_is_the_most_specific_setting(
    type: str, levels: tuple[Level | None, Level | None, Level | None]
) -> None:
    row = CATALOGUE[type]
    said = [(level, word) for level, word in zip(levels, WORDS, strict=True) if level is not None]
    level, decided_by = said[0] if said else (row.level, Setting.CATALOGUE)
    if level is CRITICAL and row.channel is not Channel.ESCALATION:
        level = LOUD
    assert resolve_level(*levels_set(type, *levels)) == (level, decided_by)


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("column", range(4))
def test_a_source_caps_and_raises_but_wakes_nothing(level: Level, column: int) -> None:
    of_source = (None, OFF, QUIET, LOUD)[column]
    what, person = levels_set("conversation.human_requested", None, level, None)
    resolved, decided_by = resolve_level(what, replace(person, subscription_level=of_source))
    assert resolved is CAPPED[level][column]
    assert decided_by == (Setting.TYPE_LEVEL if resolved is level else Setting.SUBSCRIPTION)


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


def test_a_type_that_the_operators_turned_off_is_off_unless_a_member_wants_it() -> None:
    what = replace(LEARNED, policy=Policy(levels={"bot.knowledge_added": OFF}))
    assert decide(what, ALICE) == Decision(Outcome.TYPE_OFF, OFF, Setting.TYPE_POLICY)
    assert decide(what, replace(ALICE, type_level=LOUD)).outcome is Outcome.PUSHED


def test_a_conversation_that_still_waits_is_pushed() -> None:
    assert decide(replace(UNANSWERED, facts={"epoch": 2}), ALICE).outcome is Outcome.PUSHED


def held(type: str = "bot.tool_linked", **changes: Any) -> Decision:
    return decide(occasion(type), replace(ALICE, **{"quiet_hours": NIGHT, **changes}))


def test_what_comes_in_quiet_hours_is_held_until_they_end() -> None:
    assert held() == Decision(Outcome.HELD, LOUD, Setting.QUIET_HOURS, MORNING)


def test_an_escalation_breaks_through_quiet_hours_unless_that_is_turned_off() -> None:
    assert held("conversation.human_requested").outcome is Outcome.PUSHED
    assert held("conversation.human_requested", overrides=False).outcome is Outcome.HELD


def test_another_channel_breaks_through_if_that_is_turned_on() -> None:
    assert held(overrides=True).outcome is Outcome.PUSHED


@pytest.mark.parametrize(
    ("snooze", "expected"),
    [
        (Snooze(LATER), Outcome.SNOOZED),
        (Snooze(LATER, BOT), Outcome.SNOOZED),
        (Snooze(LATER, BOT, CONVERSATION), Outcome.SNOOZED),
        (Snooze(LATER, BOT, "conv_2"), Outcome.PUSHED),
        (Snooze(LATER, 8), Outcome.PUSHED),
        (Snooze(LATER, 8, CONVERSATION), Outcome.PUSHED),
        (Snooze(NOW), Outcome.PUSHED),
    ],
)
def test_a_snooze_covers_what_it_names_until_it_ends(snooze: Snooze, expected: Outcome) -> None:
    assert decide(LEARNED, replace(ALICE, snoozes=(snooze,))).outcome is expected


def test_a_snooze_of_everything_is_a_quiet_hour_and_an_escalation_breaks_through() -> None:
    snoozing = replace(ALICE, snoozes=(Snooze(LATER),))
    assert decide(UNANSWERED, snoozing).outcome is Outcome.PUSHED
    assert decide(UNANSWERED, replace(snoozing, overrides=False)).outcome is Outcome.SNOOZED


def test_who_snoozes_one_conversation_means_it() -> None:
    snoozing = replace(ALICE, snoozes=(Snooze(LATER, BOT, CONVERSATION),), overrides=True)
    assert decide(UNANSWERED, snoozing).until == LATER


def test_of_several_snoozes_the_longest_counts() -> None:
    snoozes = (Snooze(LATER), Snooze(MORNING, BOT), Snooze(NOW))
    assert decide(LEARNED, replace(ALICE, snoozes=snoozes)).until == MORNING


def test_an_escalation_is_never_collapsed() -> None:
    assert decide(UNANSWERED, replace(ALICE, crowded_until=LATER)).outcome is Outcome.PUSHED


def test_a_muted_device_is_left_out_and_the_others_are_told() -> None:
    muted = replace(PHONE, installation_id=UUID(int=2), muted=frozenset({"auto_update"}))
    assert decide(LEARNED, replace(ALICE, devices=(muted, PHONE))).devices == (PHONE,)
    assert decide(UNANSWERED, replace(ALICE, devices=(muted, PHONE))).devices == (muted, PHONE)


def test_phone_only_leaves_the_browsers_out() -> None:
    browser = replace(PHONE, installation_id=UUID(int=2), phone=False)
    decision = decide(UNANSWERED, replace(ALICE, devices=(browser, PHONE), phone_only=True))
    assert decision.devices == (PHONE,)


@pytest.mark.parametrize(
    ("changes", "decided_by"),
    [
        ({"devices": ()}, ""),
        ({"devices": (replace(PHONE, allowed=False),)}, "os_permission"),
        ({"devices": (replace(PHONE, phone=False),), "phone_only": True}, "phone_only"),
        ({"devices": (replace(PHONE, muted=frozenset({"escalation"})),)}, "muted"),
    ],
)
def test_why_no_device_is_told_is_named(changes: dict[str, Any], decided_by: str) -> None:
    assert decide(UNANSWERED, replace(ALICE, **changes)).decided_by == decided_by


DIGEST = Occasion(
    row=EVENT_TYPES["member.digest"],
    data={"count": 2, "channels": ["auto_update", "workflow"], "level": "loud"},
    at=NOW,
)


def test_a_notice_is_never_held() -> None:
    busy = replace(ALICE, quiet_hours=NIGHT, snoozes=(Snooze(LATER),), crowded_until=LATER)
    assert decide(DIGEST, busy).outcome is Outcome.PUSHED


def test_a_digest_is_as_loud_as_what_it_tells_of() -> None:
    assert decide(DIGEST, ALICE).level is LOUD


@pytest.mark.parametrize(
    ("muted", "expected"),
    [
        ({"auto_update"}, Outcome.PUSHED),
        ({"auto_update", "workflow"}, Outcome.NO_DEVICE),
    ],
)
def test_a_digest_skips_the_devices_that_mute_all_of_it(muted: set[str], expected: Outcome) -> None:
    device = replace(PHONE, muted=frozenset(muted))
    assert decide(DIGEST, replace(ALICE, devices=(device,))).outcome is expected
