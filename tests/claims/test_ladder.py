"""The ladder, by tables and by properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims import ladder, models
from claims.ladder import DEFAULT, Audience, Ladder, Wave


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def test_unless_set_subscribers_are_told_then_all_who_may_respond_then_operators() -> None:
    assert [(one.after, one.wave.audience, one.alarm) for one in ladder.rungs(DEFAULT)] == [
        (minutes(0), Audience.SUBSCRIBERS, False),
        (minutes(3), Audience.RESPONDERS, False),
        (minutes(6), Audience.RESPONDERS, False),
        (minutes(9), Audience.RESPONDERS, False),
        (minutes(12), Audience.OPERATORS, True),
    ]
    assert DEFAULT.claim_lease == minutes(30)


FIRST = Wave(minutes(0), Audience.AWAKE)
ROLE = Wave(minutes(5), Audience.ROLE, role_id=7)


@pytest.mark.parametrize(
    ("set_by_operators", "offsets"),
    [
        (Ladder((FIRST,), repeats=0, alarm=False), [0]),
        (Ladder((FIRST,), repeats=0), [0, 3]),
        (Ladder((FIRST,), repeats=2, repeat_every=minutes(1), alarm=False), [0, 1, 2]),
        (Ladder((FIRST, ROLE), repeats=1, repeat_every=minutes(10)), [0, 5, 15, 25]),
    ],
)
def test_rungs_stand_at_their_times(set_by_operators: Ladder, offsets: list[int]) -> None:
    steps = ladder.rungs(set_by_operators)
    assert [step.after for step in steps] == [minutes(offset) for offset in offsets]


def test_what_is_repeated_is_the_last_wave() -> None:
    steps = ladder.rungs(Ladder((FIRST, ROLE), repeats=2))
    assert [(step.wave.role_id, step.repeated) for step in steps] == [
        (None, 0),
        (7, 0),
        (7, 1),
        (7, 2),
        (None, 0),
    ]


@pytest.mark.parametrize(
    ("rung", "rest"), [(0, None), (1, 3), (2, 3), (3, 3), (4, 3), (5, None), (9, None)]
)
def test_the_climb_rests_between_two_rungs(rung: int, rest: int | None) -> None:
    expected = None if rest is None else minutes(rest)
    assert ladder.gap(ladder.rungs(DEFAULT), rung) == expected


@pytest.mark.parametrize("rung", range(5))
def test_after_a_rung_comes_the_next(rung: int) -> None:
    assert ladder.following(ladder.rungs(DEFAULT), rung) == rung


@pytest.mark.parametrize(("rung", "next_rung"), [(1, 1), (2, 4), (3, 4), (4, 4)])
def test_who_could_not_be_told_is_not_told_again(rung: int, next_rung: int) -> None:
    assert ladder.following(ladder.rungs(DEFAULT), rung, unreached=True) == next_rung


@pytest.mark.parametrize(("alarm", "next_rung"), [(True, 1), (False, None)])
def test_of_a_ladder_that_became_shorter_only_the_alarm_is_left(
    alarm: bool, next_rung: int | None
) -> None:
    steps = ladder.rungs(Ladder((FIRST,), repeats=0, alarm=alarm))
    assert ladder.following(steps, 4) == next_rung


def test_the_default_is_without_fault() -> None:
    assert ladder.faults(DEFAULT) == []


@pytest.mark.parametrize(
    ("waves", "places"),
    [
        ((), {"/waves"}),
        ((Wave(minutes(1), Audience.AWAKE),), {"/waves/0/after"}),
        ((Wave(minutes(0), Audience.OPERATORS),), {"/waves/0/audience"}),
        ((Wave(minutes(0), Audience.RESPONDERS),), {"/waves/0/audience"}),
        ((Wave(minutes(0), Audience.ROLE),), {"/waves/0/audience", "/waves/0/role"}),
        ((FIRST, Wave(minutes(0), Audience.RESPONDERS)), {"/waves/1/after"}),
        ((FIRST, replace(ROLE, after=minutes(0.4))), {"/waves/1/after"}),
        ((FIRST, replace(ROLE, role_id=None)), {"/waves/1/role"}),
        ((FIRST, Wave(minutes(3), Audience.RESPONDERS, role_id=7)), {"/waves/1/role"}),
        ((FIRST, replace(ROLE, after=timedelta(hours=25))), {"/waves/1/after"}),
        # As a form may list them.
        ((ROLE, FIRST), set()),
        ((ROLE, Wave(minutes(2), Audience.AWAKE)), {"/waves/1/after"}),
        (tuple(Wave(minutes(n), Audience.AWAKE) for n in range(11)), {"/waves"}),
    ],
)
def test_a_fault_of_a_wave_names_its_place(waves: tuple[Wave, ...], places: set[str]) -> None:
    assert {fault.pointer for fault in ladder.faults(Ladder(waves))} == places


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        (replace(DEFAULT, repeats=21), "/repeats"),
        (replace(DEFAULT, repeats=-1), "/repeats"),
        (replace(DEFAULT, repeat_every=timedelta(seconds=29)), "/repeat_every"),
        (replace(DEFAULT, repeat_every=timedelta(days=2)), "/repeat_every"),
        (replace(DEFAULT, claim_lease=timedelta(seconds=59)), "/claim_lease"),
        (replace(DEFAULT, claim_lease=timedelta(days=31)), "/claim_lease"),
    ],
)
def test_a_fault_of_the_ladder_names_its_place(changed: Ladder, place: str) -> None:
    assert [fault.pointer for fault in ladder.faults(changed)] == [place]


def test_a_claim_may_last_for_ever() -> None:
    assert ladder.faults(replace(DEFAULT, claim_lease=None)) == []


def test_the_table_knows_the_same_audiences() -> None:
    assert {one.value for one in Audience} == {one.value for one in models.Wave.Audience}


GAPS = st.timedeltas(min_value=ladder.SHORTEST_GAP, max_value=timedelta(hours=1))


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    """Any that operators may set."""
    waves = [Wave(timedelta(), draw(st.sampled_from(sorted(ladder.ROUTED))))]
    for rest in draw(st.lists(GAPS, max_size=ladder.MOST_WAVES - 1)):
        audience = draw(st.sampled_from(Audience))
        role_id = 7 if audience is Audience.ROLE else None
        waves.append(Wave(waves[-1].after + rest, audience, role_id))
    return Ladder(
        waves=tuple(waves),
        repeats=draw(st.integers(0, ladder.MOST_REPEATS)),
        repeat_every=draw(GAPS),
        alarm=draw(st.booleans()),
    )


@given(ladders())
def test_any_ladder_is_climbed_to_its_end_and_never_in_a_rush(set_by_operators: Ladder) -> None:
    assert ladder.faults(set_by_operators) == []
    steps = ladder.rungs(set_by_operators)
    at, rung = timedelta(), 1
    while (rest := ladder.gap(steps, rung)) is not None:
        assert rest >= ladder.SHORTEST_GAP
        at, rung = at + rest, rung + 1
        assert at == steps[rung - 1].after
    assert rung == len(steps)
    assert [step.alarm for step in steps].count(True) == set_by_operators.alarm
    assert steps[-1].alarm == set_by_operators.alarm


@given(ladders(), st.integers(1, 40))
def test_after_those_who_could_not_be_told_come_others(one: Ladder, rung: int) -> None:
    steps = ladder.rungs(one)
    at = ladder.following(steps, rung, unreached=True)
    assert at is None or not steps[at].repeated
    if at is not None and rung < len(steps):
        assert all(step.repeated for step in steps[rung:at])
