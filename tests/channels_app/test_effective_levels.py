from __future__ import annotations

from itertools import product

import pytest

from channels_app.effective_levels import Words, failure_level, usual_level
from channels_app.event_types import CATALOGUE, Channel
from channels_app.levels import Level
from channels_app.routing import Outcome, Policy

HUMAN = "conversation.human_requested"
UNANSWERED = "conversation.unanswered"
TONE = "conversation.tone_escalated"
LEARNED = "bot.knowledge_added"
FINISHED = "workflow.run_finished"
OFF, QUIET, LOUD, CRITICAL = Level

LEVELS = [
    (HUMAN, Words(), Policy(), CRITICAL, "catalogue"),
    # However high the bot's thresholds are: they are about single events.
    (UNANSWERED, Words(), Policy(), CRITICAL, "catalogue"),
    (TONE, Words(), Policy(), CRITICAL, "catalogue"),
    (LEARNED, Words(), Policy(), QUIET, "catalogue"),
    (LEARNED, Words(), Policy(levels={LEARNED: LOUD}), LOUD, "type_policy"),
    (LEARNED, Words(of_type=OFF), Policy(levels={LEARNED: LOUD}), OFF, "type_level"),
    (LEARNED, Words(of_type=OFF, of_source=LOUD), Policy(), LOUD, "source_level"),
    (LEARNED, Words(of_subscription=LOUD), Policy(), LOUD, "subscription"),
    (HUMAN, Words(of_subscription=QUIET), Policy(), QUIET, "subscription"),
    (HUMAN, Words(of_subscription=OFF), Policy(), OFF, "subscription"),
    (LEARNED, Words(of_type=OFF, of_subscription=LOUD), Policy(), OFF, "type_level"),
    (HUMAN, Words(permitted=False), Policy(), OFF, "chatbot.respond"),
    (LEARNED, Words(permitted=False), Policy(), QUIET, "catalogue"),
    (
        LEARNED,
        Words(of_type=LOUD),
        Policy(channels_off=frozenset({"auto_update"})),
        OFF,
        "channel_policy",
    ),
]


@pytest.mark.parametrize(("event_type", "words", "policy", "level", "decided_by"), LEVELS)
def test_the_level_and_the_setting_that_has_the_last_word(
    event_type: str, words: Words, policy: Policy, level: Level, decided_by: str
) -> None:
    found = usual_level(CATALOGUE[event_type], policy=policy, words=words)

    assert (found.level, found.decided_by) == (level, decided_by)


def test_a_failure_has_a_level_and_a_reason_of_its_own() -> None:
    row, words = CATALOGUE[FINISHED], Words(of_subscription=QUIET)

    usual = usual_level(row, policy=Policy(), words=words)
    failed = failure_level(row, policy=Policy(), words=words)

    assert (usual.level, usual.decided_by) == (QUIET, "catalogue")
    assert failed is not None
    assert (failed.level, failed.decided_by) == (QUIET, "subscription")


def test_most_types_tell_of_no_failure() -> None:
    assert failure_level(CATALOGUE[LEARNED], policy=Policy(), words=Words()) is None


def test_nothing_but_a_setting_ever_keeps_an_event_away() -> None:
    levels = [None, *Level]
    settings = {
        Outcome.PUSHED,
        Outcome.NO_PERMISSION,
        Outcome.CHANNEL_OFF,
        Outcome.TYPE_OFF,
        Outcome.SOURCE_OFF,
    }
    for row in CATALOGUE.values():
        if row.channel in (None, Channel.NOTICE):
            continue
        for of_type, of_source, of_all in product(levels, levels, [None, OFF, QUIET, LOUD]):
            words = Words(of_type, of_source, of_all)
            found = usual_level(row, policy=Policy(), words=words)
            assert found.outcome in settings and found.decided_by
            assert (found.level is OFF) == (found.outcome is not Outcome.PUSHED)
