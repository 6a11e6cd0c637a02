"""What a banner says: one template per event type, line 1 the title, the rest the body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.template import Context
from django.utils import translation
from django.utils.safestring import SafeString

from channels_app import banner_templates, bidi, languages
from channels_app.plain_text import clean, cut

# So that, with title, ids and link, the whole stays well under the 4,096 bytes of every push
# service, and the cut falls into the customer's words instead of the line below them.
QUOTE_BYTES = 1200
NAME_BYTES = 240
QUOTES = frozenset({"message", "error", "change"})
# The titles of banners that a digest lists: sentences of ours, with marks of ours.
TITLES = frozenset({"title"})


@dataclass(frozen=True, slots=True)
class Banner:
    """What stands on the lock screen: plain text, never HTML."""

    title: str
    body: str


def render(*, type: str, data: Mapping[str, Any], facts: Mapping[str, Any], locale: str) -> Banner:
    """The banner of an event, in the language that suits a locale best.

    Raises:
        django.template.TemplateDoesNotExist: the catalogue's row has no template.
    """
    language = languages.best(locale)
    translated = banner_templates.in_language(f"banners/{type}.txt", language)
    context = Context({"data": Tame(data), "facts": facts}, autoescape=False)
    with translation.override(language):
        text = translated.template.render(context)
    # A line on which only tags stand is none.
    lines = [stripped for line in text.split("\n") if (stripped := line.strip())]
    if translated.right_to_left:
        lines = [bidi.begin_right(line) for line in lines]
    return Banner(title=lines[0] if lines else "", body="\n".join(lines[1:]))


class Tame(Mapping[str, Any]):
    """Strangers' data for a template: every text is cleaned and cut, once it is asked for."""

    __slots__ = ("_known", "_raw")

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        known = self._known
        if name not in known:
            known[name] = _tame(self._raw[name], name)
            if name == "name" and not known[name]:
                # A name of invisible characters is none; the id is better than a gap.
                known[name] = _tame(self._raw.get("id", ""), "id")
        return known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)


def _tame(value: Any, name: str) -> Any:
    match value:
        case str():
            if name in TITLES:
                return SafeString(cut(clean(value, marked=True), NAME_BYTES))
            return cut(clean(value), QUOTE_BYTES if name in QUOTES else NAME_BYTES)
        case dict() | Mapping():
            return Tame(value)
        case list():
            return [_tame(item, name) for item in value]
        case _:
            return value
