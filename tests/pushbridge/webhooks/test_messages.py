from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app.event_types import CATALOGUE
from channels_app.problems import Fault
from pushbridge.webhooks.messages import Invalid, Malformed, parse, read_timestamp

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
EXAMPLES = sorted((Path(__file__).parents[3] / "docs" / "examples").glob("*.json"))


def message(event_type: str = "bot.knowledge_added", **data: Any) -> dict[str, Any]:
    return {
        "type": event_type,
        "timestamp": "2026-11-23T10:00:00Z",
        "data": {
            "bot": {"id": "bot_x", "name": "Bot X"},
            "chunks": 12,
            "document": "supplier-spec-2026.pdf",
            **data,
        },
    }


def faults(payload: Any) -> list[Fault]:
    with pytest.raises(Malformed) as caught:
        parse(payload, now=NOW)
    return caught.value.faults


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_a_valid_message(path: Path) -> None:
    event = json.loads(path.read_text())["event"]

    parsed = parse(event, now=NOW)

    assert parsed.row is CATALOGUE[event["type"]]
    assert parsed.payload == event


def test_there_is_an_example_of_every_type_that_tells_something_new() -> None:
    shown = {json.loads(path.read_text())["event"]["type"] for path in EXAMPLES}

    assert shown == {
        name for name, row in CATALOGUE.items() if row.channel is not None and not row.retracts
    }


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ([], [Fault("", "must be an object with type, timestamp and data")]),
        (None, [Fault("", "must be an object with type, timestamp and data")]),
        (
            {},
            [
                Fault("/type", "is required"),
                Fault("/timestamp", "is required"),
                Fault("/data", "is required"),
            ],
        ),
        (
            {"type": 1, "timestamp": 2, "data": 3},
            [
                Fault("/type", "must be 1 to 128 visible ASCII characters"),
                Fault("/timestamp", "must be an RFC 3339 time, such as 2026-11-23T09:15:00Z"),
                Fault("/data", "must be an object"),
            ],
        ),
    ],
)
def test_an_envelope_names_everything_that_is_wrong(payload: Any, expected: list[Fault]) -> None:
    assert faults(payload) == expected


@pytest.mark.parametrize("name", ["", " ", "a b", "é", "a\n", "x" * 129, None, True, ["x"], {}])
def test_a_type_is_a_short_visible_name(name: Any) -> None:
    assert [fault.pointer for fault in faults({**message(), "type": name})] == ["/type"]


def test_a_type_that_is_not_in_the_catalogue_is_a_message_without_a_row() -> None:
    parsed = parse(message("invoice.paid"), now=NOW)

    assert parsed.row is None
    assert parsed.type == "invoice.paid"


@pytest.mark.parametrize(
    ("data", "pointer", "detail"),
    [
        ({"bot": None}, "/data/bot", "must be an object"),
        ({"bot": "bot_x"}, "/data/bot", "must be an object"),
        ({"bot": {"name": "Bot X"}}, "/data/bot/id", "is required"),
        ({"bot": {"id": 7, "name": "Bot X"}}, "/data/bot/id", "must be a string"),
        ({"bot": {"id": "", "name": "Bot X"}}, "/data/bot/id", "must not be empty"),
        (
            {"bot": {"id": "x" * 129, "name": "Bot X"}},
            "/data/bot/id",
            "must have at most 128 characters",
        ),
        ({"chunks": "12"}, "/data/chunks", "must be a whole number"),
        ({"chunks": 12.5}, "/data/chunks", "must be a whole number"),
        ({"chunks": True}, "/data/chunks", "must be a whole number"),
        ({"chunks": 0}, "/data/chunks", "must be at least 1"),
        ({"chunks": 2**31}, "/data/chunks", "must be at most 2147483647"),
    ],
)
def test_a_bad_field_is_named_in_a_plain_sentence(
    data: dict[str, Any], pointer: str, detail: str
) -> None:
    with pytest.raises(Invalid):
        parse(message(**data), now=NOW)
    assert faults(message(**data)) == [Fault(pointer, detail)]


