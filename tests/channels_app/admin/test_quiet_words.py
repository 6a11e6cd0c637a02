from __future__ import annotations

from datetime import time

import pytest

from channels_app.admin.quiet_words import read_back
from channels_app.quiet_hours import Schedule, Window


@pytest.mark.parametrize(
    ("days", "start", "end", "words"),
    [
        ("1234567", time(22), time(7), "every day from 22:00 to 07:00 of the next day"),
        ("12345", time(22), time(0), "on Monday to Friday from 22:00 to midnight"),
        ("67", time(0), time(0), "on Saturday and Sunday the whole day"),
        ("1", time(9), time(9), "on Monday from 09:00 for 24 hours"),
        ("1357", time(12), time(13, 30), "on Monday, Wednesday, Friday and Sunday from 12:00 to"),
        ("1237", time(12), time(13), "on Monday to Wednesday and Sunday from 12:00 to 13:00"),
    ],
)
def test_a_window_is_read_back(days: str, start: time, end: time, words: str) -> None:
    window = Window(frozenset(map(int, days)), start, end)

    sentence = read_back(Schedule("Europe/Berlin", (window,)))

    assert sentence.startswith(f"Quiet {words}")
    assert sentence.endswith("; by the clock of Europe/Berlin.")


def test_no_window_is_said_so() -> None:
    assert read_back(Schedule("UTC", ())) == "No quiet hours."
