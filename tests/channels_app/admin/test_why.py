"""The pages that answer why, and what if."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from channels_app.models import Bot, Event, Membership, Notification
from tests.channels_app.admin.worlds import operator, superuser
from tests.channels_app.why.stories import ASKED, LINKED, NIGHT, alice, bot_x, happened
from tests.factories import (
    BotFactory,
    EventFactory,
    InstallationFactory,
    MembershipFactory,
    PreferenceFactory,
    QuietWindowFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
WHAT_IF = reverse("admin:chatbot_event_what_if")


@pytest.fixture
def bot() -> Bot:
    return bot_x()


@pytest.fixture
def member(bot: Bot) -> Membership:
    return alice(bot)


@pytest.fixture
def as_operator(client: Client, bot: Bot) -> Client:
    client.force_login(operator(bot.organization))
    return client


def why(event: Event) -> str:
    return reverse("admin:chatbot_event_why", args=[event.pk])


def html(client: Client, address: str, **query: str | int) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_an_events_page_leads_to_why_for_each_person_and_for_any(
    as_operator: Client, bot: Bot, member: Membership
) -> None:
    event = happened(bot)

    page = html(as_operator, reverse("admin:chatbot_event_change", args=[event.pk]))

    assert f"{why(event)}?member={member.pk}" in page
    button = reverse("admin:chatbot_event_why_of_this", args=[event.pk])
    assert button in page
    assert as_operator.get(button)["Location"] == why(event)


def test_a_notifications_page_leads_to_why(
    as_operator: Client, bot: Bot, member: Membership
) -> None:
    event = happened(bot)
    row = Notification.objects.get()

    page = html(as_operator, reverse("admin:chatbot_notification_change", args=[row.pk]))

    assert f"{why(event)}?member={member.pk}" in page


def test_the_sentence_the_setting_the_ladder_and_the_devices_are_shown(
    as_operator: Client, bot: Bot, member: Membership
) -> None:
    QuietWindowFactory.create(membership=member)

    held = html(as_operator, why(happened(bot)), member=member.pk)
    pushed = html(as_operator, why(happened(bot, ASKED)), member=member.pk)

    assert "because quiet hours run until" in held
    setting = reverse("admin:chatbot_membership_change", args=[member.pk])
    assert f'href="{setting}#quiet_windows-group"' in held
    assert "Are these quiet hours?" in held
    assert "Alice's iPhone" in pushed and "Pending" in pushed


def test_what_would_be_decided_now_is_shown(
    as_operator: Client, bot: Bot, member: Membership
) -> None:
    event = happened(bot)
    PreferenceFactory.create(membership=member, event_type=LINKED)

    page = html(as_operator, why(event), member=member.pk)

    assert "It would be decided otherwise now" in page
    assert "is turned off in the personal settings" in page


def test_a_member_without_a_notification_is_answered_for_too(as_operator: Client, bot: Bot) -> None:
    with time_machine.travel(NIGHT - timedelta(days=1), tick=False):
        member = MembershipFactory.create(organization=bot.organization)
    event = happened(bot)

    assert "there is no subscription to Bot X" in html(as_operator, why(event), member=member.pk)


def test_without_a_member_the_page_asks_for_one(as_operator: Client, bot: Bot) -> None:
    page = html(as_operator, why(happened(bot)))

    assert "pb-answer" not in page
    assert 'name="member"' in page


@pytest.mark.parametrize("state", ["received", "quarantined", "recorded", "ignored"])
def test_an_event_without_outcomes_is_answered_for(
    as_operator: Client, bot: Bot, member: Membership, state: str
) -> None:
    event = happened(bot, routed_at=None, state=state)

    assert "Nobody " in html(as_operator, why(event), member=member.pk)


def test_members_and_events_of_other_organizations_are_refused(
    as_operator: Client, bot: Bot
) -> None:
    stranger = MembershipFactory.create()

    refused = as_operator.get(why(happened(bot)), {"member": stranger.pk})

    assert refused.status_code == 400
    assert stranger.user.username not in refused.content.decode()
    assert as_operator.get(why(happened(BotFactory.create()))).status_code == 404


@pytest.mark.parametrize("missing", ["view_event", "view_notification"])
def test_who_may_not_see_events_and_notifications_gets_no_answer(
    client: Client, bot: Bot, missing: str
) -> None:
    user = UserFactory.create(is_staff=True)
    codes = {"view_event", "view_notification"} - {missing}
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    MembershipFactory.create(organization=bot.organization, user=user)
    client.force_login(user)

    assert client.get(why(happened(bot))).status_code == 403
    assert client.get(WHAT_IF).status_code == 403


def test_a_name_full_of_html_stays_text(client: Client, bot: Bot) -> None:
    client.force_login(superuser())
    evil = "<script>alert(1)</script>"
    member = alice(bot)
    Bot.objects.update(name=evil)
    member.user.first_name = evil
    member.user.save()
    InstallationFactory.create(user=member.user, name=evil)

    shown = client.get(why(happened(bot)), {"member": member.pk}).content.decode()

    assert "<script>alert" not in shown and "&lt;script&gt;alert(1)" in shown


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-11-24T02:12", "because quiet hours run until"),
        ("2026-11-24T11:00", "Alice would be told "),
    ],
)
def test_an_imagined_event_is_judged_at_its_moment(
    as_operator: Client, bot: Bot, member: Membership, at: str, words: str
) -> None:
    QuietWindowFactory.create(membership=member)
    Membership.objects.update(created_at=NIGHT)

    page = html(as_operator, WHAT_IF, type=LINKED, source=bot.pk, member=member.pk, at=at)

    assert words in page
    assert "What was imagined" in page


def test_what_if_is_filled_in_from_the_page_of_an_event(
    as_operator: Client, bot: Bot, member: Membership
) -> None:
    address = f"{WHAT_IF}?type={LINKED}&source={bot.pk}&member={member.pk}"

    assert address in html(as_operator, why(happened(bot)), member=member.pk)
    page = html(as_operator, address)
    assert "pb-answer" not in page and "errornote" not in page
    assert f'<option value="{member.pk}" selected>' in page


def test_an_event_that_nobody_would_be_told_of_is_not_offered_to_be_imagined(
    as_operator: Client, bot: Bot, member: Membership
) -> None:
    event = EventFactory.create(
        connection__organization=bot.organization, type="bot.renamed", payload={}, state="ignored"
    )

    assert f"{WHAT_IF}?" not in html(as_operator, why(event), member=member.pk)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "bot.renamed"}, "type"),
        ({"type": "workflow.run_started"}, "source"),
        ({"at": "soon"}, "at"),
        ({"at": "9999-01-01T00:00"}, "at"),
        ({"content": "{"}, "content"),
        ({"content": "[]"}, "content"),
        ({"content": '{"tool": 7}'}, "content"),
        ({"member": ""}, "member"),
        ({"source": "0"}, "source"),
    ],
)
def test_what_cannot_be_imagined_is_said_beside_its_field(
    as_operator: Client, bot: Bot, member: Membership, changes: dict[str, str], field: str
) -> None:
    given = {"type": LINKED, "source": str(bot.pk), "member": str(member.pk)}

    answer = as_operator.get(WHAT_IF, {**given, "at": "2026-11-24T02:12", **changes})

    assert answer.status_code == 400
    assert field in answer.context["form"].errors


def test_a_source_of_another_organization_than_the_members_is_refused(
    client: Client, bot: Bot, member: Membership
) -> None:
    client.force_login(superuser())
    given = {"type": LINKED, "source": str(BotFactory.create().pk), "member": str(member.pk)}

    answer = client.get(WHAT_IF, {**given, "at": "2026-11-24T02:12"})

    assert "another organization" in answer.context["form"].errors["source"][0]


def test_only_one_entry_of_the_sidebar_is_where_the_reader_is(as_operator: Client) -> None:
    groups = as_operator.get(WHAT_IF).context["sidebar_navigation"]

    here = [item["title"] for group in groups for item in group["items"] if item["active"]]
    assert here == ["What if?"]
