"""What all three services have in common."""

from datetime import timedelta

import pytest

from channels_app.gateways import outcomes
from channels_app.gateways.exchange import Fate, Reply
from channels_app.gateways.pushes import Verdict
from tests.channels_app.gateways.making import NOW


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("999999999999", 86400.0),
        ("Mon, 04 May 2026 12:02:00 GMT", 120.0),
        ("Mon, 04 May 2026 11:00:00 GMT", 0.0),
        ("Mon, 04 May 2026 12:02:00 -0000", 120.0),
        ("Wed, 04 May 2050 12:02:00 GMT", 86400.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("Mon, 99 May 2026 99:99:99 GMT", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 04 May 2026 12:02:00 +99999999999999999999", None),
        ("Mon, 04 May 2026 12:02:00 +9999", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 86400.0),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
        ("9" * 5000, 86400.0),
        ("inf", None),
        ("nan", None),
    ],
)
def test_retry_after_has_two_forms(text: str, seconds: float | None) -> None:
    assert outcomes.retry_after(text, NOW) == seconds


def test_only_a_retry_waits() -> None:
    headers = {"retry-after": "9"}
    rejected = outcomes.Outcome(Verdict.REJECTED, "")
    retry = outcomes.Outcome(Verdict.RETRY, "")

    assert outcomes.with_retry_after(rejected, headers, NOW).retry_after is None
    assert outcomes.with_retry_after(retry, headers, NOW).retry_after == 9.0
    assert outcomes.with_retry_after(retry, {}, NOW).retry_after is None


@pytest.mark.parametrize(
    ("fate", "verdict"),
    [
        (Fate.UNSENT, Verdict.RETRY),
        (Fate.UNANSWERED, Verdict.UNKNOWN),
        (Fate.IMPOSSIBLE, Verdict.REJECTED),
    ],
)
def test_without_an_answer_the_fate_decides(fate: Fate, verdict: Verdict) -> None:
    reply = Reply(fate, None, {}, b"", "Timeout", 0.0, 1.0)

    assert outcomes.of_unanswered(reply) == outcomes.Outcome(verdict, "Timeout")


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (202, Verdict.ACCEPTED),
        (301, Verdict.REJECTED),
        (307, Verdict.REJECTED),
        (402, Verdict.REJECTED),
        (408, Verdict.RETRY),
        (418, Verdict.REJECTED),
        (421, Verdict.RETRY),
        (429, Verdict.RETRY),
        (500, Verdict.RETRY),
        (502, Verdict.RETRY),
        (504, Verdict.RETRY),
        (599, Verdict.RETRY),
    ],
)
def test_an_unlisted_status_means_what_http_says(status: int, verdict: Verdict) -> None:
    assert outcomes.of_status(status, "").verdict is verdict


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b"\xff", b"[" * 100_000, b'"BadDeviceToken"']
)
def test_what_is_no_object_is_an_empty_one(body: bytes) -> None:
    assert outcomes.json_object(body) == {}


@pytest.mark.parametrize(
    "value", [None, 7, "", "two words", "<script>", "x" * 61, "ü", "a\nb", "1st", ["BadTopic"]]
)
def test_a_reason_is_one_plain_word(value: object) -> None:
    assert outcomes.word(value) == ""
    assert outcomes.word("BadDeviceToken") == "BadDeviceToken"


def test_an_identifier_is_short_and_printable() -> None:
    assert outcomes.identifier("projects/p/messages/0:1%2") == "projects/p/messages/0:1%2"
    assert outcomes.identifier("a\x00b") == ""
    assert len(outcomes.identifier("x" * 9999)) == outcomes.MAX_ID_CHARACTERS


def test_a_wait_until_a_date_is_counted_from_now() -> None:
    date = "Mon, 04 May 2026 12:02:00 GMT"

    assert outcomes.retry_after(date, NOW + timedelta(seconds=30)) == 90.0
