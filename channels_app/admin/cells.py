"""Pieces of a page: what one value looks like. Everything is escaped here, and only here.

Names, messages and reasons come from outside; none of them is ever taken for HTML.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import reduce, wraps
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from channels_app.admin import words
from channels_app.admin.words import Word
from channels_app.models import Event, Source

Column = Callable[[Any, Any], str]
NOTHING = "–"


def instant(value: datetime | None) -> str:
    """A point in time, to the second, with its time zone."""
    if value is None:
        return NOTHING
    utc = value.astimezone(UTC)
    return format_html(
        '<time class="pb-time" datetime="{}" title="{}">{} <small>UTC</small></time>',
        utc.isoformat(),
        utc.isoformat(),
        utc.strftime("%Y-%m-%d %H:%M:%S"),
    )


def took(duration: timedelta | None) -> str:
    """A duration as short as it can be read: 40 ms, 3.2 s, 4 min 12 s, 2 h 5 min, 3 d 4 h."""
    if duration is None:
        return NOTHING
    seconds = duration.total_seconds()
    if seconds < 0:
        return "0 ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"


def pill(word: Word) -> SafeString:
    return format_html(
        '<span class="pb-pill pb-{}" title="{}">{}</span>', word.tone, word.sentence, word.label
    )


def explained(word: Word) -> SafeString:
    """A pill, and beside it what it means in a sentence."""
    return format_html("{} <span>{}</span>", pill(word), word.sentence)


def code(value: object) -> str:
    """An id or another machine's word; long ones are cut by the style sheet, whole in the title."""
    text = str(value)
    return (
        format_html('<code class="pb-code" title="{}">{}</code>', text, text) if text else NOTHING
    )


def page(row: Model) -> str:
    """The address of a row's page. A source's is that of the bot or of the workflow."""
    model = row._meta.model_name
    app = row._meta.app_label
    if isinstance(row, Source) and row.kind == Source.Kind.WORKFLOW:
        app, model = "workflows", "workflow"
    elif isinstance(row, Source):
        app, model = "chatbot", "bot"
    return reverse(f"admin:{app}_{model}_change", args=[row.pk])


def listing(model: str, **filters: object) -> str:
    """The address of a filtered list: `listing("chatbot_delivery", state="failed")`."""
    address = reverse(f"admin:{model}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address


def anchor(address: str, text: object) -> SafeString:
    return format_html('<a class="pb-link" href="{}">{}</a>', address, text)


def link(row: Model | None, text: object = "") -> str:
    return NOTHING if row is None else anchor(page(row), text or row)


def clipped(text: str) -> str:
    """One line of a longer text; the whole of it in the title."""
    return (
        format_html('<span class="pb-clip" title="{}">{}</span>', text, text) if text else NOTHING
    )


def spaced(*parts: object) -> SafeString:
    return format_html_join(" ", "{}", ((part,) for part in parts))


def failure(text: str) -> SafeString:
    """What an exception said, whole."""
    return format_html('<span class="pb-failure">{}</span>', text)


def event_link(event: Event) -> SafeString:
    """Short, for lists: the number, and the type without its subject."""
    return anchor(page(event), f"#{event.pk} {event.type.rpartition('.')[2]}")


def json_block(value: object) -> SafeString:
    """JSON as a person reads it. PostgreSQL keeps no order of keys: the shortest come first."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return format_html('<pre class="pb-json">{}</pre>', text)


def masked(secret: str, *, shown: int = 4) -> SafeString:
    """The end of a secret: enough to tell one from another."""
    return format_html('<code class="pb-code">…{}</code>', secret[-shown:])


R = TypeVar("R", bound=Model)
S = TypeVar("S")


def once(show: Callable[[S, R], str]) -> Callable[[S, R], str]:
    """Ask the database once for a row's cell: unfold's template reads each several times."""

    @wraps(show)
    def kept(model_admin: S, row: R) -> str:
        cells: dict[str, str] = row.__dict__.setdefault("_cells", {})
        if show.__name__ not in cells:
            cells[show.__name__] = show(model_admin, row)
        return cells[show.__name__]

    return kept


# Columns: methods of an admin class, made from the name of a field. Used in lists and on pages.


def _value(row: object, path: str) -> Any:
    return reduce(lambda value, name: value and getattr(value, name), path.split("."), row)


def _column(show: Callable[[Any], str], description: str, order: str | None = None) -> Column:
    @admin.display(description=description, ordering=order)
    def column(model_admin: object, row: Model) -> str:
        return show(row)

    return column


def instant_of(path: str, description: str) -> Column:
    return _column(lambda row: instant(_value(row, path)), description, path.replace(".", "__"))


def pill_of(path: str, description: str, meanings: Mapping[str, Word]) -> Column:
    return _column(lambda row: pill(words.word(meanings, _value(row, path))), description)


def explained_of(path: str, description: str, meanings: Mapping[str, Word]) -> Column:
    return _column(lambda row: explained(words.word(meanings, _value(row, path))), description)


def link_of(path: str, description: str) -> Column:
    """A link to what a foreign key names; the path may lead over several of them."""
    return _column(lambda row: link(_value(row, path)), description)


def code_of(path: str, description: str) -> Column:
    return _column(lambda row: code(_value(row, path)), description)


def json_of(path: str, description: str) -> Column:
    return _column(lambda row: json_block(_value(row, path)), description)


def history(events: QuerySet[Event], most: int) -> list[dict[str, str]]:
    """The last events of a conversation or run, by the platform's own clock, newest first."""
    return [
        {
            "address": page(event),
            "type": event.type,
            "at": instant(event.occurred_at),
            "state": pill(words.word(words.EVENT_STATES, event.state)),
        }
        for event in events.order_by("-occurred_at", "-pk")[:most]
    ]
