from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels_app import holds, why
from channels_app.fan_out import fan_out
from channels_app.models import (
    Bot,
    BotUserPermission,
    Delivery,
    Event,
    Installation,
    Membership,
    Notification,
    Receipt,
    Subscription,
)
from channels_app.routing import Outcome, Setting
from channels_app.why import NoOutcome
from channels_app.why.answers import Answered
from tests.channels_app.why.stories import (
    ASKED,
    LINKED,
    MORNING,
    NIGHT,
    alice,
    bot_x,
    explain,
    happened,
    read_only,
)
from tests.factories import (
    AttemptFactory,
    ChannelPolicyFactory,
    ChannelPreferenceFactory,
    EventFactory,
    InstallationFactory,
    MembershipFactory,
    PreferenceFactory,
    QuietWindowFactory,
    SnoozeFactory,
    TypePolicyFactory,
)
from tests.queries import executed

pytestmark = pytest.mark.django_db

Arrange = Callable[[Bot, Membership], object]


def nothing(bot: Bot, member: Membership) -> None:
    """As it is."""


def unpermitted(bot: Bot, member: Membership) -> None:
    BotUserPermission.objects.all().delete()


def unsubscribed(bot: Bot, member: Membership) -> None:
    Subscription.objects.all().delete()


@dataclass(frozen=True)
class Story:
    """How Alice, or her bot, was arranged; what happened; and how the answer ends."""

    outcome: Outcome
    because: str
    arrange: Arrange = nothing
    type: str = LINKED
    decided_by: str = ""
    event: Mapping[str, Any] = field(default_factory=dict)


