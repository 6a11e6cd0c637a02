from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from channels_app import preferences
from channels_app.event_types import CATALOGUE, Channel
from channels_app.levels import Level
from channels_app.models import ChannelPreference, Preference
from channels_app.preferences import CHANNELS, SETTABLE, ChannelSetting, OnlyEscalations
from channels_app.quiet_hours import Schedule, Window
from channels_app.routing import Candidate, Device, Occasion, Outcome, decide
from tests.factories import (
    BotFactory,
    ChannelPolicyFactory,
    ChannelPreferenceFactory,
    MembershipFactory,
    NotificationFactory,
    PreferenceFactory,
    TypePolicyFactory,
    WorkflowFactory,
)

RETRAINED = CATALOGUE["bot.retrained"]
ALWAYS = Schedule("UTC", (Window(frozenset(range(1, 8)), time(0), time(0)),))


def test_what_members_may_set_is_what_they_are_told_of() -> None:
    assert set(SETTABLE) == {
        name for name, row in CATALOGUE.items() if row.channel not in (None, Channel.NOTICE)
    }


def test_every_type_comes_from_the_kind_of_source_that_it_is_about() -> None:
    assert {name for name, row in SETTABLE.items() if preferences.kind(row) == "workflow"} == {
        name for name in SETTABLE if name.startswith("workflow.")
    }


@pytest.mark.parametrize("overrides", [None, True, False])
@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_breaks_through_where_routing_lets_it(
    channel: Channel, overrides: bool | None
) -> None:
    row = next(row for row in SETTABLE.values() if row.channel is channel)
    occasion = Occasion(row=row, data={}, at=datetime(2026, 11, 23, tzinfo=UTC))
    outcome = decide(
        occasion,
        Candidate(
            membership_id=1,
            external_id="",
            active=True,
            permitted=True,
            subscribed=True,
            type_level=Level.LOUD,
            devices=(Device(installation_id=UUID(int=1), critical_sounds=True),),
            quiet_hours=ALWAYS,
            overrides=overrides,
        ),
    ).outcome

    breaks_through = ChannelSetting(channel, overrides=overrides).breaks_through

    assert outcome is (Outcome.PUSHED if breaks_through else Outcome.HELD)


@pytest.mark.django_db
def test_what_is_set_is_loaded_for_one_member_of_one_organization() -> None:
    me = MembershipFactory.create()
    colleague = MembershipFactory.create(organization=me.organization)
    bot = BotFactory.create(organization=me.organization)
    PreferenceFactory.create(membership=me, event_type="bot.retrained", level="off")
    PreferenceFactory.create(membership=me, event_type="bot.retrained", source=bot, level="loud")
    PreferenceFactory.create(membership=colleague, event_type="bot.tool_linked")
    ChannelPreferenceFactory.create(membership=colleague, channel="workflow", phone_only=True)
    ChannelPreferenceFactory.create(membership=me, channel="escalation", phone_only=True)
    TypePolicyFactory.create(
        organization=me.organization, event_type="bot.tool_linked", level="quiet"
    )
    TypePolicyFactory.create()
    ChannelPolicyFactory.create(organization=me.organization, channel="workflow", enabled=False)
    ChannelPolicyFactory.create(channel="escalation", enabled=False)

    settings = preferences.load(me)

    assert settings.levels == {
        ("bot.retrained", None): Level.OFF,
        ("bot.retrained", bot.pk): Level.LOUD,
    }
    assert settings.source_ids == {bot.pk}
    assert settings.policy.levels == {"bot.tool_linked": Level.QUIET}
    assert settings.policy.channels_off == {"workflow"}
    assert settings.channels == {
        Channel.ESCALATION: ChannelSetting(Channel.ESCALATION, phone_only=True),
        Channel.AUTO_UPDATE: ChannelSetting(Channel.AUTO_UPDATE),
        Channel.WORKFLOW: ChannelSetting(Channel.WORKFLOW, enabled=False),
    }


@pytest.mark.django_db
def test_a_level_is_set_and_set_again() -> None:
    me = MembershipFactory.create()
    workflow = WorkflowFactory.create(organization=me.organization)

    for source in (None, workflow):
        for level in (Level.OFF, Level.LOUD):
            preferences.set_level(membership=me, row=RETRAINED, source=source, level=level)

    assert set(Preference.objects.values_list("source", "level")) == {
        (None, "loud"),
        (workflow.pk, "loud"),
    }


@pytest.mark.django_db
def test_nothing_but_an_escalation_can_be_critical() -> None:
    me = MembershipFactory.create()

    with pytest.raises(OnlyEscalations):
        preferences.set_level(membership=me, row=RETRAINED, source=None, level=Level.CRITICAL)

    assert not Preference.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "judged_again"),
    [({"overrides_quiet_hours": True}, True), ({"phone_only": True}, False)],
)
def test_who_lets_a_channel_break_through_hears_at_once_of_what_was_held(
    changes: preferences.ChannelChanges, judged_again: bool
) -> None:
    me, now = MembershipFactory.create(), timezone.now()
    held = NotificationFactory.create(
        membership=me,
        event__organization=me.organization,
        outcome="held",
        held_until=now + timedelta(hours=1),
    )

    preferences.set_channel(membership=me, channel=Channel.WORKFLOW, now=now, **changes)

    held.refresh_from_db()
    assert (held.held_until == now) is judged_again
    assert ChannelPreference.objects.count() == 1
