"""From the language tag of a device to a language that we speak."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.utils import translation


class UnknownLanguage(LookupError):
    """We have no translation for it."""


def match(tag: str) -> str:
    """The language of `settings.LANGUAGES` for a BCP 47 tag, as tolerant as devices are different.

    `de-AT`, `de_AT`, `DE` and `de-u-co-phonebk` are `de`, if `de` is all that we have of it.

    Raises:
        UnknownLanguage
    """
    try:
        return translation.get_supported_language_variant(
            tag.strip().replace("_", "-").partition("@")[0].lower()
        )
    except LookupError:
        raise UnknownLanguage(tag) from None


@lru_cache(maxsize=1024)
def best(tag: str) -> str:
    """The language of `settings.LANGUAGES` that serves who asks for `tag`: if none does, English.

    Never fails, whatever the tag is.
    """
    try:
        return match(tag)
    except (UnknownLanguage, ValueError):  # ValueError: Django's, of more than 500 characters
        return settings.LANGUAGE_CODE
