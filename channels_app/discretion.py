"""Discretion: how much of a banner's text travels through push services to a lock screen."""

from __future__ import annotations

from functools import lru_cache

from django.utils import translation
from django.utils.translation import gettext

from channels_app import languages
from channels_app.levels import Privacy


def discreet(title: str, body: str, *, privacy: Privacy, locale: str) -> tuple[str, str]:
    """The title and body that may travel; the full text stays in the inbox."""
    match privacy:
        case Privacy.FULL:
            return title, body
        case Privacy.REDACTED:
            return title, ""
        case Privacy.IDS:
            return _nothing(languages.best(locale)), ""


@lru_cache(maxsize=32)
def _nothing(language: str) -> str:
    """What stands there instead: a push without a title is not shown at all."""
    with translation.override(language):
        return gettext("New notification")
