from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from channels_app.advisor import loudness
from channels_app.advisor.advice import Advice, Knob, Option
from channels_app.advisor.tallies import RINGING, Group, Sent, Tally
from channels_app.levels import Level
from channels_app.routing import Policy

LEADS, KPI = 1, 2
STEPS = "workflow.step_completed"
STUCK = "workflow.step_stuck"
FINISHED = "workflow.run_finished"
NO_POLICY = Policy()


def group(type: str, level: Level, banners: int = 1240, **more: object) -> Group:
    plain = Group(type, LEADS, level, own=False, subscription=None, banners=banners)
    return replace(plain, **more)  # type: ignore[arg-type]  # its own fields


def sent(groups: Iterable[Group], *, opened: float = 0.0, read: float | None = None) -> Sent:
    """As if each banner had been told to one person, and each kind been opened equally often."""
    groups = tuple(groups)

    def tally(*, types: Iterable[str], sources: Iterable[int | None]) -> Tally:
        within = [one for one in groups if one.type in types and one.source_id in sources]
        count = sum(one.banners for one in within)
        return Tally(
            pushed=count,
            told=count,
            people=14,
            banners=count,
            rings=sum(one.banners for one in within if one.level in RINGING),
            known=count,
            opened=int(count * opened),
            read=int(count * (opened if read is None else read)),
        )

    types = {one.type for one in groups}
    sources = {one.source_id for one in groups}
    return Sent(
        total=tally(types=types, sources=sources),
        of_type={type: tally(types=[type], sources=sources) for type in types},
        of_source={source: tally(types=types, sources=[source]) for source in sources},
        of_both={
            (one.type, one.source_id): tally(types=[one.type], sources=[one.source_id])
            for one in groups
        },
        groups=groups,
    )


def only(advice: list[Advice]) -> Advice:
    (one,) = advice
    return one


def test_what_nobody_opens_could_be_off_for_everyone() -> None:
    steps = Policy(levels={STEPS: Level.QUIET})

    advice = only(loudness.advise(sent([group(STEPS, Level.QUIET)], opened=0.004), policy=steps))

    assert (advice.knob, advice.type, advice.source_id) == (Knob.TYPE_POLICY, STEPS, None)
    assert advice.options == (Option("off", banners=1240, rings=0),)
    assert advice.tally.people == 14


def test_what_rings_could_be_off_or_quiet() -> None:
    loud = Policy(levels={STEPS: Level.LOUD})

    advice = only(loudness.advise(sent([group(STEPS, Level.LOUD)]), policy=loud))

    assert advice.options == (
        Option("off", banners=1240, rings=1240),
        Option("quiet", banners=0, rings=1240),
    )


@pytest.mark.parametrize("type", [STUCK, FINISHED, "bot.tool_linked", "bot.prompt_tuned"])
def test_what_tells_of_trouble_or_of_a_big_change_is_never_advised_to_be_off(type: str) -> None:
    advice = only(loudness.advise(sent([group(type, Level.LOUD)]), policy=NO_POLICY))

    assert advice.options == (Option("quiet", banners=0, rings=1240),)


@pytest.mark.parametrize(
    "type",
    [
        "conversation.human_requested",
        "conversation.unanswered",
        "conversation.tone_escalated",
        "conversation.still_waiting",
        "conversation.unanswered_alarm",
        "bot.unreachable",
        "member.digest",
    ],
)
def test_a_customer_is_never_noise_and_nor_is_our_own_word(type: str) -> None:
    found = sent([group(type, Level.CRITICAL), group(type, Level.LOUD)])

    assert loudness.advise(found, policy=NO_POLICY) == []


def test_what_is_read_in_the_inbox_is_not_taken_from_there() -> None:
    quiet = sent([group(STEPS, Level.QUIET)], read=0.4)
    loud = sent([group(STEPS, Level.LOUD)], read=0.4)
    policy = Policy(levels={STEPS: Level.LOUD})

    assert loudness.advise(quiet, policy=policy) == []
    assert only(loudness.advise(loud, policy=policy)).options == (Option("quiet", rings=1240),)


