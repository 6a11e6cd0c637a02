"""The buttons under a banner, and the data that they and the tap work with."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from channels_app import languages
from channels_app.gateways.pushes import Push


@dataclass(frozen=True, slots=True)
class Action:
    """A button: `id` is what the app gets back, `title` what stands on it."""

    id: str
    title: str


CATEGORIES: Mapping[str, Mapping[str, Promise]] = MappingProxyType(
    {
        "ESCALATION": {
            "claim": pgettext_lazy("button", "Claim"),
            "view": pgettext_lazy("button", "View"),
            "snooze": pgettext_lazy("button", "Snooze"),
        },
        "AUTO_UPDATE": {
            "review": pgettext_lazy("button", "Review"),
            "mute_bot": pgettext_lazy("button", "Mute bot"),
        },
        "WORKFLOW": {
            "view": pgettext_lazy("button", "View"),
            "mute_run": pgettext_lazy("button", "Mute run"),
        },
    }
)
"""Category -> id -> title. Native apps register these categories themselves, so on APNs and FCM
only the category's name travels; a service worker is told the buttons with every push."""


@lru_cache(maxsize=256)
def actions(category: str, locale: str) -> tuple[Action, ...]:
    """The buttons of a category, in the language that suits a locale best; none if unknown."""
    with translation.override(languages.best(locale)):
        return tuple(Action(id, str(title)) for id, title in CATEGORIES.get(category, {}).items())


def app_data(push: Push) -> dict[str, str]:
    """What the app gets beside the text: the ids, the link, and how the banner came to be."""
    return {
        **push.data,
        "link": push.link,
        "level": push.level,
        "channel": push.channel,
        "thread": push.thread,
    }
