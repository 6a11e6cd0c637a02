from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from babel.numbers import format_decimal
from babel.units import format_unit
from django.utils import translation

from channels_app import spoken


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.4, "0s"),
        (12, "12s"),
        (59.4, "59s"),
        (59.6, "1m 0s"),
        (60, "1m 0s"),
        (252, "4m 12s"),
        (3599.9, "1h 0m 0s"),
        (3600, "1h 0m 0s"),
        (3725, "1h 2m 5s"),
        (90_061, "25h 1m 1s"),
    ],
)
def test_an_exact_duration_names_hours_minutes_and_seconds(seconds: float, text: str) -> None:
    assert spoken.exact_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (45, "45 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (60, "1 min"),
        (120, "2 min"),
        (900, "15 min"),
        (3569, "59 min"),
        (3570.1, "1 h"),
        (3599.9, "1 h"),
        (3600, "1 h"),
        (11_100, "3 h 5 min"),
        (86_399, "1 d"),
        (86_400, "1 d"),
        (187_200, "2 d 4 h"),
        (315_360_000, "3650 d"),
    ],
)
def test_a_rough_duration_names_its_two_largest_units(seconds: float, text: str) -> None:
    assert spoken.rough_duration(seconds) == text


@pytest.mark.parametrize(
    ("language", "seconds", "exact", "rough"),
    [
        ("de", 0, "0 s", "0 s"),
        ("de", 252, "4 min 12 s", "4 min"),
        ("de", 3600, "1 h", "1 h"),
        ("de", 187_205, "52 h 5 s", "2 d 4 h"),
        ("ar", 0, "أقل من ثانية", "أقل من ثانية"),
        ("ar", 2, "ثانيتين", "ثانيتين"),
        ("ar", 252, "4 دقائق و12 ثانية", "4 دقائق"),
        ("ar", 900, "15 دقيقة", "15 دقيقة"),
        ("ar", 3600, "ساعة واحدة", "ساعة واحدة"),
        ("ar", 7265, "ساعتين ودقيقة واحدة و5 ثوانٍ", "ساعتين ودقيقة واحدة"),
        ("ar", 187_200, "52 ساعة", "يومين و4 ساعات"),
    ],
)
def test_other_languages_have_their_own_words_and_leave_zeros_out(
    language: str, seconds: float, exact: str, rough: str
) -> None:
    with translation.override(language):
        assert spoken.exact_duration(seconds) == exact
        assert spoken.rough_duration(seconds) == rough


@pytest.mark.parametrize(
    ("unit", "seconds", "counts"),
    [
        ("second", 1, range(3, 60)),
        ("minute", 60, range(3, 60)),
        ("hour", 3600, range(3, 24)),
    ],
)
def test_arabic_words_for_durations_are_those_of_unicode(
    unit: str, seconds: int, counts: range
) -> None:
    """The Common Locale Data Repository; it has 1 and 2 in a case that our sentences do not use."""
    with translation.override("ar"):
        for count in counts:
            theirs = format_unit(count, f"duration-{unit}", locale="ar", numbering_system="latn")
            assert without_vowels(spoken.rough_duration(count * seconds)) == without_vowels(theirs)


def without_vowels(text: str) -> str:
    """Arabic may be written with the signs for short vowels and endings, or without."""
    return "".join(sign for sign in text if unicodedata.category(sign) != "Mn")


@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_numbers_are_grouped_as_unicode_groups_them(language: str) -> None:
    with translation.override(language):
        for count in (0, 12, 999, 1000, 12_345, 2**31 - 1):
            theirs = format_decimal(count, locale=language, numbering_system="latn")
            assert spoken.number(count) == theirs


NOW = datetime(2026, 12, 31, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "at", "said"),
    [
        ("en", datetime(2026, 12, 31, 6, tzinfo=UTC), "07:00"),
        ("en", datetime(2026, 11, 3, 6, tzinfo=UTC), "3 Nov, 07:00"),
        ("en", datetime(2026, 12, 31, 23, tzinfo=UTC), "1 Jan 2027, 00:00"),
        ("de", datetime(2026, 12, 31, 6, tzinfo=UTC), "07:00 Uhr"),
        ("de", datetime(2026, 11, 3, 6, tzinfo=UTC), "3. November, 07:00 Uhr"),
        ("de", datetime(2026, 12, 31, 23, tzinfo=UTC), "1. Januar 2027, 00:00 Uhr"),
        ("ar", datetime(2026, 12, 31, 6, tzinfo=UTC), "07:00"),
        ("ar", datetime(2026, 11, 3, 6, tzinfo=UTC), "3 نوفمبر، 07:00"),
        ("ar", datetime(2026, 12, 31, 23, tzinfo=UTC), "1 يناير 2027، 00:00"),
    ],
)
def test_a_moment_is_said_in_local_time_as_far_as_needed(
    language: str, at: datetime, said: str
) -> None:
    with translation.override(language):
        assert spoken.moment(at, zone=ZoneInfo("Europe/Vienna"), now=NOW) == said


@pytest.mark.parametrize(
    ("language", "at", "said"),
    [
        ("en", datetime(2026, 12, 31, 6, tzinfo=UTC), "at 07:00"),
        ("en", datetime(2026, 11, 3, 6, tzinfo=UTC), "on 3 Nov at 07:00"),
        ("en", datetime(2026, 12, 31, 23, tzinfo=UTC), "on 1 Jan 2027 at 00:00"),
        ("de", datetime(2026, 12, 31, 6, tzinfo=UTC), "um 07:00 Uhr"),
        ("de", datetime(2026, 11, 3, 6, tzinfo=UTC), "am 3. November um 07:00 Uhr"),
        ("de", datetime(2026, 12, 31, 23, tzinfo=UTC), "am 1. Januar 2027 um 00:00 Uhr"),
        ("ar", datetime(2026, 12, 31, 6, tzinfo=UTC), "الساعة 07:00"),
        ("ar", datetime(2026, 11, 3, 6, tzinfo=UTC), "يوم 3 نوفمبر الساعة 07:00"),
        ("ar", datetime(2026, 12, 31, 23, tzinfo=UTC), "يوم 1 يناير 2027 الساعة 00:00"),
    ],
)
def test_when_something_was_is_said_with_the_words_before_it(
    language: str, at: datetime, said: str
) -> None:
    with translation.override(language):
        assert spoken.when(at, zone=ZoneInfo("Europe/Vienna"), now=NOW) == said


@pytest.mark.parametrize(
    ("language", "value", "said"),
    [("en", 0.7999999999999, "0.7999999999999"), ("de", 0.85, "0,85"), ("ar", 0.85, "0.85")],
)
def test_a_score_is_said_as_it_is(language: str, value: float, said: str) -> None:
    with translation.override(language):
        assert spoken.score(value) == said


def test_without_any_language_words_are_english() -> None:
    with translation.override(None):
        assert spoken.exact_duration(252) == "4m 12s"
        assert spoken.rough_duration(900) == "15 min"
        assert spoken.number(1204) == "1,204"
