"""`spoken` for banner templates."""

from collections.abc import Callable

from django import template
from django.utils.safestring import SafeString, mark_safe

from channels_app import spoken

register = template.Library()


def _register(speak: Callable[..., str]) -> None:
    """Its words are ours: they are safe, and in a sentence they are not isolated like a name."""

    def said(value: float) -> SafeString:
        return mark_safe(speak(value))

    register.filter(speak.__name__, said)


_register(spoken.exact_duration)
_register(spoken.rough_duration)
_register(spoken.number)
