from __future__ import annotations

from dataclasses import replace

from pushbridge.demo.programme import Programme
from tests.pushbridge.demo.test_verdicts import BANNER, ON_BOBS_PHONE, OUTCOMES, SCENE, played


def printed(*, coloured: bool = False) -> tuple[Programme, list[str]]:
    lines: list[str] = []
    sentences = {"type_off": "This type of event is off for them."}
    return Programme(say=lines.append, coloured=coloured, sentences=sentences), lines


def test_a_banner_is_printed_word_for_word_with_phone_platform_level_and_time() -> None:
    programme, lines = printed()

    programme.arrival(played(ON_BOBS_PHONE), ON_BOBS_PHONE)

    text = "\n".join(lines)
    assert all(line in text for line in (BANNER.title, *BANNER.body.splitlines()))
    assert lines[-1].split() == ["✓", "Bob's", "Pixel", "FCM", "critical", "20.0", "ms"]


def test_words_that_differ_from_the_first_phones_are_printed_again() -> None:
    programme, lines = printed()
    other = replace(ON_BOBS_PHONE, title="Another title")
    scene = played(ON_BOBS_PHONE, other)

    programme.arrival(scene, ON_BOBS_PHONE)
    programme.arrival(scene, other)

    assert "    Another title" in lines
    assert lines[-1].startswith("  ✗")


def test_who_is_not_told_is_named_with_the_reason() -> None:
    programme, lines = printed()
    scene = played(ON_BOBS_PHONE)
    scene.outcomes = OUTCOMES

    programme.closing(scene)

    assert [" ".join(line.split()) for line in lines] == [
        "– Carol type_off: This type of event is off for them."
    ]


def test_the_balance_counts_times_and_says_that_all_is_well() -> None:
    programme, lines = printed()

    programme.balance([played(ON_BOBS_PHONE)], {"The phones": "http://127.0.0.1:8001/"})

    text = "\n".join(" ".join(line.split()) for line in lines)
    assert "Webhooks sent 1\nBanners expected 1\nBanners seen 1" in text
    assert "median 20.0 ms, slowest 20.0 ms" in text
    assert "The phones http://127.0.0.1:8001/" in text
    assert text.endswith("Everything came as it had to.")


def test_the_balance_ends_with_what_is_wrong_and_in_which_event() -> None:
    programme, lines = printed()

    programme.balance([played()], {})

    assert lines[-1].startswith(f"  ✗ event 7, “{SCENE.says}” Bob's Pixel: no banner came")


def test_without_colour_there_is_no_escape_sequence() -> None:
    for coloured in (True, False):
        programme, lines = printed(coloured=coloured)
        programme.opening(played(ON_BOBS_PHONE))

        assert ("\x1b[" in "".join(lines)) is coloured
