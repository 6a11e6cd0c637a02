from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from django.conf import settings
from django.template import Context, engines
from django.template.backends.django import DjangoTemplates
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from channels_app import banners
from channels_app.banners import Banner, Tame
from tests.examples import EXAMPLES, SMALLEST

GOLDEN = json.loads(Path(__file__).with_name("banners_in_languages.json").read_text("utf-8"))
MARKS = "\u200f\u2068\u2069"
HIDDEN = str.maketrans("", "", MARKS)
# What the state knows when the examples come one after the other.
FACTS = {"09-step-completed": {"steps": 4}}
_BOT = {"bot": {"id": "bot_x", "name": "Bot X"}}
_ANSWERED = {**_BOT, "conversation": {"id": "conv_1"}, "agent": {"id": "agent_a", "name": "Alice"}}
_WAITING = {**_BOT, "conversation": {"id": "conv_1"}, "message": "Where is my parcel?"}
_RUN = {"workflow": {"id": "wf_kpi", "name": "Daily KPI digest"}, "run": {"id": "run_1"}}
# What takes another banner's place, and what only we report.
OURS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "test": ("device.test", {"device": "Alice's iPhone"}),
    "claimed": ("conversation.claimed", _ANSWERED),
    "handed-back": ("conversation.handed_back", _ANSWERED),
    "resolved": ("conversation.resolved", _ANSWERED),
    "still-waiting": ("conversation.still_waiting", _WAITING),
    "alarm": ("conversation.unanswered_alarm", {**_WAITING, "waited_seconds": 720}),
    "unreachable": ("bot.unreachable", _BOT),
    "webhook-disabled": (
        "connection.webhook_disabled",
        {"connection": {"id": "1", "name": "Production"}},
    ),
    "resumed": ("workflow.step_resumed", {**_RUN, "step": {"index": 3, "duration_seconds": 1320}}),
}
TEMPLATES = sorted(
    path.stem for path in Path(settings.BASE_DIR, "templates", "banners").glob("*.txt")
)
DIGEST = "member.digest"
ESCALATION = "conversation.human_requested"


def digest(*titles: str, count: int, collapsed: bool = False) -> dict[str, Any]:
    items = [{"title": title} for title in titles]
    return {"count": count, "items": items, "more": count - len(items), "collapsed": collapsed}


