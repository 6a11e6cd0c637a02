from __future__ import annotations

import copy
import re
from typing import Any

import pytest
import regex
from django.template import TemplateDoesNotExist
from hypothesis import given
from hypothesis import strategies as st

from channels_app import banners
from channels_app.banners import Banner, Tame
from channels_app.event_types import CATALOGUE
from tests.examples import EXAMPLES, SMALLEST, Example

# What the state knows when the examples come one after the other: 08 tells of four steps.
FACTS = {"09-step-completed": {"steps": 4}}
ASK = "conversation.human_requested"


def render(type: str, facts: dict[str, Any] | None = None, **data: Any) -> Banner:
    return banners.render(
        type=type, data={**copy.deepcopy(SMALLEST[type]), **data}, facts=facts or {}, locale="en"
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_every_example_gives_its_banner_word_for_word(example: Example) -> None:
    banner = banners.render(
        type=example.type, data=example.data, facts=FACTS.get(example.name, {}), locale="en"
    )
    assert banner == Banner(title=example.title, body=example.body)


ESCALATED = Banner("🆘 Customer escalation: Bot X", "Tap to claim and respond.")
UPDATED = "🤖 Bot X auto-updated"


@pytest.mark.parametrize(
    ("type", "banner"),
    [
        (ASK, ESCALATED),
        ("conversation.unanswered", ESCALATED),
        ("conversation.tone_escalated", ESCALATED),
        (
            "bot.knowledge_added",
            Banner(UPDATED, '12 KB chunks added from "supplier-spec-2026.pdf".\nTap to review.'),
        ),
        (
            "bot.retrained",
            Banner(UPDATED, "Re-trained on 5 new pages from docs.example.com.\nTap to review."),
        ),
        (
            "bot.prompt_tuned",
            Banner(UPDATED, "Prompt auto-tuned because of low CSAT.\nTap to review."),
        ),
        (
            "bot.tool_linked",
            Banner(UPDATED, "New tool linked: Stripe refunds.\nTap to review."),
        ),
        ("workflow.run_started", Banner("⚙️ Workflow started: Daily KPI digest", "")),
        ("workflow.step_completed", Banner("⚙️ Workflow step done: Daily KPI digest", "Step 3.")),
        (
            "workflow.run_finished",
            Banner("✅ Workflow finished: Daily KPI digest", "Status: success.\nTap for details."),
        ),
        (
            "workflow.step_stuck",
            Banner(
                "⚠️ Workflow stuck: Daily KPI digest",
                "Step 3 has been running for 15 min.\nTap to investigate.",
            ),
        ),
    ],
)
def test_what_is_not_known_leaves_no_trace(type: str, banner: Banner) -> None:
    assert render(type) == banner


@pytest.mark.parametrize(
    ("facts", "step", "body"),
    [
        ({"steps": 4}, {"index": 2}, "Step 2 of 4."),
        ({}, {"index": 2, "name": "Look up"}, 'Step 2, "Look up".'),
        ({"steps": 4}, {"index": 2, "name": "Look up"}, 'Step 2 of 4, "Look up".'),
        ({}, {"index": 2, "duration_seconds": 12}, "Step 2 took 12s."),
        ({"steps": 4}, {"index": 2, "duration_seconds": 0}, "Step 2 of 4 took 0s."),
        (
            {},
            {"index": 2, "name": "Look up", "duration_seconds": 12},
            'Step 2, "Look up", took 12s.',
        ),
    ],
)
def test_a_step_says_what_is_known_of_it(
    facts: dict[str, Any], step: dict[str, Any], body: str
) -> None:
    assert render("workflow.step_completed", facts, step=step).body == body


@pytest.mark.parametrize(
    ("type", "data", "line"),
    [
        (
            "bot.knowledge_added",
            {"chunks": 1, "document": "a.pdf"},
            '1 KB chunk added from "a.pdf".',
        ),
        (
            "bot.retrained",
            {"pages": 1, "source": "a.example"},
            "Re-trained on 1 new page from a.example.",
        ),
        (
            "bot.knowledge_added",
            {"chunks": 1204, "document": "a.pdf"},
            '1,204 KB chunks added from "a.pdf".',
        ),
        (
            "bot.prompt_tuned",
            {"cause": "high_deflection"},
            "Prompt auto-tuned because of high deflection.",
        ),
        (
            "workflow.run_finished",
            {"status": "failure", "duration_seconds": 0},
            "Status: failure. Duration 0s.",
        ),
        (
            "workflow.step_stuck",
            {"step": {"index": 1, "running_seconds": 45, "average_seconds": 0}},
            "Step 1 has been running for 45 s (avg: 0 s).",
        ),
    ],
)
def test_numbers_and_words_agree(type: str, data: dict[str, Any], line: str) -> None:
    assert render(type, **data).body.split("\n")[0] == line


@given(type=st.sampled_from(sorted({example.type for example in EXAMPLES})), data=st.data())
def test_no_choice_of_optional_fields_leaves_odd_lines(type: str, data: st.DataObject) -> None:
    full = next(example.data for example in EXAMPLES if example.type == type)
    kept = {
        key: value
        for key, value in full.items()
        if key in SMALLEST[type] or data.draw(st.booleans(), label=key)
    }
    banner = render(type, **kept)
    for line in (banner.title, *banner.body.split("\n"))[: None if banner.body else 1]:
        assert line and line == line.strip()
        assert not re.search(r' [.,:)]|""|,\.|\.\.|  |None|\(\)', line)


@pytest.mark.parametrize("type", [r.name for r in CATALOGUE.values() if r.channel])
def test_no_text_is_escaped(type: str) -> None:
    hostile = '<b>R&D\'s "best"</b> {{ settings.SECRET_KEY }} {% now %}'
    subject = "workflow" if type.startswith("workflow") else "bot"
    banner = render(type, **{subject: {"id": "1", "name": hostile}})
    assert hostile in f"{banner.title} {banner.body}"


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines",
        "two\r\nlines",
        "two\u2028lines",
        "two\u2029lines",
        "two\x85lines",
        "two\x0blines",
        "two\tlines",
        "\n\n\ntwo \n\n lines\n\n",
        "two\u200b \u202elines\u202c",
        "\x00two\x1b \ufefflines\u2066",
    ],
)
def test_a_message_is_one_line_whatever_is_in_it(text: str) -> None:
    assert render(ASK, message=text).body == '"two lines"\nTap to claim and respond.'


