"""Text of strangers, made safe for a lock screen. Pure."""

from __future__ import annotations

import regex

# Control characters (line breaks too: a banner's lines are the template's), and what turns the
# reading direction of the text around it (Unicode Standard Annex 9, explicit formatting), hides in
# it, or belongs to other protocols. Joiners and emoji tags stay: family emoji and flags need them.
FORBIDDEN = regex.compile(
    r"[\p{Cc}\p{Cs}\p{Co}\u061C\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]+"
)
SPACE = regex.compile(r"\s+")
GRAPHEME = regex.compile(r"\X")
ELLIPSIS = "…"


def clean(text: str) -> str:
    """One line without control and direction characters, white space folded."""
    spaced = SPACE.sub(" ", text)
    return SPACE.sub(" ", FORBIDDEN.sub("", spaced)).strip()


def cut(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, cut between graphemes, an ellipsis for what is missing."""
    if len(text.encode()) <= limit:
        return text
    room = limit - len(ELLIPSIS.encode())
    kept, used = [], 0
    for match in GRAPHEME.finditer(text):
        used += len(match[0].encode())
        if used > room:
            break
        kept.append(match[0])
    return "".join(kept).rstrip() + ELLIPSIS