def cases(language: str) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Name of a golden banner -> type, data."""
    titles = [golden["title"] for golden in list(GOLDEN[language].values())[:5]]
    return {
        **{example.name: (example.type, example.data) for example in EXAMPLES},
        "digest": (DIGEST, digest(*titles, count=8)),
        "digest-of-a-storm": (DIGEST, digest(*titles, count=14, collapsed=True)),
        **OURS,
    }


def render(type: str, locale: str, facts: Mapping[str, Any] | None = None, **data: Any) -> Banner:
    smallest = SMALLEST.get(type, {})
    return banners.render(type=type, data={**smallest, **data}, facts=facts or {}, locale=locale)


@pytest.mark.parametrize(
    "name", ["digest", "digest-of-a-storm", *OURS, *(example.name for example in EXAMPLES)]
)
@pytest.mark.parametrize("language", ["de", "ar"])
def test_every_banner_is_as_it_was_reviewed(language: str, name: str) -> None:
    type, data = cases(language)[name]
    banner = banners.render(type=type, data=data, facts=FACTS.get(name, {}), locale=language)
    assert banner == Banner(**GOLDEN[language][name])


def test_every_type_that_pushes_has_been_reviewed() -> None:
    reviewed = {type for type, _ in cases("de").values()}
    assert set(TEMPLATES) - reviewed == set()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_a_translated_template_says_what_django_would_say(language: str, example: Any) -> None:
    template = cast(DjangoTemplates, engines["banners"]).engine.get_template(
        f"banners/{example.type}.txt"
    )
    with translation.override(language):
        said = template.render(Context({"data": Tame(example.data), "facts": {}}, autoescape=False))
    ours = banners.render(type=example.type, data=example.data, facts={}, locale=language)
    assert f"{ours.title}\n{ours.body}".translate(HIDDEN).split() == said.split()


@pytest.mark.parametrize(
    ("locale", "title"),
    [
        ("de", "🆘 Kundeneskalation: Bot X"),
        ("de-AT", "🆘 Kundeneskalation: Bot X"),
        ("de_CH.UTF-8", "🆘 Kundeneskalation: Bot X"),
        ("ar-EG-u-nu-latn", "\u200f🆘 تصعيد من عميل: \u2068Bot X\u2069"),
        ("pt-BR", "🆘 Customer escalation: Bot X"),
        ("", "🆘 Customer escalation: Bot X"),
        ("x" * 10_000, "🆘 Customer escalation: Bot X"),
        ("\x00", "🆘 Customer escalation: Bot X"),
    ],
)
def test_a_banner_is_in_the_language_that_suits_best(locale: str, title: str) -> None:
    assert render(ESCALATION, locale).title == title


@given(locale=st.text())
def test_no_locale_is_an_error(locale: str) -> None:
    assert render(ESCALATION, locale).title


# --- right to left --------------------------------------------------------------------------------


def strings(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for item in value.values() for text in strings(item)]
        case _:
            return []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_in_arabic_every_strangers_word_is_isolated(example: Any) -> None:
    banner = banners.render(type=example.type, data=example.data, facts={}, locale="ar")
    text = f"{banner.title}\n{banner.body}"
    found = [words for words in strings(example.data) if words in text]
    assert found
    for words in found:
        assert f"\u2068{words}\u2069" in text


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_in_arabic_every_line_begins_on_the_right(example: Any) -> None:
    banner = banners.render(type=example.type, data=example.data, facts={}, locale="ar")
    for line in (banner.title, *banner.body.split("\n")):
        assert line.startswith("\u200f") and line.count("\u200f") == 1


@pytest.mark.parametrize("type", [type for type in TEMPLATES if type in SMALLEST])
def test_in_arabic_no_english_word_is_left(type: str) -> None:
    latin = re.compile(r"[A-Za-z]")
    data = json.loads(json.dumps(SMALLEST[type]))
    for named in ("bot", "workflow", "tool"):
        if named in data:
            data[named]["name"] = "اسم"
    data.update({name: "اسم" for name in ("document", "source") if name in data})
    banner = banners.render(type=type, data=data, facts={}, locale="ar")
    said = f"{banner.title} {banner.body}".replace("CSAT", "")  # as it is called in Arabic too
    assert not latin.search(said)


def test_a_name_that_runs_the_other_way_is_isolated_in_english() -> None:
    banner = render("bot.tool_linked", "en", bot={"id": "b", "name": "בוט 24!"})
    assert banner.title == "🤖 \u2068בוט 24!\u2069 auto-updated"


@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_a_name_cannot_break_out_of_its_isolation(language: str) -> None:
    hostile = "\u2069\u202eBot \u2066X\n\u200f\u061c"
    banner = render("bot.tool_linked", language, bot={"id": "b", "name": hostile})
    assert banner == render("bot.tool_linked", language)


def test_a_number_of_ours_is_not_isolated() -> None:
    banner = render("bot.knowledge_added", "ar", chunks=12)
    assert "تمت إضافة 12 مقطعًا معرفيًا" in banner.body


# --- numbers and words --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, "صفحة جديدة واحدة"),
        (2, "صفحتين جديدتين"),
        (3, "3 صفحات جديدة"),
        (10, "10 صفحات جديدة"),
        (11, "11 صفحة جديدة"),
        (99, "99 صفحة جديدة"),
        (100, "100 صفحة جديدة"),
        (102, "102 صفحة جديدة"),
        (103, "103 صفحات جديدة"),
        (1111, "1,111 صفحة جديدة"),
    ],
)
def test_arabic_has_six_forms(count: int, words: str) -> None:
    assert f"على {words} من" in render("bot.retrained", "ar", pages=count).body


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 neuen Seite"), (2, "2 neuen Seiten"), (1204, "1.204 neuen Seiten")]
)
def test_german_has_two_forms(count: int, words: str) -> None:
    assert f"Mit {words} von" in render("bot.retrained", "de", pages=count).body


# --- digest and test push -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "title", "last"),
    [
        (1, "1 thing while you were away", "A"),
        (2, "2 things while you were away", "and 1 more"),
        (1204, "1,204 things while you were away", "and 1,203 more"),
    ],
)
def test_a_digest_names_how_many_and_what(count: int, title: str, last: str) -> None:
    banner = render(DIGEST, "en", **digest("A", count=count))
    assert banner.title == title
    assert banner.body.split("\n")[0] == "A"
    assert banner.body.split("\n")[-1] == last


@pytest.mark.parametrize(
    ("language", "count", "title"),
    [
        ("en", 1, "1 more just now"),
        ("en", 1204, "1,204 more just now"),
        ("de", 1, "Gerade eben 1 weitere Mitteilung"),
        ("de", 4, "Gerade eben 4 weitere Mitteilungen"),
        ("ar", 1, "إشعار آخر الآن"),
        ("ar", 2, "إشعاران آخران الآن"),
        ("ar", 4, "4 إشعارات أخرى الآن"),
        ("ar", 14, "14 إشعارًا آخر الآن"),
    ],
)
def test_a_digest_of_a_storm_says_that_it_is_one(language: str, count: int, title: str) -> None:
    banner = render(DIGEST, language, **digest("A", count=count, collapsed=True))
    assert banner.title.translate(HIDDEN) == title


def test_a_digest_has_a_line_for_each_of_its_items() -> None:
    banner = render(DIGEST, "en", **digest("🆘 A: B", "✅ C", count=5))
    assert banner.body == "🆘 A: B\n✅ C\nand 3 more"


def test_a_title_in_a_digest_keeps_its_isolation_and_its_line() -> None:
    banner = render(DIGEST, "ar", **digest("\u200f🤖 تحديث تلقائي: \u2068Bot\n24!\u2069", count=1))
    assert banner.body == "\u200f🤖 تحديث تلقائي: \u2068Bot 24!\u2069"


def test_a_test_push_names_the_device() -> None:
    banner = render("device.test", "en", device="Alice's iPhone\n")
    assert banner == Banner("🔔 Test push", "It works: Alice's iPhone gets its pushes.")
