from __future__ import annotations

import pytest

from channels_app.discretion import discreet
from channels_app.levels import Privacy

TITLE, BODY = "🆘 Customer escalation: Bot X", '"I want my money back."'


@pytest.mark.parametrize(
    ("privacy", "expected"),
    [
        (Privacy.FULL, (TITLE, BODY)),
        (Privacy.REDACTED, (TITLE, "")),
        (Privacy.IDS, ("New notification", "")),
    ],
)
def test_no_more_text_travels_than_is_allowed(privacy: Privacy, expected: tuple[str, str]) -> None:
    assert discreet(TITLE, BODY, privacy=privacy, locale="en") == expected


def test_what_stands_there_instead_is_in_the_persons_language() -> None:
    title, _ = discreet(TITLE, BODY, privacy=Privacy.IDS, locale="de-AT")
    assert title == "Neue Mitteilung"


@pytest.mark.parametrize(
    ("words", "narrowest"),
    [
        ((), "full"),
        (("", ""), "full"),
        (("full", "redacted"), "redacted"),
        (("ids", "full", "redacted"), "ids"),
    ],
)
def test_the_narrowest_word_counts(words: tuple[str, ...], narrowest: str) -> None:
    assert Privacy.narrowest(*words) == narrowest