STORIES = [
    Story(
        Outcome.ACTOR,
        "nobody is told of what they did themselves.",
        event={"data": {"actor": {"id": "alice_1"}}},
        decided_by="external_id",
    ),
    Story(
        Outcome.INACTIVE,
        "the account or the membership is inactive.",
        lambda bot, member: Membership.objects.update(active=False),
        decided_by="active",
    ),
    Story(
        Outcome.NO_PERMISSION,
        "the permission to respond to Bot X (chatbot.respond) is missing.",
        unpermitted,
        type=ASKED,
        decided_by="chatbot.respond",
    ),
    Story(
        Outcome.NOT_SUBSCRIBED,
        "there is no subscription to Bot X.",
        unsubscribed,
        decided_by="subscription",
    ),
    Story(
        Outcome.CHANNEL_OFF,
        "the channel “Agent auto-update” is turned off for all of Acme.",
        lambda bot, member: ChannelPolicyFactory.create(
            organization=bot.organization, channel="auto_update"
        ),
        decided_by="channel_policy",
    ),
    Story(
        Outcome.TYPE_OFF,
        "“Tool linked” is turned off in the personal settings.",
        lambda bot, member: PreferenceFactory.create(membership=member, event_type=LINKED),
        decided_by="type_level",
    ),
    Story(
        Outcome.TYPE_OFF,
        "“Tool linked” of Bot X is turned off in the personal settings.",
        lambda bot, member: PreferenceFactory.create(
            membership=member, event_type=LINKED, source=bot
        ),
        decided_by="source_level",
    ),
    Story(
        Outcome.TYPE_OFF,
        "“Tool linked” is turned off by default in Acme.",
        lambda bot, member: TypePolicyFactory.create(
            organization=bot.organization, event_type=LINKED
        ),
        decided_by="type_policy",
    ),
    Story(
        Outcome.SOURCE_OFF,
        "everything of Bot X is turned off in the personal settings.",
        lambda bot, member: member.subscriptions.update(level="off"),
        decided_by="subscription",
    ),
    Story(
        Outcome.BELOW_THRESHOLD,
        "2 unanswered messages in a row do not reach Bot X's threshold of 3.",
        type="conversation.unanswered",
        event={"data": {"consecutive_unanswered": 2}},
        decided_by="unanswered_threshold",
    ),
    Story(
        Outcome.BELOW_THRESHOLD,
        "the tone's score of 0.5 does not reach Bot X's minimum of 0.8.",
        lambda bot, member: Bot.objects.update(tone_minimum=0.8),
        type="conversation.tone_escalated",
        event={"data": {"score": 0.5}},
        decided_by="tone_minimum",
    ),
    Story(
        Outcome.ALREADY_CLAIMED,
        "Bob has claimed the conversation already.",
        lambda bot, member: happened(
            bot,
            "conversation.claimed",
            data={"agent": {"id": "u7", "name": "Bob"}},
            routed_at=None,
            state=Event.State.RECORDED,
            subject="conv_1",
        ),
        type=ASKED,
        event={"facts": {"state": "claimed"}, "subject": "conv_1"},
    ),
    Story(
        Outcome.RESOLVED,
        "no human is needed in the conversation any more.",
        type=ASKED,
        event={"facts": {"state": "resolved"}},
    ),
    Story(
        Outcome.MOOT,
        "something later has made it meaningless.",
        type=ASKED,
        event={"facts": {"state": "superseded"}},
    ),
    Story(
        Outcome.SNOOZED,
        "Bot X is snoozed until 07:00; it is kept, and judged again then.",
        lambda bot, member: SnoozeFactory.create(membership=member, source=bot, until=MORNING),
        decided_by="snooze",
    ),
    Story(
        Outcome.SNOOZED,
        "everything is snoozed until 07:00; it is kept, and judged again then.",
        lambda bot, member: SnoozeFactory.create(membership=member, until=MORNING),
        decided_by="snooze",
    ),
    Story(
        Outcome.SNOOZED,
        "the conversation is snoozed until 07:00; it is kept, and judged again then.",
        lambda bot, member: SnoozeFactory.create(
            membership=member, source=bot, subject="conv_1", until=MORNING
        ),
        type=ASKED,
        event={"subject": "conv_1"},
        decided_by="snooze",
    ),
    Story(
        Outcome.HELD,
        "quiet hours run until 07:00; it is kept, and judged again then.",
        lambda bot, member: QuietWindowFactory.create(membership=member),
        decided_by="quiet_hours",
    ),
    Story(
        Outcome.COLLAPSED,
        "a device is shown 1 banner a minute, and there were more; it is kept, and judged again"
        " then.",
        lambda bot, member: (
            type(bot.organization).objects.update(banners_per_minute=1),
            happened(bot),
        ),
        decided_by="banners_per_minute",
    ),
    Story(
        Outcome.NO_DEVICE,
        "there is no device that can be pushed to.",
        lambda bot, member: Installation.objects.all().delete(),
        decided_by="devices",
    ),
    Story(
        Outcome.NO_DEVICE,
        "“Agent auto-update” is muted on every device.",
        lambda bot, member: Installation.objects.update(muted_channels=["auto_update"]),
        decided_by="muted",
    ),
    Story(
        Outcome.NO_DEVICE,
        "“Agent auto-update” goes to phones only, and there is no phone.",
        lambda bot, member: (
            ChannelPreferenceFactory.create(
                membership=member, channel="auto_update", phone_only=True
            ),
            Installation.objects.all().delete(),
            InstallationFactory.create(user=member.user, on_webpush=True),
        ),
        decided_by="phone_only",
    ),
]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: f"{story.outcome}-{story.decided_by}")
def test_each_outcome_is_told_in_a_sentence_with_the_setting_that_decided(story: Story) -> None:
    bot = bot_x()
    member = alice(bot)
    Membership.objects.update(external_id="alice_1")
    story.arrange(bot, member)
    event = happened(bot, story.type, **story.event)

    answer = explain(event, member, now=NIGHT)

    assert answer.outcome is story.outcome
    assert answer.sentence == f"Alice was not told at 03:12 (Europe/Berlin) because {story.because}"
    assert (answer.place.setting if answer.place else "") == story.decided_by
    decided = [rung for rung in answer.ladder if rung.answered is Answered.DECIDED]
    assert [story.outcome in rung.outcomes for rung in decided] == [True]


def test_every_outcome_has_a_story_or_is_the_push_itself() -> None:
    assert {story.outcome for story in STORIES} == set(Outcome) - {Outcome.PUSHED}


def settled(event: Event, **fields: Any) -> Delivery:
    Delivery.objects.update(settled_at=event.received_at + timedelta(milliseconds=41), **fields)
    return Delivery.objects.get()


def test_a_push_is_told_with_its_level_whose_word_that_was_and_each_device() -> None:
    bot = bot_x()
    member = alice(bot)
    event = happened(bot)
    settled(event, state="accepted", attempts=1)

    answer = explain(event, member)

    assert answer.sentence == (
        "Alice was told at 03:12 (Europe/Berlin), at the level loud (the default of this type);"
        " 1 device: Alice's iPhone accepted after 41 ms."
    )
    assert answer.place is not None and answer.place.setting == Setting.CATALOGUE
    assert answer.now is None


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        ("failed", "BadDeviceToken", "failed (BadDeviceToken)"),
        ("expired", "", "expired before it could be sent"),
        ("cancelled", "claimed", "cancelled before it left (claimed)"),
        ("unknown", "", "sent, but never answered"),
    ],
)
def test_what_became_of_it_on_a_device_is_told(state: str, reason: str, words: str) -> None:
    bot = bot_x()
    member = alice(bot)
    event = happened(bot)
    settled(event, state=state, reason=reason)

    assert explain(event, member).sentence.endswith(f"1 device: Alice's iPhone {words}.")


