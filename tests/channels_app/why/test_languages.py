from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from channels_app import why
from channels_app.event_types import CATALOGUE, Channel
from channels_app.levels import Level
from channels_app.models import Delivery
from channels_app.routing import Outcome, Setting, Snooze, Thresholds
from channels_app.why.answers import DeviceReport, Holding, NoOutcome
from channels_app.why.ladder import ladder
from channels_app.why.places import KEPT
from channels_app.why.reasons import REASONS, Facts, reason
from channels_app.why.sentences import Told, sentence, whose
from tests.channels_app.why.stories import (
    ASKED,
    LINKED,
    MORNING,
    NIGHT,
    alice,
    bot_x,
    explain,
    happened,
)
from tests.factories import ChannelPreferenceFactory, InstallationFactory

GOLDEN = json.loads(Path(__file__).with_name("answers_in_languages.json").read_text("utf-8"))
LANGUAGES = ["de", "ar"]
UNANSWERED = "conversation.unanswered"
TONE = "conversation.tone_escalated"
STUCK = "workflow.step_stuck"
NAMES = ("Bot X", "Acme", "Alice", "Bob", "iPhone", "Europe/Berlin", "bot.renamed")
OF_LEVELS = (
    Setting.CATALOGUE,
    Setting.TYPE_POLICY,
    Setting.TYPE_LEVEL,
    Setting.SOURCE_LEVEL,
    Setting.SUBSCRIPTION,
)
# What is called so in every language.
CODES = ("chatbot.respond", "Pushbridge", "BadDeviceToken")
ENGLISH = re.compile(r"\b(the|of|is|are|not|to|it|and|has|for|there|told|at|by|you|no)\b", re.I)


def facts(type: str = LINKED, decided_by: str = "", **known: Any) -> Facts:
    row = CATALOGUE[type]
    return Facts(
        type=type,
        organization="Acme",
        zone=ZoneInfo("Europe/Berlin"),
        now=NIGHT,
        source="Bot X",
        channel=row.channel,
        subject=row.subject,
        decided_by=decided_by,
        thresholds=Thresholds(unanswered=12, tone=0.8),
        **known,
    )


def snoozed(type: str, **of: Any) -> Facts:
    snooze = Snooze(until=MORNING, **of)
    return facts(type, Setting.SNOOZE, until=MORNING, snooze=snooze)


def unanswered(count: int) -> Facts:
    data = {"consecutive_unanswered": count}
    return facts(UNANSWERED, Setting.UNANSWERED_THRESHOLD, data=data)


WHY: Mapping[str, tuple[Outcome | NoOutcome, Facts]] = {
    "own doing": (Outcome.ACTOR, facts()),
    "inactive": (Outcome.INACTIVE, facts()),
    "no permission": (Outcome.NO_PERMISSION, facts(ASKED)),
    "not subscribed": (Outcome.NOT_SUBSCRIBED, facts()),
    "channel off, escalation": (Outcome.CHANNEL_OFF, facts(ASKED)),
    "channel off, auto-update": (Outcome.CHANNEL_OFF, facts()),
    "channel off, workflow": (Outcome.CHANNEL_OFF, facts(STUCK)),
    "type off, of the source": (Outcome.TYPE_OFF, facts(decided_by=Setting.SOURCE_LEVEL)),
    "type off, personally": (Outcome.TYPE_OFF, facts(STUCK, Setting.TYPE_LEVEL)),
    "type off, by operators": (Outcome.TYPE_OFF, facts(decided_by=Setting.TYPE_POLICY)),
    "type off, as it comes": (
        Outcome.TYPE_OFF,
        facts("workflow.step_completed", Setting.CATALOGUE),
    ),
    "source off": (Outcome.SOURCE_OFF, facts()),
    "tone": (Outcome.BELOW_THRESHOLD, facts(TONE, Setting.TONE_MINIMUM, data={"score": 0.75})),
    **{
        f"{count} unanswered": (Outcome.BELOW_THRESHOLD, unanswered(count))
        for count in (0, 1, 2, 3, 11)
    },
    "threshold of that time": (Outcome.BELOW_THRESHOLD, unanswered(12)),
    "claimed by Bob": (Outcome.ALREADY_CLAIMED, facts(ASKED, claimant="Bob")),
    "claimed": (Outcome.ALREADY_CLAIMED, facts(ASKED)),
    "resolved": (Outcome.RESOLVED, facts(ASKED)),
    "run is past": (Outcome.MOOT, facts(STUCK)),
    "overtaken": (Outcome.MOOT, facts(ASKED)),
    "all snoozed": (Outcome.SNOOZED, snoozed(LINKED)),
    "source snoozed": (Outcome.SNOOZED, snoozed(LINKED, source_id=1)),
    "conversation snoozed": (Outcome.SNOOZED, snoozed(ASKED, source_id=1, subject="c")),
    "run snoozed": (Outcome.SNOOZED, snoozed(STUCK, source_id=1, subject="r")),
    "some snooze": (Outcome.SNOOZED, facts(decided_by=Setting.SNOOZE, until=MORNING)),
    "snoozed once": (Outcome.SNOOZED, facts(decided_by=Setting.SNOOZE)),
    "quiet hours": (Outcome.HELD, facts(decided_by=Setting.QUIET_HOURS, until=MORNING)),
    "quiet hours, tomorrow": (Outcome.HELD, facts(until=MORNING + timedelta(days=1))),
    "quiet hours once": (Outcome.HELD, facts(decided_by=Setting.QUIET_HOURS)),
    **{
        f"storm over {limit}": (Outcome.COLLAPSED, facts(banners_per_minute=limit))
        for limit in (1, 2, 10, 20, 100)
    },
    "storm": (Outcome.COLLAPSED, facts()),
    "no permission of the system": (Outcome.NO_DEVICE, facts(decided_by=Setting.OS_PERMISSION)),
    "no phone": (Outcome.NO_DEVICE, facts(ASKED, Setting.PHONE_ONLY)),
    "muted": (Outcome.NO_DEVICE, facts(decided_by=Setting.MUTED)),
    "no device": (Outcome.NO_DEVICE, facts()),
    "joined later": (NoOutcome.NOT_A_CANDIDATE, facts(joined_at=MORNING)),
    "joined days later": (
        NoOutcome.NOT_A_CANDIDATE,
        facts(joined_at=MORNING + timedelta(days=2)),
    ),
    "for somebody else": (
        NoOutcome.NOT_A_CANDIDATE,
        replace(facts(), channel=Channel.NOTICE),
    ),
    "neither of both": (NoOutcome.NOT_A_CANDIDATE, facts(ASKED)),
    "never subscribed": (NoOutcome.NOT_A_CANDIDATE, facts()),
}


