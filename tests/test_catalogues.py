from __future__ import annotations

import gettext
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from django.conf import settings

from tests import catalogues

UPDATE = "python -m tests.catalogues"
LANGUAGES = catalogues.languages()
CATALOGUES = {language: catalogues.read(language) for language in LANGUAGES}
MESSAGES = [
    pytest.param(language, message, id=f"{language}-{message.context or ''}-{message.id!r:.40}")
    for language, catalogue in CATALOGUES.items()
    for message in catalogue
    if message.id
]
# Not words: formats, signs.
CODES = {"moment", "thousands separator", "decimal separator"}
COUNTED = ("%(count)s", "%(number)s", "%(limit)s", "%(more)s")


def originals(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_language_of_the_settings_has_a_catalogue() -> None:
    assert {"en", *LANGUAGES} == {code for code, _ in settings.LANGUAGES}


def test_a_catalogue_has_every_marked_text_and_no_other(language: str) -> None:
    merged = catalogues.as_po(catalogues.merged(language))
    assert merged == catalogues.po_file(language).read_bytes(), f"run: {UPDATE}"


def test_what_is_compiled_is_what_can_be_read(language: str) -> None:
    compiled = catalogues.as_mo(catalogues.read(language))
    assert compiled == catalogues.mo_file(language).read_bytes(), f"run: {UPDATE}"


def test_the_plural_forms_are_those_of_django(language: str) -> None:
    """Django's own texts and ours are one catalogue to it."""
    folder = Path(django.__file__).parent / "conf" / "locale" / language / "LC_MESSAGES"
    with (folder / "django.po").open("rb") as file:
        theirs = read_po(file)
    assert rule(theirs.plural_forms) == rule(CATALOGUES[language].plural_forms)


@pytest.mark.parametrize(("language", "message"), MESSAGES)
def test_every_text_is_translated_for_good(language: str, message: Message) -> None:
    assert not message.fuzzy
    assert all(form.strip() for form in catalogues.forms(message))
    if message.pluralizable:
        assert len(catalogues.forms(message)) == CATALOGUES[language].num_plurals


@pytest.mark.parametrize(("language", "message"), MESSAGES)
def test_every_translation_fills_in_what_the_original_does(language: str, message: Message) -> None:
    expected = [catalogues.placeholders(text) for text in originals(message)]
    for form, text in enumerate(catalogues.forms(message)):
        found = catalogues.placeholders(text)
        if form in forms_of_one_number(language) and message.pluralizable:
            # It may say the number in words: "a page", "two pages".
            found += [name for name in COUNTED if name in expected[-1]]
            assert set(found) == set(expected[-1])
        else:
            assert found == expected[-1]


@pytest.mark.parametrize(("language", "message"), MESSAGES)
def test_every_translation_begins_and_ends_as_the_original(language: str, message: Message) -> None:
    original = originals(message)[-1]
    for text in catalogues.forms(message):
        assert text == text.strip() or original != original.strip()
        assert emoji(text) == emoji(original)
        if message.context not in CODES and not message.pluralizable:
            assert text.endswith(".") == original.endswith(".")
            assert text.count("\n") == original.count("\n")


@pytest.mark.parametrize(("language", "message"), MESSAGES)
def test_no_translation_has_typewriter_quotes(language: str, message: Message) -> None:
    for text in catalogues.forms(message):
        assert '"' not in text
        assert text.count("„") == text.count("“") and text.count("«") == text.count("»")


def test_german_says_neither_du_nor_sie() -> None:
    address = re.compile(r"\b(Sie|Ihr|Ihre[mnrs]?|du|dich|dir|dein\w*)\b")
    texts = [text for message in CATALOGUES["de"] for text in catalogues.forms(message)]
    assert [text for text in texts if address.search(text)] == []


def test_arabic_is_in_arabic() -> None:
    words = re.compile(r"%(\(\w+\))?s|[^\w]|[\d_]")
    for message in CATALOGUES["ar"]:
        if message.id and message.context not in CODES and words.sub("", originals(message)[0]):
            assert all(re.search(r"[\u0621-\u064a]", text) for text in catalogues.forms(message))


# --- the tool ------------------------------------------------------------------------------------


def test_a_text_is_found_however_it_is_marked() -> None:
    source = """
from django.utils.translation import gettext as _, ngettext_lazy, npgettext, pgettext
_("plain")
ngettext_lazy("one", "many", 2)
pgettext("button", "View")
npgettext("duration", "%(count)s d", "%(count)s ds", 2)
# Translators: of a run
_("stuck"
  " again")
"""
    found = [(text.context, text.id) for text in catalogues.marked_in(source, "x.py")]
    assert found == [
        (None, "plain"),
        (None, ("one", "many")),
        ("button", "View"),
        ("duration", ("%(count)s d", "%(count)s ds")),
        (None, "stuck again"),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("%(bot)s is 100%% of {name}", ["%(bot)s", "{name}"]),
        ("%s and %d, {} and {0:d}", ["%d", "%s", "{0:d}", "{}"]),
        ("nothing", []),
    ],
)
def test_placeholders_of_both_kinds_are_seen(text: str, found: list[str]) -> None:
    assert catalogues.placeholders(text) == found


# --- what the rules above need ---------------------------------------------------------------


def rule(plural_forms: str) -> list[int]:
    """The form for each number, up to where all languages repeat themselves."""
    expression = plural_forms.partition("plural=")[2].strip().rstrip(";")
    form = gettext.c2py(expression)
    return [form(number) for number in range(1000)]


def forms_of_one_number(language: str) -> set[int]:
    chosen = rule(CATALOGUES[language].plural_forms)
    return {form for form in set(chosen) if chosen.count(form) == 1}


def emoji(text: str) -> str:
    """The signs that a text begins with."""
    return "".join(_leading_signs(text))


def _leading_signs(text: str) -> Iterator[str]:
    for character in text:
        if unicodedata.category(character) not in ("So", "Mn"):
            return
        yield character
