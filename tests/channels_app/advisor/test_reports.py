"""The report, from rows: what is counted, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels_app.advisor import Judgement, Knob, Silence, report
from channels_app.advisor.reports import Report
from channels_app.advisor.tallies import Tally
from channels_app.levels import Level
from channels_app.models import Event, Membership, Organization, Receipt
from tests.channels_app.advisor.weeks import NOW, STUCK, banner, happened, happened_after, many
from tests.factories import (
    BotFactory,
    ConnectionFactory,
    DeliveryFactory,
    MembershipFactory,
    NotificationFactory,
    OrganizationFactory,
    PreferenceFactory,
    SubscriptionFactory,
    TypePolicyFactory,
    WorkflowFactory,
)
from tests.queries import taken_by
from workflows.models import Workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def leads() -> Workflow:
    return WorkflowFactory.create(name="Lead enrichment")


@pytest.fixture
def alice(leads: Workflow) -> Membership:
    return MembershipFactory.create(organization=leads.organization)


def told(organization: Organization) -> Report:
    return report(organization_id=organization.pk, now=NOW)


def test_what_one_person_is_told_counts_once_on_however_many_devices(
    leads: Workflow, alice: Membership
) -> None:
    banner(happened(leads), alice, Receipt.Kind.DISPLAYED, Receipt.Kind.OPENED, devices=2)
    banner(happened(leads), alice, devices=1, level=Level.QUIET)

    (line,) = told(leads.organization).lines

    assert (line.type, line.source_id, line.events) == (STUCK, leads.pk, 2)
    assert line.tally == Tally(
        pushed=2, told=2, people=1, banners=3, rings=2, known=2, opened=1, read=1
    )
    assert line.levels == {Level.QUIET: 1, Level.LOUD: 2}


@pytest.mark.parametrize(
    ("kind", "opened"),
    [(Receipt.Kind.DISPLAYED, 0), (Receipt.Kind.OPENED, 1), (Receipt.Kind.ACTION, 1)],
)
def test_a_tap_and_a_button_are_signs_that_it_was_wanted(
    leads: Workflow, alice: Membership, kind: Receipt.Kind, opened: int
) -> None:
    banner(happened(leads), alice, kind)

    assert told(leads.organization).total.opened == opened


def test_reading_it_in_the_inbox_is_a_weaker_sign(leads: Workflow, alice: Membership) -> None:
    banner(happened(leads), alice, Receipt.Kind.DISPLAYED, read_at=NOW)

    total = told(leads.organization).total

    assert (total.opened, total.read) == (0, 1)


def test_whose_app_says_nothing_is_not_taken_for_one_who_opens_nothing(
    leads: Workflow, alice: Membership
) -> None:
    event = happened(leads)
    bob = MembershipFactory.create(organization=leads.organization)
    banner(event, alice, Receipt.Kind.DISPLAYED)
    banner(event, bob, read_at=NOW)

    total = told(leads.organization).total

    assert (total.people, total.told, total.known, total.read) == (2, 2, 1, 0)


def test_what_reached_no_device_was_not_told(leads: Workflow, alice: Membership) -> None:
    event = happened(leads)
    DeliveryFactory.create(
        notification=NotificationFactory.create(event=event, membership=alice), failed=True
    )
    NotificationFactory.create(
        event=event,
        membership=MembershipFactory.create(organization=leads.organization),
        outcome="type_off",
    )

    total = told(leads.organization).total

    assert (total.pushed, total.told, total.people, total.banners) == (1, 0, 0, 0)


def test_the_window_begins_at_a_full_hour_seven_days_ago(
    leads: Workflow, alice: Membership
) -> None:
    start = datetime(2026, 11, 16, 12, tzinfo=UTC)
    banner(happened(leads, at=start), alice)
    banner(happened(leads, at=start - timedelta(seconds=1)), alice)

    found = told(leads.organization)

    assert (found.since, found.total.told) == (start, 1)


@pytest.mark.parametrize(
    "type", ["conversation.claimed", "workflow.step_resumed", "device.test", "conversation.message"]
)
def test_what_takes_a_banner_back_or_was_asked_for_is_no_noise(
    leads: Workflow, alice: Membership, type: str
) -> None:
    banner(happened(leads, type), alice)

    assert told(leads.organization).lines == ()


def test_what_is_told_to_nobody_stands_there_with_its_events(leads: Workflow) -> None:
    happened(leads, "workflow.step_completed")

    (line,) = told(leads.organization).lines

    assert (line.events, line.tally) == (1, Tally())


def test_the_noisiest_comes_first(leads: Workflow, alice: Membership) -> None:
    bot = BotFactory.create(organization=leads.organization)
    banner(happened(bot, "bot.tool_linked"), alice, devices=1)
    banner(happened(leads), alice, devices=3)

    found = told(leads.organization)

    assert [line.source_id for line in found.lines] == [leads.pk, bot.pk]
    assert set(found.sources) == {leads.pk, bot.pk}


def test_nothing_of_another_organization_is_counted(leads: Workflow, alice: Membership) -> None:
    banner(happened(leads), alice, Receipt.Kind.OPENED)

    found = told(OrganizationFactory.create())

    assert (found.lines, found.total, found.silence) == ((), Tally(), Silence.NOTHING_SENT)


def test_what_is_rarely_opened_is_advised_to_be_quiet(leads: Workflow, alice: Membership) -> None:
    many(leads, alice, 80, Receipt.Kind.DISPLAYED)

    found = told(leads.organization)

    (advice,) = found.advice
    assert (advice.knob, advice.type) == (Knob.TYPE_POLICY, STUCK)
    assert [(option.value, option.rings) for option in advice.options] == [("quiet", 80)]
    assert found.lines[0].tally.judgement is Judgement.RARELY
    assert found.silence is None


def test_what_the_operators_have_turned_down_is_advised_no_more(
    leads: Workflow, alice: Membership
) -> None:
    many(leads, alice, 80, Receipt.Kind.DISPLAYED)
    TypePolicyFactory.create(organization=leads.organization, event_type=STUCK, level=Level.QUIET)

    assert told(leads.organization).silence is Silence.WORTH_IT


@pytest.mark.parametrize("of_source", [True, False])
def test_a_level_of_their_own_is_left_alone_by_a_policy(
    leads: Workflow, alice: Membership, of_source: bool
) -> None:
    many(leads, alice, 80, Receipt.Kind.DISPLAYED)
    PreferenceFactory.create(
        membership=alice,
        event_type=STUCK,
        source=leads if of_source else None,
        level=Level.LOUD,
    )

    assert [one.knob for one in told(leads.organization).advice] == [Knob.SOURCE_LEVEL]


def test_a_level_for_the_source_as_a_whole_counts_as_it_is_now(
    leads: Workflow, alice: Membership
) -> None:
    many(leads, alice, 80, Receipt.Kind.DISPLAYED)
    SubscriptionFactory.create(membership=alice, source=leads, level=Level.QUIET)

    assert told(leads.organization).advice == ()


def test_without_receipts_nobody_knows_what_was_opened(leads: Workflow, alice: Membership) -> None:
    many(leads, alice, 80)

    found = told(leads.organization)

    assert (found.advice, found.silence) == ((), Silence.NO_RECEIPTS)


def test_a_handful_of_banners_is_too_little_to_judge(leads: Workflow, alice: Membership) -> None:
    many(leads, alice, 5, Receipt.Kind.DISPLAYED)

    assert told(leads.organization).silence is Silence.TOO_LITTLE


def test_what_is_opened_is_worth_it(leads: Workflow, alice: Membership) -> None:
    many(leads, alice, 20, Receipt.Kind.OPENED)

    assert told(leads.organization).silence is Silence.WORTH_IT


def test_escalations_that_the_bot_solved_by_itself_could_ring_later() -> None:
    bot = BotFactory.create(unanswered_threshold=3)
    for number in range(20):
        call = happened(bot, "conversation.unanswered", consecutive_unanswered=3)
        happened_after(call, "conversation.resolved", minutes=number + 1)

    (advice,) = told(bot.organization).advice

    assert (advice.knob, advice.options[0].value) == (Knob.UNANSWERED_THRESHOLD, "4")
    assert (advice.count, advice.needless) == (20, 20)


def test_a_claim_of_one_of_them_is_enough_to_leave_it() -> None:
    bot = BotFactory.create(unanswered_threshold=3)
    for number in range(20):
        call = happened(bot, "conversation.unanswered", consecutive_unanswered=3)
        if number == 7:
            happened_after(call, "conversation.claimed", minutes=1)
        happened_after(call, "conversation.resolved", minutes=2)

    assert told(bot.organization).advice == ()


def test_customers_whom_nobody_came_to_are_named() -> None:
    bot = BotFactory.create()
    happened(bot, "conversation.human_requested")
    happened_after(happened(bot, "conversation.human_requested"), "conversation.claimed", minutes=1)

    (missed,) = told(bot.organization).missed

    assert (missed.source_id, missed.calls, missed.missed) == (bot.pk, 2, 1)


@pytest.mark.parametrize(
    ("type", "data"),
    [
        ("workflow.step_completed", {"step": {"index": 3}}),
        ("workflow.run_finished", {"status": "success"}),
    ],
)
def test_stuck_alarms_that_were_over_soon_came_too_early(
    leads: Workflow, type: str, data: dict[str, Any]
) -> None:
    for _ in range(10):
        alarm = happened(leads, step={"index": 3, "running_seconds": 900})
        happened_after(alarm, "workflow.step_completed", minutes=1, step={"index": 2})
        happened_after(alarm, type, minutes=5, **data)

    (advice,) = told(leads.organization).advice

    assert (advice.knob, advice.source_id) == (Knob.STUCK_FACTOR, leads.pk)
    assert (advice.options[0].value, advice.needless) == ("1.5", 10)


def test_a_step_of_a_run_that_failed_was_stuck_indeed(leads: Workflow) -> None:
    for _ in range(10):
        alarm = happened(leads, step={"index": 3, "running_seconds": 900})
        happened_after(alarm, "workflow.run_finished", minutes=1, status="failure")

    assert told(leads.organization).advice == ()


def test_no_setting_of_ours_keeps_back_what_the_platform_calls_stuck(leads: Workflow) -> None:
    platform = ConnectionFactory.create(organization=leads.organization)
    for _ in range(10):
        alarm = happened(leads, step={"index": 3, "running_seconds": 900})
        happened_after(alarm, "workflow.step_completed", minutes=1, step={"index": 3})
    Event.objects.update(connection=platform)

    assert told(leads.organization).advice == ()


def test_much_takes_as_many_statements_as_nothing(leads: Workflow, alice: Membership) -> None:
    def ask() -> object:
        return told(leads.organization)

    for_nothing = taken_by(ask)
    for _ in range(3):
        workflow = WorkflowFactory.create(organization=leads.organization)
        many(workflow, alice, 80, Receipt.Kind.DISPLAYED)
        bot = BotFactory.create(organization=leads.organization)
        banner(happened(bot, "conversation.human_requested"), alice)

    assert (for_nothing, taken_by(ask)) == (7, 8)