def told(outcome: Outcome | NoOutcome, facts: Facts, **more: Any) -> Told:
    usual: dict[str, Any] = {
        "person": "Alice",
        "oneself": False,
        "imagined": False,
        "event_id": 7,
        "level": Level.LOUD,
        "at": NIGHT,
    }
    return Told(outcome=outcome, facts=facts, **{**usual, **more})


def held(count: int | None = None, *, again: bool = False) -> Holding:
    """Kept until the morning; then told of with others, or judged again and dropped."""
    if count is None and not again:
        return Holding(MORNING, None, None, 0)
    return Holding(MORNING, MORNING, None if again else 8, count or 0)


def devices(count: int) -> tuple[DeviceReport, ...]:
    return tuple(DeviceReport(None, "", "pending", f"{n}") for n in range(1, count + 1))


QUIET = facts(decided_by=Setting.QUIET_HOURS, until=MORNING)
SENTENCES: Mapping[str, Told] = {
    **{
        f"{'imagined, ' if imagined else ''}{'oneself, ' if oneself else ''}{name}": told(
            outcome, known, imagined=imagined, oneself=oneself, **more
        )
        for imagined, oneself in product((False, True), repeat=2)
        for name, outcome, known, more in (
            ("told", Outcome.PUSHED, facts(decided_by=Setting.TYPE_POLICY), {}),
            ("not told", Outcome.NO_PERMISSION, facts(ASKED), {}),
            ("kept", Outcome.HELD, QUIET, {"holding": held()}),
        )
    },
    "oneself, why it was kept is not known": told(
        Outcome.PUSHED, facts(), oneself=True, holding=held(1)
    ),
    "told, on another day": told(Outcome.PUSHED, facts(), at=NIGHT - timedelta(days=400)),
    "dropped": told(Outcome.SOURCE_OFF, facts(), holding=held(again=True)),
    **{
        f"went out in a digest of {count}": told(
            Outcome.PUSHED, QUIET, holding=held(count), held_as=Outcome.HELD, devices=devices(1)
        )
        for count in (1, 2, 8, 14, 100)
    },
    **{
        f"{count} devices": told(Outcome.PUSHED, facts(), devices=devices(count))
        for count in (2, 5, 6, 7, 15)
    },
    "of others": told(NoOutcome.OTHER_ORGANIZATION, facts()),
    "not routed": told(NoOutcome.NOT_ROUTED, facts()),
    "quarantined": told(NoOutcome.QUARANTINED, facts()),
    "tells nobody": told(NoOutcome.TELLS_NOBODY, replace(facts(), type="bot.renamed")),
    "unknown": told(NoOutcome.UNKNOWN_TYPE, replace(facts(), type="bot.renamed")),
}


def reasons() -> dict[str, str]:
    return {name: reason(outcome, known) for name, (outcome, known) in WHY.items()}


def answers(language: str) -> dict[str, dict[str, str]]:
    """All that was reviewed, as it is said now."""
    with translation.override(language):
        return {
            "reasons": reasons(),
            "sentences": {name: sentence(what) for name, what in SENTENCES.items()},
            "words of levels": {name: whose(name, facts()) for name in OF_LEVELS},
        }


