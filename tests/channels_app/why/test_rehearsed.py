from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels_app import why
from channels_app.models import Bot, Membership, Organization
from channels_app.routing import Outcome
from channels_app.why import Answer, NoOutcome, NotImaginable
from tests.channels_app.why.stories import (
    ASKED,
    LINKED,
    MORNING,
    NIGHT,
    alice,
    bot_x,
    read_only,
)
from tests.crowds import crowd
from tests.factories import (
    ChannelPreferenceFactory,
    InstallationFactory,
    MembershipFactory,
    PreferenceFactory,
    QuietWindowFactory,
    SnoozeFactory,
    SubscriptionFactory,
    WorkflowFactory,
)
from tests.queries import executed

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 11, tzinfo=UTC)


@pytest.fixture
def bot() -> Bot:
    return bot_x()


def rehearse(
    bot: Bot, member: Membership, type: str = LINKED, *, at: datetime = NIGHT, **choices: Any
) -> Answer:
    return why.rehearse(membership=member, source=bot, type=type, at=at, now=NOON, **choices)


def test_at_night_it_would_be_kept_and_by_day_it_would_be_told(bot: Bot) -> None:
    member = alice(bot)
    QuietWindowFactory.create(membership=member)

    by_night, by_day = rehearse(bot, member), rehearse(bot, member, at=NOON)

    assert by_night.outcome is Outcome.HELD
    assert by_night.sentence == (
        "Alice would not be told on 24 Nov at 03:12 (Europe/Berlin) because quiet hours run until"
        " 24 Nov, 07:00; it would be kept, and judged again then."
    )
    assert by_day.outcome is Outcome.PUSHED
    assert by_day.sentence == (
        "Alice would be told at 12:00 (Europe/Berlin), at the level loud (the default of this"
        " type); 1 device: Alice's iPhone."
    )


def test_an_escalation_breaks_through_the_night(bot: Bot) -> None:
    member = alice(bot)
    QuietWindowFactory.create(membership=member)

    answer = rehearse(bot, member, ASKED)

    assert (answer.outcome, answer.level) == (Outcome.PUSHED, "critical")
    assert answer.sentence.endswith("1 device: Alice's iPhone (below critical).")


def test_what_is_left_out_of_the_data_is_as_usual(bot: Bot) -> None:
    Bot.objects.update(unanswered_threshold=7)

    answer = rehearse(bot, alice(bot), "conversation.unanswered")

    assert answer.data and answer.data["consecutive_unanswered"] == 7
    assert answer.outcome is Outcome.PUSHED


def test_what_is_in_the_data_decides(bot: Bot) -> None:
    member = alice(bot)
    Membership.objects.update(external_id="alice_1")

    below = rehearse(bot, member, "conversation.unanswered", data={"consecutive_unanswered": 2})
    own = rehearse(bot, member, data={"actor": {"id": "alice_1"}})

    assert (below.outcome, own.outcome) == (Outcome.BELOW_THRESHOLD, Outcome.ACTOR)


def test_a_snoozed_conversation_is_found_by_its_id(bot: Bot) -> None:
    member = alice(bot)
    SnoozeFactory.create(membership=member, source=bot, subject="conv_9", until=MORNING)

    of_it = rehearse(bot, member, ASKED, data={"conversation": {"id": "conv_9"}})
    of_another = rehearse(bot, member, ASKED)

    assert (of_it.outcome, of_another.outcome) == (Outcome.SNOOZED, Outcome.PUSHED)


def test_devices_that_would_be_passed_over_say_why(bot: Bot) -> None:
    member = alice(bot)
    InstallationFactory.create(user=member.user, name="Tablet", muted_channels=["auto_update"])
    InstallationFactory.create(user=member.user, name="Firefox", on_webpush=True)
    ChannelPreferenceFactory.create(membership=member, channel="auto_update", phone_only=True)

    answer = rehearse(bot, member)

    assert answer.sentence.endswith("1 device: Alice's iPhone.")
    assert {device.name: device.state for device in answer.devices} == {
        "Alice's iPhone": "would_push",
        "Tablet": "muted",
        "Firefox": "not_a_phone",
    }


def test_who_is_no_candidate_would_not_be_told(bot: Bot) -> None:
    member = MembershipFactory.create(organization=bot.organization)

    assert rehearse(bot, member, ASKED).outcome is NoOutcome.NOT_A_CANDIDATE


def test_a_workflows_run_can_be_imagined(bot: Bot) -> None:
    member = alice(bot)
    workflow = WorkflowFactory.create(organization=bot.organization, name="Lead enrichment")
    SubscriptionFactory.create(membership=member, source=workflow)

    def finished(status: str) -> Answer:
        return why.rehearse(
            membership=member,
            source=workflow,
            type="workflow.run_finished",
            data={"status": status},
            at=NOON,
            now=NOON,
        )

    assert [finished(status).level for status in ("success", "failure")] == ["quiet", "loud"]


@pytest.mark.parametrize("type", why.TOLD)
def test_every_type_that_anybody_is_told_of_can_be_imagined(bot: Bot, type: str) -> None:
    member = alice(bot)
    workflow = WorkflowFactory.create(organization=bot.organization)
    source = workflow if type.startswith("workflow.") else bot
    SubscriptionFactory.create(membership=member, source=workflow)
    PreferenceFactory.create(membership=member, event_type=type, level="quiet")

    answer = why.rehearse(membership=member, source=source, type=type, at=NOON, now=NOON)

    assert answer.outcome is Outcome.PUSHED


@pytest.mark.parametrize(
    ("type", "data", "places"),
    [
        ("bot.renamed", {}, {"/type"}),
        ("conversation.message", {}, {"/type"}),
        ("member.digest", {}, {"/type"}),
        ("workflow.run_started", {}, {"/source"}),
        ("conversation.tone_escalated", {"score": 2, "tone": "joy"}, {"/data/score", "/data/tone"}),
        (LINKED, {"tool": 7, "actor": {}}, {"/data/tool", "/data/actor/id"}),
        (LINKED, {"bot": {"id": "bot_y", "name": "Y"}}, {"/data/bot"}),
    ],
)
def test_what_could_be_no_event_of_the_source_is_named(
    bot: Bot, type: str, data: dict[str, Any], places: set[str]
) -> None:
    with pytest.raises(NotImaginable) as caught:
        rehearse(bot, alice(bot), type, data=data)

    assert {fault.pointer for fault in caught.value.faults} == places


def test_to_rehearse_writes_nothing_and_waits_for_nobody(bot: Bot) -> None:
    member = alice(bot)
    Organization.objects.update(banners_per_minute=1)

    with read_only(), CaptureQueriesContext(connection) as queries:
        assert rehearse(bot, member).outcome is Outcome.PUSHED

    assert not [one["sql"] for one in queries if "lock" in one["sql"].lower()]


def test_a_thousand_other_members_cost_no_further_query(bot: Bot) -> None:
    member = alice(bot)
    for_few = queries(bot, member)
    crowd(bot=bot, size=1000)

    assert queries(bot, member) == for_few <= 5


def queries(bot: Bot, member: Membership) -> int:
    rehearse(bot, member)
    with CaptureQueriesContext(connection) as captured:
        rehearse(bot, member)
    return executed(captured)