@pytest.mark.parametrize(
    ("event_type", "data", "fault"),
    [
        (
            "bot.prompt_tuned",
            {"cause": "boredom"},
            Fault("/data/cause", "must be one of low_csat or high_deflection"),
        ),
        (
            "conversation.tone_escalated",
            {"conversation": {"id": "c"}, "tone": "anger", "score": 1.5},
            Fault("/data/score", "must be at most 1"),
        ),
        (
            "conversation.tone_escalated",
            {"conversation": {"id": "c"}, "tone": "anger", "score": "high"},
            Fault("/data/score", "must be a number"),
        ),
        (
            "conversation.human_requested",
            {"conversation": {"id": "c"}, "message": ["help"]},
            Fault("/data/message", "must be a string"),
        ),
    ],
)
def test_each_kind_of_rule_has_its_sentence(
    event_type: str, data: dict[str, Any], fault: Fault
) -> None:
    assert faults(message(event_type, **data)) == [fault]


def test_every_fault_is_named_at_once() -> None:
    assert {fault.pointer for fault in faults(message(bot={}, chunks="x", document=""))} == {
        "/data/bot/id",
        "/data/bot/name",
        "/data/chunks",
        "/data/document",
    }


def test_unknown_fields_are_kept() -> None:
    payload = {**message(colour="blue"), "tenant": "eu-1"}

    assert parse(payload, now=NOW).payload == payload


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-23T09:15:00Z", datetime(2026, 11, 23, 9, 15, tzinfo=UTC)),
        ("2026-11-23t09:15:00z", datetime(2026, 11, 23, 9, 15, tzinfo=UTC)),
        ("2026-11-23T10:15:00.5+01:00", datetime(2026, 11, 23, 9, 15, 0, 500_000, tzinfo=UTC)),
        ("2026-11-23T09:15:00.1234567890123Z", datetime(2026, 11, 23, 9, 15, 0, 123456, UTC)),
        ("2026-11-23T09:15:00-00:00", datetime(2026, 11, 23, 9, 15, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
    ],
)
def test_an_rfc_3339_time_is_read(text: str, instant: datetime) -> None:
    assert read_timestamp(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1732353300",
        "2026-11-23",
        "2026-11-23T09:15Z",
        "2026-11-23T09:15:00",
        "2026-11-23 09:15:00Z",
        "20261123T091500Z",
        "2026-W48-1T09:15:00Z",
        "2026-11-23T09:15:00,5Z",
        "2026-11-23T09:15:00+0100",
        "2026-11-23T09:15:00+24:00",
        "2026-11-23T24:00:00Z",
        "2026-11-23T09:15:61Z",
        "2026-02-29T09:15:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "9999-12-31T23:59:60Z",
        "٢٠٢٦-11-23T09:15:00Z",
        "2026-11-23T09:15:00Z\n",
    ],
)
def test_what_is_not_an_rfc_3339_time_is_not_guessed_at(text: str) -> None:
    assert read_timestamp(text) is None


@given(
    st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)),
    st.integers(min_value=-1439, max_value=1439),
)
def test_every_instant_is_read_back_from_any_offset(moment: datetime, minutes: int) -> None:
    instant = moment.replace(tzinfo=UTC)

    assert read_timestamp(instant.astimezone(timezone(timedelta(minutes=minutes))).isoformat()) == (
        instant
    )


def test_a_clock_that_is_ahead_cannot_win_the_last_word() -> None:
    ahead = parse({**message(), "timestamp": "2026-11-23T18:00:00Z"}, now=NOW)

    assert ahead.occurred_at == NOW


def test_a_clock_that_is_more_than_a_day_ahead_is_refused() -> None:
    assert faults({**message(), "timestamp": "2026-11-24T12:30:01Z"}) == [
        Fault("/timestamp", "lies more than a day ahead of our clock")
    ]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from(sorted(CATALOGUE)),
)
def test_any_data_of_any_type_is_accepted_or_refused_and_nothing_else(
    data: Any, event_type: str
) -> None:
    try:
        parse({"type": event_type, "timestamp": "2026-11-23T10:00:00Z", "data": data}, now=NOW)
    except Malformed as error:
        assert all(fault.detail for fault in error.faults)
