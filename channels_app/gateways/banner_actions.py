"""The buttons under a banner, and the data that they and the tap work with. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from channels_app.gateways.pushes import Push


@dataclass(frozen=True, slots=True)
class Action:
    """A button: `id` is what the app gets back, `title` what stands on it."""

    id: str
    title: str


ACTIONS: Mapping[str, tuple[Action, ...]] = MappingProxyType(
    {
        "ESCALATION": (
            Action("claim", "Claim"),
            Action("view", "View"),
            Action("snooze", "Snooze"),
        ),
        "AUTO_UPDATE": (Action("review", "Review"), Action("mute_bot", "Mute bot")),
        "WORKFLOW": (Action("view", "View"), Action("mute_run", "Mute run")),
    }
)
"""Category -> actions. Native apps register these categories themselves, so on APNs and FCM only
the category's name travels; a service worker is told the buttons with every push."""


def app_data(push: Push) -> dict[str, str]:
    """What the app gets beside the text: the ids, the link, and how the banner came to be."""
    return {
        **push.data,
        "link": push.link,
        "level": push.level,
        "channel": push.channel,
        "thread": push.thread,
    }
