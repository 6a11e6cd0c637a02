"""What a banner says: one template per event type, line 1 the title, the rest the body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.template import engines
from django.utils import translation

from channels_app.plain_text import clean, cut

# So that, with title, ids and link, the whole stays well under the 4,096 bytes of every push
# service, and the cut falls into the customer's words instead of the line below them.
QUOTE_BYTES = 1200
NAME_BYTES = 240
QUOTES = frozenset({"message", "error", "change"})


@dataclass(frozen=True, slots=True)
class Banner:
    """What stands on the lock screen: plain text, never HTML."""

    title: str
    body: str


def render(*, type: str, data: Mapping[str, Any], facts: Mapping[str, Any], locale: str) -> Banner:
    """The banner of an event in a language.

    Raises:
        django.template.TemplateDoesNotExist: the catalogue's row has no template.
    """
    template = engines["banners"].get_template(f"banners/{type}.txt")
    with translation.override(locale):
        text = template.render({"data": _tame(data), "facts": facts})
    title, _, body = text.strip().partition("\n")
    return Banner(title=title.strip(), body=body.strip())


def _tame(value: Any, name: str = "") -> Any:
    """The same structure, with every text in it cleaned and cut."""
    match value:
        case str():
            return cut(clean(value), QUOTE_BYTES if name in QUOTES else NAME_BYTES)
        case Mapping():
            tamed = {key: _tame(item, key) for key, item in value.items()}
            # A name of invisible characters is none; the id is better than a gap.
            return tamed if tamed.get("name", "-") else {**tamed, "name": tamed.get("id", "")}
        case list():
            return [_tame(item, name) for item in value]
        case _:
            return value
