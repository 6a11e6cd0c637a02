"""Text that runs from right to left, and text of both kinds in one line. Pure.

Unicode Standard Annex 9, "Unicode Bidirectional Algorithm".
"""

from __future__ import annotations

import regex

RIGHT_TO_LEFT_MARK = "\u200f"
FIRST_STRONG_ISOLATE = "\u2068"
POP_DIRECTIONAL_ISOLATE = "\u2069"

_RIGHT_TO_LEFT = regex.compile(r"[\p{Bidi_Class=R}\p{Bidi_Class=AL}]")


def isolate(text: str, *, right_to_left: bool) -> str:
    """Somebody's words, such that they and the sentence around them do not reorder each other.

    `right_to_left` is the direction of the sentence. In one from left to right only words that may
    run the other way are wrapped, so what is all Latin stays as it is.
    """
    if not right_to_left and (text.isascii() or not _RIGHT_TO_LEFT.search(text)):
        return text
    return f"{FIRST_STRONG_ISOLATE}{text}{POP_DIRECTIONAL_ISOLATE}" if text else text


def begin_right(line: str) -> str:
    """A line that phones lay out from right to left, whatever it begins with.

    They go by the first letter; an emoji or a quote mark is none, and a line that has only an
    isolated name behind it would begin on the left.
    """
    return line if line.startswith(RIGHT_TO_LEFT_MARK) else RIGHT_TO_LEFT_MARK + line
