"""Text of strangers, made safe for a lock screen. Pure."""

from __future__ import annotations

import regex

# Control characters (line breaks too: a banner's lines are the template's), and what turns the
# reading direction of the text around it (Unicode Standard Annex 9, explicit formatting), hides in
# it, or belongs to other protocols. Joiners and emoji tags stay: family emoji and flags need them.
FORBIDDEN = regex.compile(
    r"[\p{Cc}\p{Cs}\p{Co}\u061C\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]+"
)
# The same, but for the marks that `bidi` makes.
FORBIDDEN_OR_OURS = regex.compile(rf"(?V1)[{FORBIDDEN.pattern[:-1]}--[\u200F\u2068\u2069]]+")
SPACE = regex.compile(r"\s+")
GRAPHEME = regex.compile(r"\X")
ELLIPSIS = "…"
MOST_BYTES = 4
"""Of a character in UTF-8 (RFC 3629, section 3)."""


def clean(text: str, *, marked: bool = False) -> str:
    """One line without control and direction characters, white space folded.

    `marked`: it is a line of ours, and keeps the marks that stand in it.
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    spaced = SPACE.sub(" ", text)
    forbidden = FORBIDDEN_OR_OURS if marked else FORBIDDEN
    return SPACE.sub(" ", forbidden.sub("", spaced)).strip()


def cut(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, cut between graphemes, an ellipsis for what is missing."""
    if len(text) * MOST_BYTES <= limit or len(text.encode()) <= limit:
        return text
    room = limit - len(ELLIPSIS.encode())
    kept, used = [], 0
    for match in GRAPHEME.finditer(text):
        used += len(match[0].encode())
        if used > room:
            break
        kept.append(match[0])
    return "".join(kept).rstrip() + ELLIPSIS