def test_attempts_receipts_and_downgrades_are_there_for_each_device() -> None:
    bot = bot_x()
    member = alice(bot)
    event = happened(bot, ASKED)
    delivery = settled(event, state="accepted", downgraded=True)
    AttemptFactory.create(delivery=delivery, number=2)
    AttemptFactory.create(delivery=delivery, number=1, verdict="retry", status=503)
    Receipt.objects.create(delivery=delivery, kind="opened", occurred_at=NIGHT, received_at=NIGHT)

    (device,) = explain(event, member).devices

    assert [(one.number, one.verdict, one.status) for one in device.attempts] == [
        (1, "retry", 503),
        (2, "accepted", 200),
    ]
    assert [receipt.kind for receipt in device.receipts] == ["opened"]
    assert (device.downgraded, device.milliseconds) == (True, 41)


def test_more_devices_than_a_sentence_can_bear_are_counted() -> None:
    bot = bot_x()
    member = alice(bot, devices=6)

    answer = explain(happened(bot), member)

    assert answer.sentence.count("iPhone") == 4
    assert "6 devices: " in answer.sentence and answer.sentence.endswith(", 2 more.")
    assert len(answer.devices) == 6


def asleep() -> tuple[Bot, Membership]:
    bot = bot_x()
    member = alice(bot)
    QuietWindowFactory.create(membership=member)
    return bot, member


def route_digests() -> None:
    made = Event.objects.filter(type="member.digest", state=Event.State.RECEIVED)
    fan_out(event_ids=[event.pk for event in made], now=MORNING, room=0)


def test_what_went_out_in_a_digest_is_told_with_why_it_was_held() -> None:
    bot, member = asleep()
    event, *_ = [happened(bot) for _ in range(8)]
    holds.release(now=MORNING, limit=10)
    route_digests()

    answer = explain(event, member, now=MORNING)

    assert answer.sentence == (
        "Alice was not told at 03:12 (Europe/Berlin) because quiet hours run until 07:00;"
        " it went out at 07:00 in a digest of 8; 1 device: Alice's iPhone not sent yet."
    )
    assert answer.holding is not None and answer.holding.count == 8
    assert answer.outcome is Outcome.PUSHED


def test_why_it_was_held_is_known_when_the_windows_are_others() -> None:
    bot, member = asleep()
    event = happened(bot)
    holds.release(now=MORNING, limit=10)
    member.quiet_windows.all().delete()

    assert explain(event, member, now=MORNING).sentence == (
        "Alice was not told at 03:12 (Europe/Berlin) because quiet hours run until 07:00;"
        " it went out at 07:00."
    )


def test_what_became_moot_while_it_was_held_is_told_with_both_reasons() -> None:
    bot, member = asleep()
    event = happened(bot)
    member.subscriptions.update(level="off")
    holds.release(now=MORNING, limit=10)

    answer = explain(event, member, now=MORNING)

    assert answer.sentence == (
        "Alice was not told at 03:12 (Europe/Berlin) because quiet hours run until 07:00;"
        " judged again at 07:00, it was not told because everything of Bot X is turned off in the"
        " personal settings."
    )
    assert answer.place is not None and answer.place.setting == Setting.SUBSCRIPTION


def test_a_recorded_outcome_stays_and_what_would_be_decided_now_is_added() -> None:
    bot = bot_x()
    member = alice(bot)
    event = happened(bot)
    PreferenceFactory.create(membership=member, event_type=LINKED)

    answer = explain(event, member)

    assert answer.outcome is Outcome.PUSHED
    assert answer.now is not None and answer.now.imagined
    assert answer.now.outcome is Outcome.TYPE_OFF
    assert answer.now.sentence == (
        "Alice would not be told at 03:13 (Europe/Berlin) because “Tool linked” is turned off in"
        " the personal settings."
    )


def test_the_threshold_is_not_named_once_it_is_another() -> None:
    bot = bot_x()
    member = alice(bot)
    event = happened(bot, "conversation.unanswered", data={"consecutive_unanswered": 2})
    Bot.objects.update(unanswered_threshold=1)

    assert explain(event, member).sentence.endswith(
        "because it does not reach the threshold that was set for Bot X at that time."
    )


def test_who_is_no_candidate_at_all_is_told_what_is_missing() -> None:
    bot = bot_x()
    member = alice(bot, subscribed=False, permitted=False)
    Membership.objects.update(created_at=NIGHT - timedelta(days=1))

    asked, linked = happened(bot, ASKED), happened(bot)

    assert explain(asked, member).outcome is NoOutcome.NOT_A_CANDIDATE
    assert explain(asked, member).sentence.endswith(
        "because there is neither a subscription to Bot X nor the permission to respond to it."
    )
    assert explain(linked, member).sentence.endswith("because there is no subscription to Bot X.")


