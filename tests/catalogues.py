"""The catalogues of translations: `python -m tests.catalogues` brings them up to date.

It reads every text that is marked in templates and in Python, merges them into
`locale/<language>/LC_MESSAGES/django.po`, and compiles each of those to the `django.mo` beside it.
What Django's `makemessages` and `compilemessages` do with GNU gettext, this does with Babel, which
comes with the developers' packages.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
APPS = ("channels_app", "claims", "pushbridge", "workflows")
COMMENT_TAG = "Translators:"
_SINGULAR, _PLURAL = None, (1, 2)
_IN_CONTEXT, _PLURAL_IN_CONTEXT = ((1, "c"), 2), ((1, "c"), 2, 3)
_ORDINARY = {
    "gettext": _SINGULAR,
    "ngettext": _PLURAL,
    "pgettext": _IN_CONTEXT,
    "npgettext": _PLURAL_IN_CONTEXT,
}
KEYWORDS = {
    **_ORDINARY,
    **{f"{name}_lazy": places for name, places in _ORDINARY.items()},
    "gettext_noop": _SINGULAR,
    "_": _SINGULAR,
}


@dataclass(frozen=True, slots=True)
class Marked:
    """A text that is to be translated, and where it stands."""

    file: str
    id: str | tuple[str, ...]
    context: str | None
    comments: tuple[str, ...]


def marked() -> Iterator[Marked]:
    """Every text that is marked in a template or a module, files in alphabetical order."""
    for path in sorted(_sources()):
        source = path.read_text(encoding="utf-8")
        if path.suffix != ".py":
            source = _as_python(source, path)
        yield from marked_in(source, str(path.relative_to(ROOT)))


def _sources() -> Iterator[Path]:
    for app in APPS:
        yield from (ROOT / app).rglob("*.py")
        yield from (ROOT / app).glob("templates/**/*.*")
    yield from (ROOT / "templates").rglob("*.*")


def _as_python(template: str, path: Path) -> str:
    """The template's texts as calls of gettext, as Django writes them for its own extraction."""
    lines = templatize(template, origin=str(path)).splitlines()
    return "\n".join(line.strip() for line in lines)


def marked_in(source: str, file: str) -> Iterator[Marked]:
    """Every text that is marked in Python's source."""
    found = extract(
        "python",
        io.BytesIO(source.encode()),
        keywords=KEYWORDS,
        comment_tags=[COMMENT_TAG],
        options={"encoding": "utf-8"},
        strip_comment_tags=True,
    )
    for _, id, comments, context in found:
        yield Marked(file, id if isinstance(id, str) else tuple(id), context, tuple(comments))


def languages() -> list[str]:
    """Those that there is a catalogue of; English stands in the sources."""
    return sorted(path.name for path in LOCALE.iterdir() if (path / "LC_MESSAGES").is_dir())


def po_file(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def mo_file(language: str) -> Path:
    return po_file(language).with_suffix(".mo")


def read(language: str) -> Catalog:
    with po_file(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def merged(language: str) -> Catalog:
    """The catalogue with every marked text and no other; what is new is empty, never guessed."""
    catalog = read(language)
    template = Catalog(creation_date=catalog.creation_date)
    for text in marked():
        template.add(
            text.id, locations=[(text.file, 0)], auto_comments=text.comments, context=text.context
        )
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def as_po(catalog: Catalog) -> bytes:
    """Without line numbers, which would change with every edit of a source."""
    file = io.BytesIO()
    write_po(file, catalog, width=100, include_lineno=False)
    return file.getvalue()


def as_mo(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def forms(message: Message) -> tuple[str, ...]:
    """The translation, or one for each plural form."""
    strings = message.string or ""
    return (strings,) if isinstance(strings, str) else tuple(strings)


def placeholders(text: str) -> list[str]:
    """`%(name)s`, `%s`, `{name}` and `{}`, sorted."""
    percent = re.findall(r"%(?:\(\w+\))?[#0\- +]*[\d.]*[sdifgxr]", text.replace("%%", ""))
    return sorted([*percent, *re.findall(r"\{[^{}]*\}", text)])


def main() -> None:
    for language in languages():
        catalog = merged(language)
        po_file(language).write_bytes(as_po(catalog))
        mo_file(language).write_bytes(as_mo(read(language)))
        missing = [message.id for message in catalog if message.id and not all(forms(message))]
        print(f"{language}: {len(catalog)} texts, {len(missing)} without a translation")
        for id in missing:
            print(f"  {id!r}")


if __name__ == "__main__":
    main()