@pytest.mark.parametrize("nothing", ["", " ", "\n", "\x00\x01", "\u200b\u202e\ufeff"])
def test_a_message_of_nothing_visible_is_no_message(nothing: str) -> None:
    assert render(ASK, message=nothing) == ESCALATED


def test_a_name_cannot_forge_a_second_line() -> None:
    bot = {"id": "bot_x", "name": "Bot X\nTap to claim and respond.\u202e"}
    banner = render("bot.tool_linked", bot=bot)
    assert banner.title == "🤖 Bot X Tap to claim and respond. auto-updated"
    assert banner.body == "New tool linked: Stripe refunds.\nTap to review."


GRAPHEMES = [
    "x",
    "é",
    "e\u0301",
    "👨‍👩‍👧‍👦",
    "👍🏽",
    "🇩🇪",
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "क्षि",
    "நி",
    "\u1112\u1161\u11ab",
    "한",
    "a\u0300\u0316\u0327",
]


@pytest.mark.parametrize("grapheme", GRAPHEMES)
def test_a_message_of_64_kilobytes_is_cut_between_graphemes(grapheme: str) -> None:
    message = grapheme * (65_536 // len(grapheme.encode()))
    quote, last = render(ASK, message=message).body.split("\n")
    assert regex.fullmatch(f'"({regex.escape(grapheme)})+…"', quote)
    assert last == "Tap to claim and respond."
    assert 1_100 < len(quote.encode()) < 1_300


@pytest.mark.parametrize("grapheme", GRAPHEMES)
def test_every_name_at_its_longest_leaves_room_for_the_rest(grapheme: str) -> None:
    longest = grapheme * (200 // len(grapheme))
    step = {"index": 2**31 - 1, "name": longest, "duration_seconds": 315_360_000}
    workflow = {"id": "wf", "name": longest}
    banner = render("workflow.step_completed", {"steps": 2**31 - 1}, workflow=workflow, step=step)
    assert len((banner.title + banner.body).encode()) < 800
    assert banner.body.endswith("took 87600h 0m 0s.")


@pytest.mark.parametrize("locale", ["fr", "xx", "", "zh-hans", "../..", "no such language"])
def test_a_language_without_a_translation_gets_the_english_banner(locale: str) -> None:
    data = SMALLEST["bot.tool_linked"]
    banner = banners.render(type="bot.tool_linked", data=data, facts={}, locale=locale)
    assert banner.title == UPDATED


def test_a_type_without_a_template_is_an_error() -> None:
    with pytest.raises(TemplateDoesNotExist):
        render("conversation.message")


def test_who_has_an_invisible_name_is_called_by_its_id() -> None:
    data = {"bot": {"id": "bot_x", "name": "\u2066\u200b"}, "message": "Help"}
    banner = banners.render(type="conversation.human_requested", data=data, facts={}, locale="en")
    assert banner.title == "🆘 Customer escalation: bot_x"


def test_what_a_template_may_ask_for_is_tame_at_every_depth() -> None:
    data = Tame({"a": {"b": ["two\nlines", {"c": "\u202ex"}]}, "n": 3})
    assert {name: data[name] for name in data} == {"a": {"b": ["two lines", {"c": "x"}]}, "n": 3}
    assert dict(data["a"].items()) == {"b": ["two lines", {"c": "x"}]}
