"""What stands on the wire: `text/event-stream` (WHATWG HTML, section 9.2). Pure.

The `id` is a bookmark, not the event's own: all that was told before it need not be told again. A
block without data moves it and is no event for the app.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CONTENT_TYPE = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Frame:
    """One event as it is sent to everybody who may see the bot. `data` is JSON on one line."""

    event_id: int
    organization_id: int
    bot_id: int
    data: bytes


def opening(*, retry_ms: int, bookmark: int) -> bytes:
    """Where the stream begins, and after how long to come back should it break off."""
    return b"retry: %d\n%b" % (retry_ms, mark(bookmark))


def mark(bookmark: int) -> bytes:
    """All before it has been told. Sent for its own sake, it shows that the stream is alive."""
    return b"id: %d\n\n" % bookmark


def told(frames: Iterable[Frame], *, before: int, bookmark: int) -> bytes:
    """Events, and where that leads to; whoever loses the last block gets the others again."""
    blocks = [b"id: %d\ndata: %b\n\n" % (before, frame.data) for frame in frames]
    return b"".join([*blocks, mark(bookmark)])


def reset(*, reason: str, bookmark: int) -> bytes:
    """What was missed is not told: the app reloads what it shows."""
    return b'id: %d\nevent: reset\ndata: {"reason": "%b"}\n\n' % (bookmark, reason.encode())
