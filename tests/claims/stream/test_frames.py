from __future__ import annotations

from claims.stream import frames
from claims.stream.frames import Frame

CLAIM = Frame(event_id=7, organization_id=1, bot_id=2, data=b'{"type":"x"}')


def test_events_repeat_the_bookmark_before_them_and_end_with_the_next() -> None:
    assert frames.told([CLAIM, CLAIM], before=5, bookmark=9) == (
        b'id: 5\ndata: {"type":"x"}\n\nid: 5\ndata: {"type":"x"}\n\nid: 9\n\n'
    )


def test_a_stream_begins_with_when_to_come_back() -> None:
    assert frames.opening(retry_ms=2000, bookmark=5) == b"retry: 2000\nid: 5\n\n"


def test_a_reset_is_an_event_of_its_own_kind() -> None:
    assert frames.reset(reason="too_much", bookmark=5) == (
        b'id: 5\nevent: reset\ndata: {"reason": "too_much"}\n\n'
    )
