from __future__ import annotations

import pytest

from channels_app.gateways.banner_actions import CATEGORIES, Action, actions


@pytest.mark.parametrize(
    ("category", "locale", "titles"),
    [
        ("ESCALATION", "en", ["Claim", "View", "Snooze"]),
        ("ESCALATION", "de-AT", ["Übernehmen", "Ansehen", "Später"]),
        ("ESCALATION", "ar", ["استلام", "عرض", "لاحقًا"]),
        ("AUTO_UPDATE", "en", ["Review", "Mute bot"]),
        ("AUTO_UPDATE", "de", ["Prüfen", "Bot stummschalten"]),
        ("AUTO_UPDATE", "ar", ["مراجعة", "كتم البوت"]),
        ("WORKFLOW", "en", ["View", "Mute run"]),
        ("WORKFLOW", "de", ["Ansehen", "Lauf stummschalten"]),
        ("WORKFLOW", "ar", ["عرض", "كتم هذا التشغيل"]),
        ("ESCALATION", "no language", ["Claim", "View", "Snooze"]),
        ("UNKNOWN", "en", []),
    ],
)
def test_buttons_speak_the_members_language(category: str, locale: str, titles: list[str]) -> None:
    assert [action.title for action in actions(category, locale)] == titles


@pytest.mark.parametrize("locale", ["en", "de", "ar"])
def test_what_a_button_does_is_the_same_in_every_language(locale: str) -> None:
    for category, titles in CATEGORIES.items():
        assert [action.id for action in actions(category, locale)] == list(titles)


def test_a_button_is_plain_data() -> None:
    assert actions("ESCALATION", "en")[0] == Action("claim", "Claim")
