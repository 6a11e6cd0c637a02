from __future__ import annotations

from dataclasses import replace

import pytest

from pushbridge.demo.cast import GLOBEX
from pushbridge.demo.sandbox import Arrival
from pushbridge.demo.story import Banner, Scene
from pushbridge.demo.verdicts import Outcome, Played, faults, timings

BANNER = Banner("Title", "First line.\nSecond line.")
SCENE = Scene(
    "Something happens.",
    {"type": "bot.retrained", "data": {}},
    BANNER,
    "critical",
    ("Bob",),
    {"Carol": "type_off"},
)
OUTCOMES = {"Bob": Outcome("pushed"), "Carol": Outcome("type_off", "type_level")}
ON_BOBS_PHONE = Arrival(
    seq=1,
    phone="Bob's Pixel",
    owner="Bob",
    platform="fcm",
    received_at=100.02,
    title=BANNER.title,
    body=BANNER.body,
    level="critical",
    replaced=False,
    warnings=(),
    event_id="7",
)


def played(*arrivals: Arrival, scene: Scene = SCENE) -> Played:
    return Played(
        scene,
        statuses=[202],
        event_ids=["7"],
        sent_at=100.0,
        arrivals=list(arrivals),
        outcomes=OUTCOMES,
        deliveries={"Bob's Pixel": "pending after 2 attempts: Unavailable"},
    )


def test_a_scene_that_went_as_it_had_to_has_no_faults() -> None:
    assert faults(played(ON_BOBS_PHONE)) == []


def test_a_missing_banner_is_named_with_how_far_its_delivery_has_come() -> None:
    assert faults(played()) == [
        "Bob's Pixel: no banner came (pending after 2 attempts: Unavailable)"
    ]


def test_a_missing_delivery_is_said_to_be_missing() -> None:
    silent = played()
    silent.deliveries = {}

    assert faults(silent) == ["Bob's Pixel: no banner came (there is no delivery)"]


@pytest.mark.parametrize(
    ("arrival", "fault"),
    [
        (replace(ON_BOBS_PHONE, title="Titel"), "Bob's Pixel: the title is “Titel”, not “Title”"),
        (
            replace(ON_BOBS_PHONE, body="&quot;"),
            "Bob's Pixel: the text is “&quot;”, not “First line.\nSecond line.”",
        ),
        (replace(ON_BOBS_PHONE, level="quiet"), "Bob's Pixel: it is quiet, not critical"),
        (replace(ON_BOBS_PHONE, warnings=("no channel 'x'",)), "Bob's Pixel: no channel 'x'"),
    ],
)
def test_a_banner_that_is_not_word_for_word_right_is_a_fault(arrival: Arrival, fault: str) -> None:
    assert faults(played(arrival)) == [fault]


def test_a_banner_on_somebody_elses_phone_is_a_fault() -> None:
    leaked = replace(ON_BOBS_PHONE, phone="Dave's Pixel", owner="Dave")

    assert faults(played(ON_BOBS_PHONE, leaked)) == ["Dave's Pixel: unexpected banner “Title”"]


def test_a_banner_that_comes_twice_is_a_fault() -> None:
    assert faults(played(ON_BOBS_PHONE, ON_BOBS_PHONE)) == ["Bob's Pixel: the banner came 2 times"]


def test_an_outcome_other_than_the_expected_one_is_a_fault() -> None:
    told = played(ON_BOBS_PHONE)
    told.outcomes = {**OUTCOMES, "Carol": Outcome("no_device")}

    assert faults(told) == ["Carol: recorded as no_device, not type_off"]


def test_an_outcome_that_was_not_recorded_is_a_fault() -> None:
    told = played(ON_BOBS_PHONE)
    told.outcomes = {}

    assert faults(told) == ["Carol: recorded as nothing, not type_off"]


def test_somebody_of_another_organization_who_was_considered_is_a_fault() -> None:
    told = played(ON_BOBS_PHONE)
    told.outcomes = {**OUTCOMES, GLOBEX.people[0].name: Outcome("not_subscribed")}

    assert faults(told) == ["Dave of Globex was considered"]


def test_an_answer_of_the_door_other_than_the_expected_one_is_a_fault() -> None:
    refused = replace_statuses(played(ON_BOBS_PHONE), [503])

    assert faults(refused) == ["the door answered [503], not [202]"]


def test_a_repeated_webhook_must_be_known_and_stay_one_event() -> None:
    twice = played(ON_BOBS_PHONE, scene=replace(SCENE, sent_again=True))

    assert faults(replace_statuses(twice, [202, 200])) == []
    twice.event_ids = ["7", "8"]
    assert faults(twice) == ["one webhook became 2 events"]


def replace_statuses(scene: Played, statuses: list[int]) -> Played:
    scene.statuses = statuses
    return scene


def test_a_banner_is_timed_from_the_webhook_to_the_gateway() -> None:
    assert timings([played(ON_BOBS_PHONE)]) == [pytest.approx(20, abs=0.01)]