def everything(language: str) -> Iterator[str]:
    """And what is said beside the sentence, which stands in the catalogue as it is."""
    for texts in answers(language).values():
        yield from texts.values()
    with translation.override(language):
        yield from (rung.question for rung in ladder(Outcome.PUSHED))
        for kept in KEPT.values():
            yield from (translation.gettext(kept.words), translation.gettext(kept.advice))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_is_as_it_was_reviewed(language: str) -> None:
    assert answers(language) == GOLDEN[language]


def test_every_outcome_and_each_of_its_reasons_has_been_reviewed() -> None:
    assert {outcome for outcome, _ in WHY.values()} == set(REASONS)
    assert {what.outcome for what in SENTENCES.values()} >= {*NoOutcome} - {*REASONS}
    with translation.override("en"):
        said = reasons()
    assert len(set(said.values())) == len(said) - 1  # “there is no subscription” has two ways


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_to_fill_in(language: str) -> None:
    assert [text for text in everything(language) if re.search(r"%\(|%s|\{|\}|  ", text)] == []


def test_in_german_no_english_word_is_left() -> None:
    assert [text for text in everything("de") if ENGLISH.search(without(NAMES, text))] == []


def test_in_arabic_no_latin_letter_is_left() -> None:
    left = [without((*NAMES, *CODES), text) for text in everything("ar")]
    assert [text for text in left if re.search("[A-Za-z]", text)] == []


def test_in_arabic_every_name_is_isolated_and_nothing_else() -> None:
    for text in everything("ar"):
        isolated = re.findall("\u2068([^\u2068\u2069]*)\u2069", text)
        assert set(isolated) <= set(NAMES)
        for name in NAMES:
            assert text.count(name) == isolated.count(name)
        assert text.count("\u2068") == text.count("\u2069") == len(isolated)


def test_in_german_no_name_of_latin_letters_is_isolated() -> None:
    assert not [text for text in everything("de") if "\u2068" in text or "\u2069" in text]


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_a_name_that_runs_the_other_way_is_isolated_in_every_language(language: str) -> None:
    known = replace(facts(ASKED), source="בוט 24!")
    with translation.override(language):
        assert "\u2068בוט 24!\u2069" in reason(Outcome.NO_PERMISSION, known)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "reason", "german", "arabic"),
    [
        ("accepted", "", "angenommen nach 41 ms", "قُبل الإشعار بعد 41 ملي ثانية"),
        (
            "failed",
            "BadDeviceToken",
            "gescheitert: BadDeviceToken",
            "فشل الإرسال: \u2068BadDeviceToken\u2069",
        ),
        ("failed", "", "gescheitert: kein Grund angegeben", "فشل الإرسال: \u2068لم يُذكر سبب\u2069"),
        ("expired", "", "vor dem Senden abgelaufen", "انتهت صلاحية الإشعار قبل إرساله"),
        (
            "cancelled",
            "claimed",
            "vor dem Senden zurückgezogen: claimed",
            "أُلغي الإشعار قبل إرساله: \u2068claimed\u2069",
        ),
        ("unknown", "", "gesendet, aber ohne Antwort", "أُرسل الإشعار ولم يصل رد"),
        ("pending", "", "noch nicht gesendet", "لم يُرسل الإشعار بعد"),
    ],
)
def test_what_became_of_it_on_a_device_is_told(
    state: str, reason: str, german: str, arabic: str
) -> None:
    bot = bot_x()
    member = alice(bot)
    event = happened(bot)
    if state != "pending":
        settled_at = event.received_at + timedelta(milliseconds=41)
        Delivery.objects.update(state=state, reason=reason, settled_at=settled_at)

    with translation.override("de"):
        assert explain(event, member).sentence.endswith(f"; 1 Gerät: Alice's iPhone ({german}).")
    with translation.override("ar"):
        assert explain(event, member).sentence.endswith(
            f"؛ جهاز واحد: \u2068Alice's iPhone\u2069 ({arabic})."
        )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "de",
            {
                "Alice's iPhone (unter der Stufe „kritisch“)",
                "Tablet (ausgelassen, da stummgeschaltet)",
                "Firefox (ausgelassen, da kein Telefon)",
            },
        ),
        (
            "ar",
            {
                "\u2068Alice's iPhone\u2069 (دون المستوى «حرج»)",
                "\u2068Tablet\u2069 (تم تخطيه لأنه مكتوم)",
                "\u2068Firefox\u2069 (تم تخطيه لأنه ليس هاتفًا)",
            },
        ),
    ],
)
def test_what_would_become_of_it_on_a_device_is_told(language: str, said: set[str]) -> None:
    bot = bot_x()
    member = alice(bot)
    InstallationFactory.create(user=member.user, name="Tablet", muted_channels=["escalation"])
    InstallationFactory.create(user=member.user, name="Firefox", on_webpush=True)
    ChannelPreferenceFactory.create(membership=member, channel="escalation", phone_only=True)

    with translation.override(language):
        answer = why.rehearse(membership=member, source=bot, type=ASKED, at=NIGHT, now=NIGHT)

    assert {device.sentence for device in answer.devices} == said


def without(words: tuple[str, ...], text: str) -> str:
    for word in words:
        text = text.replace(word, "")
    return text
