from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.conf import settings

from channels_app.event_types import CATALOGUE
from pushbridge.demo.cast import ACME, GLOBEX, TENANTS, Phone
from pushbridge.demo.story import Scene, fresh, level_on, read_examples, story

EXAMPLES = read_examples(settings.BASE_DIR / "docs" / "examples")
SCENES = [scene for chapter in story(EXAMPLES) for scene in chapter.scenes]
NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)


def test_all_twelve_examples_are_played_with_their_golden_banners() -> None:
    played = [(scene.event, scene.banner) for scene in SCENES]

    assert sorted(EXAMPLES) == [f"{number:02}" for number in range(1, 13)]
    assert all((example.event, example.banner) in played for example in EXAMPLES.values())


def test_every_type_that_pushes_is_played() -> None:
    assert {scene.event["type"] for scene in SCENES} >= {
        row.name for row in CATALOGUE.values() if row.channel is not None
    }


def test_the_three_channels_have_the_names_of_the_reference_page() -> None:
    assert [chapter.title for chapter in story(EXAMPLES)][:3] == [
        "Customer requested human",
        "Agent auto-update",
        "Workflow status",
    ]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.says)
def test_whoever_is_named_belongs_to_the_organization(scene: Scene) -> None:
    people = {person.name for person in scene.tenant.people}

    assert people >= {*scene.told, *scene.outcomes}
    assert not set(scene.told) & scene.outcomes.keys()


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.says)
def test_a_banner_has_somebody_to_see_it(scene: Scene) -> None:
    assert bool(scene.banner) == bool(scene.phones()) == bool(scene.level)


def test_five_banners_of_the_reference_page_reach_all_three_platforms() -> None:
    platforms = {phone.name: phone.platform for tenant in TENANTS for _, phone in tenant.phones()}
    for number in ("01", "04", "08", "10", "12"):
        scene = next(scene for scene in SCENES if scene.event == EXAMPLES[number].event)

        assert {platforms[phone] for phone in scene.phones()} == {"apns", "fcm", "webpush"}


def test_both_organizations_know_a_bot_of_the_same_id() -> None:
    assert ACME.bots[0].external_id == GLOBEX.bots[0].external_id


@pytest.mark.parametrize(
    ("phone", "level", "expected"),
    [
        (Phone("iPhone", "apns", critical_allowed=True), "critical", "critical"),
        (Phone("iPhone", "apns"), "critical", "loud"),
        (Phone("iPhone", "apns"), "quiet", "quiet"),
        (Phone("Pixel", "fcm"), "critical", "critical"),
        (Phone("MacBook", "webpush"), "critical", "critical"),
    ],
)
def test_only_an_iphone_without_leave_is_less_than_critical(
    phone: Phone, level: str, expected: str
) -> None:
    assert level_on(phone, level) == expected


def test_a_performance_has_conversations_and_runs_of_its_own() -> None:
    conversation = fresh(EXAMPLES["01"].event, tag="a", happened_at=NOW)
    run = fresh(EXAMPLES["08"].event, tag="a", happened_at=NOW)

    assert conversation["data"]["conversation"]["id"] == "conv_1001-a"
    assert run["data"]["run"]["id"] == "run_501-a"
    assert EXAMPLES["01"].event["data"]["conversation"]["id"] == "conv_1001"


def test_a_performance_happens_now() -> None:
    assert fresh(EXAMPLES["04"].event, tag="a", happened_at=NOW)["timestamp"] == (
        "2026-11-23T09:15:00Z"
    )
