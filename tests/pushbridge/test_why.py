from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from channels_app.models import Bot, Membership
from tests.channels_app.why.stories import ASKED, LINKED, NIGHT, alice, bot_x, happened, read_only
from tests.factories import (
    AttemptFactory,
    BotFactory,
    EventFactory,
    MembershipFactory,
    OrganizationFactory,
    QuietWindowFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def bot() -> Bot:
    return bot_x()


@pytest.fixture
def member(bot: Bot) -> Membership:
    return alice(bot)


def ask(*words: str) -> str:
    out = StringIO()
    with time_machine.travel(NIGHT, tick=False):
        call_command("why", *words, stdout=out)
    return out.getvalue()


def what_if(*words: str) -> str:
    return ask("--type", LINKED, "--bot", "bot_x", "--user", "alice", *words)


def test_the_sentence_comes_first_then_what_it_rests_on(bot: Bot, member: Membership) -> None:
    QuietWindowFactory.create(membership=member)
    event = happened(bot)

    lines = ask(str(event.pk), "--user", "alice").splitlines()

    assert lines[0] == (
        "Alice was not told at 03:12 (Europe/Berlin) because quiet hours run until 07:00;"
        " it is kept, and judged again then."
    )
    assert "Decided by  quiet_hours: the quiet hours" in lines
    assert "            API    /api/v1/acme/quiet-hours/" in lines
    assert "Asked       no   Is it their own doing?" in lines
    assert "            YES  Are these quiet hours?" in lines
    assert "            ·    Then it is pushed" in lines
    assert "            loud      the default of this type ← decides" in lines


def test_each_device_is_told_with_its_attempts() -> None:
    attempt = AttemptFactory.create(
        delivery__accepted=True,
        delivery__downgraded=True,
        delivery__installation__name="Alice's iPhone",
        number=1,
        sent_at=NIGHT,
    )
    notification = attempt.delivery.notification

    text = ask(str(notification.event_id), "--user", notification.membership.user.username)

    assert "Devices     Alice's iPhone accepted after " in text
    assert "              try 1  2026-11-24 02:12:00 UTC  accepted (200), 40 ms" in text
    assert "not as critical: the app or the device does not allow it" in text


@pytest.mark.parametrize("name", ["alice", "ALICE", "Alice", "alice@example.com", "alice_1"])
def test_a_person_is_found_by_every_name_that_they_have(
    bot: Bot, member: Membership, name: str
) -> None:
    member.user.email = "Alice@example.com"
    member.user.save()
    Membership.objects.update(external_id="alice_1")

    assert ask(str(happened(bot).pk), "--user", name).startswith("Alice was told at 03:12 ")


@pytest.mark.parametrize("reference", ["{pk}", "#{pk}", "msg_a"])
def test_an_event_is_found_by_its_number_and_by_its_webhook_id(
    bot: Bot, member: Membership, reference: str
) -> None:
    event = happened(bot, webhook_id="msg_a")

    assert ask(reference.format(pk=event.pk), "--user", "alice").startswith("Alice was told")


def test_who_is_no_member_is_told_so(bot: Bot) -> None:
    UserFactory.create(username="mallory", first_name="Mallory")

    assert "of which Mallory is no member" in ask(str(happened(bot).pk), "--user", "mallory")


def test_json_is_the_answer_of_the_api(bot: Bot, member: Membership) -> None:
    event = happened(bot)

    told = json.loads(ask(str(event.pk), "--user", "alice", "--json"))

    assert (told["outcome"], told["event"], told["devices"][0]["state"]) == (
        "pushed",
        event.pk,
        "pending",
    )


def test_an_imagined_event_is_judged_at_its_moment(bot: Bot, member: Membership) -> None:
    QuietWindowFactory.create(membership=member)

    with read_only():
        night, noon = (what_if("--at", f"2026-11-24T{at}:00+01:00") for at in ("03", "12"))

    assert night.startswith("Alice would not be told at 03:00 (Europe/Berlin) because quiet hours")
    assert noon.startswith("Alice would be told at 12:00 (Europe/Berlin), at the level loud ")


def test_the_data_of_an_imagined_event_can_be_given(bot: Bot, member: Membership) -> None:
    words = ("--type", "conversation.unanswered", "--bot", "Bot X", "--user", "alice")

    text = ask(*words, "--data", '{"consecutive_unanswered": 2}')

    assert "because 2 unanswered messages in a row do not reach Bot X's threshold of 3" in text


def test_what_would_be_decided_now_is_added(bot: Bot, member: Membership) -> None:
    event = happened(bot)
    member.subscriptions.all().delete()

    assert "\nNow         Alice would not be told at 03:12" in ask(str(event.pk), "--user", "alice")


def refusal(*words: str) -> str:
    with pytest.raises(CommandError) as caught:
        ask(*words)
    return str(caught.value)


def test_a_name_that_nobody_has_is_answered_with_those_near_it(
    bot: Bot, member: Membership
) -> None:
    event = happened(bot)

    assert refusal(str(event.pk), "--user", "alcie") == (
        "There is no 'alcie'. Near it: alice (Alice)."
    )
    assert refusal(str(event.pk), "--user", "zzz") == "There is no 'zzz'."


def test_a_name_that_several_have_is_answered_with_all_of_them(bot: Bot) -> None:
    for username in ("alice1", "alice2"):
        user = UserFactory.create(username=username, first_name="Alice", last_name="")
        MembershipFactory.create(organization=bot.organization, user=user)
    event = happened(bot)

    assert refusal(str(event.pk), "--user", "Alice") == (
        "Several are called 'Alice': alice1 (Alice), alice2 (Alice)."
    )


def test_an_event_that_is_not_there_or_of_another_organization_is_refused(
    bot: Bot, member: Membership
) -> None:
    OrganizationFactory.create(slug="globex")
    event = happened(bot)

    assert refusal("999999", "--user", "alice") == "There is no '999999'."
    assert "There is no" in refusal(str(event.pk), "--user", "alice", "--organization", "globex")
    assert refusal(str(event.pk), "--user", "alice", "--organization", "globx") == (
        "There is no 'globx'. Near it: globex."
    )


def test_a_webhook_id_of_several_organizations_is_answered_with_the_events() -> None:
    first, second = EventFactory.create_batch(2, webhook_id="msg_a")

    told = refusal("msg_a", "--user", "alice")

    assert f"#{first.pk} ({ASKED}, " in told and f"#{second.pk} ({ASKED}, " in told


def test_who_belongs_to_several_organizations_is_asked_which_is_meant(
    bot: Bot, member: Membership
) -> None:
    with time_machine.travel(NIGHT - timedelta(days=1), tick=False):
        there = MembershipFactory.create(user=member.user, organization__slug="globex").organization
    only_here = what_if()
    BotFactory.create(organization=there, external_id="bot_x")

    assert only_here.startswith("Alice would be told")
    assert "give --organization, one of acme, globex" in refusal(
        "--type", LINKED, "--bot", "bot_x", "--user", "alice"
    )
    assert "no subscription" in what_if("--organization", "globex")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Give the number of an EVENT, or --type and --bot or --workflow."),
        (("--type", "bot.renamed"), "--type must be one of: conversation.human_requested, "),
        (("--type", LINKED), "bot.tool_linked comes from a bot: give --bot."),
        (("--type", LINKED, "--workflow", "wf"), "comes from a bot: give --bot."),
        (("--type", LINKED, "--bot", "bot_y"), "There is no 'bot_y'. Near it: bot_x."),
        (("--type", LINKED, "--bot", "bot_x", "--at", "2026-11-24T03:00"), "--at must be a time"),
        (("--type", LINKED, "--bot", "bot_x", "--at", "2026-13-99"), "--at must be a time"),
        (("--type", LINKED, "--bot", "bot_x", "--data", "{"), "--data is not JSON"),
        (("--type", LINKED, "--bot", "bot_x", "--data", "[]"), "--data must be a JSON object."),
        (
            ("--type", LINKED, "--bot", "bot_x", "--data", '{"tool": 7}'),
            "There could be no such event:\n  /data/tool must be an object",
        ),
        (("7", "--type", LINKED), "--type is for an imagined event, without EVENT."),
    ],
)
def test_what_cannot_be_asked_is_said(
    bot: Bot, member: Membership, words: tuple[str, ...], sentence: str
) -> None:
    assert sentence in refusal(*words, "--user", "alice")