def test_who_joined_later_is_told_so() -> None:
    bot = bot_x()
    event = happened(bot)
    member = alice(bot)
    Membership.objects.update(created_at=MORNING)

    answer = explain(event, member, now=MORNING)

    assert answer.sentence.endswith("because the membership began later, at 07:00.")
    assert answer.now is not None and answer.now.outcome is Outcome.PUSHED


def test_a_member_of_another_organization_learns_whose_it_is_and_nothing_else() -> None:
    event = happened(bot_x())
    stranger = MembershipFactory.create(user__first_name="Mallory")

    answer = explain(event, stranger)

    assert answer.outcome is NoOutcome.OTHER_ORGANIZATION
    assert answer.sentence == (
        f"Event {event.pk} is none of Mallory's: it belongs to Acme, of which Mallory is no member."
    )
    assert answer.place is None and answer.devices == ()


@pytest.mark.parametrize(
    ("state", "outcome", "words"),
    [
        ("received", NoOutcome.NOT_ROUTED, "has been told of event {} yet: it waits to be routed."),
        (
            "quarantined",
            NoOutcome.QUARANTINED,
            "was told of event {}: routing it failed three times, and it waits for an operator.",
        ),
        (
            "recorded",
            NoOutcome.TELLS_NOBODY,
            "is told of bot.tool_linked: it only changes a state.",
        ),
        (
            "ignored",
            NoOutcome.UNKNOWN_TYPE,
            "is told of bot.tool_linked: Pushbridge does not know this type.",
        ),
    ],
)
def test_an_event_without_outcomes_says_why(state: str, outcome: NoOutcome, words: str) -> None:
    bot = bot_x()
    event = happened(bot, routed_at=None, state=state)

    answer = explain(event, alice(bot))

    assert answer.outcome is outcome
    assert answer.sentence == f"Nobody {words.format(event.pk)}"
    assert {rung.answered for rung in answer.ladder} == {Answered.NOT_ASKED}


def test_an_event_of_a_type_that_nobody_knows_is_answered_for() -> None:
    bot = bot_x()
    event = EventFactory.create(
        connection__organization=bot.organization, type="bot.renamed", payload={}, state="ignored"
    )

    assert explain(event, alice(bot)).outcome is NoOutcome.UNKNOWN_TYPE


def test_who_asks_for_themselves_is_spoken_to() -> None:
    bot, member = asleep()
    event = happened(bot)

    answer = why.explain(event_id=event.pk, user=member.user, now=NIGHT, oneself=True)

    assert answer.sentence.startswith("You were not told at 03:12 (Europe/Berlin) because quiet")


def test_a_notice_is_told_to_whom_it_is_for_and_to_nobody_else() -> None:
    bot, member = asleep()
    happened(bot)
    other = alice_of_the_same_organization(member)
    holds.release(now=MORNING, limit=10)
    route_digests()
    digest = Event.objects.get(type="member.digest")

    assert explain(digest, member, now=MORNING).outcome is Outcome.PUSHED
    assert explain(digest, other, now=MORNING).sentence.endswith(
        "because it is meant for somebody else."
    )


def alice_of_the_same_organization(member: Membership) -> Membership:
    with time_machine.travel(NIGHT - timedelta(days=1), tick=False):
        return MembershipFactory.create(organization=member.organization)


def test_the_levels_settings_are_shown_in_the_order_in_which_they_are_asked() -> None:
    bot = bot_x()
    member = alice(bot)
    PreferenceFactory.create(membership=member, event_type=LINKED, level="quiet")
    TypePolicyFactory.create(organization=bot.organization, event_type=LINKED, level="off")

    levels = explain(happened(bot), member).levels

    assert [(word.setting, word.level, word.decides) for word in levels] == [
        ("source_level", None, False),
        ("type_level", "quiet", True),
        ("type_policy", "off", False),
        ("catalogue", "loud", False),
        ("subscription", None, False),
    ]


def test_to_explain_writes_nothing() -> None:
    bot, member = asleep()
    event = happened(bot)

    with read_only():
        assert explain(event, member).outcome is Outcome.HELD


def test_many_devices_take_as_many_queries_as_one() -> None:
    bot = bot_x()
    member = alice(bot)
    for_one = queries(happened(bot), member)
    InstallationFactory.create_batch(20, user=member.user)

    assert queries(happened(bot), member) == for_one <= 12


def queries(event: Event, member: Membership) -> int:
    explain(event, member)  # statements are prepared once for each connection
    with CaptureQueriesContext(connection) as captured:
        explain(event, member)
    return executed(captured)


def test_a_deleted_device_is_still_told_of() -> None:
    bot = bot_x()
    member = alice(bot)
    event = happened(bot)
    Installation.objects.all().delete()

    assert explain(event, member).devices[0].name == "a device that is gone"
    assert Notification.objects.count() == 1