@pytest.mark.parametrize(("banners", "opened"), [(60, 0.0), (1240, 0.05), (1240, 0.3)])
def test_where_too_little_is_known_or_enough_is_opened_there_is_no_advice(
    banners: int, opened: float
) -> None:
    found = sent([group(STUCK, Level.LOUD, banners)], opened=opened)

    assert loudness.advise(found, policy=NO_POLICY) == []


def test_a_policy_leaves_those_who_have_set_their_own() -> None:
    found = sent(
        [group(STUCK, Level.LOUD, 400), group(STUCK, Level.LOUD, 840, own=True)], opened=0.0
    )

    advice = only(loudness.advise(found, policy=NO_POLICY))

    assert advice.options == (Option("quiet", rings=400),)
    assert advice.own_banners == 840


def test_where_all_have_set_their_own_a_policy_would_change_nothing() -> None:
    found = sent([group(STEPS, Level.QUIET, own=True)])

    advice = only(loudness.advise(found, policy=NO_POLICY))

    assert (advice.knob, advice.source_id) == (Knob.SOURCE_LEVEL, LEADS)
    assert advice.options == (Option("off", banners=1240),)


def test_what_was_turned_down_meanwhile_saves_nothing_any_more() -> None:
    found = sent([group(STUCK, Level.LOUD)])

    for level in (Level.QUIET, Level.OFF):
        policy = Policy(levels={STUCK: level})
        advice = [one for one in loudness.advise(found, policy=policy) if one.source_id is None]
        assert advice == []
    assert loudness.advise(found, policy=Policy(frozenset({"workflow"}))) == []


def test_who_wants_all_of_a_source_loud_is_not_made_quiet_by_a_policy() -> None:
    found = sent([group(STUCK, Level.LOUD, subscription=Level.LOUD)])

    advice = only(loudness.advise(found, policy=NO_POLICY))

    assert advice.knob is Knob.SOURCE_LEVEL


def test_where_one_source_alone_is_noisy_the_others_keep_their_level() -> None:
    noisy = sent([group(STUCK, Level.LOUD, 300, source_id=LEADS)])
    heard = sent([group(STUCK, Level.LOUD, 300, source_id=KPI)], opened=0.8)
    both = Sent(
        of_type={STUCK: replace(noisy.of_type[STUCK], told=600, known=600, opened=240)},
        of_source={**noisy.of_source, **heard.of_source},
        of_both={**noisy.of_both, **heard.of_both},
        groups=noisy.groups + heard.groups,
    )

    advice = only(loudness.advise(both, policy=NO_POLICY))

    assert (advice.knob, advice.type, advice.source_id) == (Knob.SOURCE_LEVEL, STUCK, LEADS)
    assert advice.options == (Option("quiet", rings=300),)


def all_of_a_workflow() -> Sent:
    """All of one workflow is rarely opened, while what others send is."""
    found = sent([group(STUCK, Level.LOUD, 100), group(FINISHED, Level.LOUD, 100)])
    opened = {type: replace(tally, opened=90) for type, tally in found.of_type.items()}
    return replace(found, of_type=opened)


def test_where_all_of_a_workflow_is_rarely_opened_all_of_it_could_be_quiet() -> None:
    advice = only(loudness.advise(all_of_a_workflow(), policy=NO_POLICY))

    assert (advice.knob, advice.type, advice.source_id) == (Knob.SUBSCRIPTION, "", LEADS)
    assert advice.options == (Option("quiet", rings=200),)


def test_a_bot_is_never_hushed_as_a_whole() -> None:
    types = {STUCK: "bot.tool_linked", FINISHED: "bot.prompt_tuned"}
    workflow = all_of_a_workflow()
    bot = replace(
        workflow,
        of_type={types[type]: tally for type, tally in workflow.of_type.items()},
        of_both={
            (types[type], source): tally for (type, source), tally in workflow.of_both.items()
        },
        groups=tuple(replace(one, type=types[one.type]) for one in workflow.groups),
    )

    knobs = {one.knob for one in loudness.advise(bot, policy=NO_POLICY)}

    assert knobs == {Knob.SOURCE_LEVEL}


def test_what_would_save_a_handful_is_not_worth_it() -> None:
    found = sent([group(STUCK, Level.LOUD, 19), group(STUCK, Level.QUIET, 500)])

    assert loudness.advise(found, policy=NO_POLICY) == []
