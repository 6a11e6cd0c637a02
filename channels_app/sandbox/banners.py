"""What one push looks like on a lock screen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CATEGORIES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "ESCALATION": (("claim", "Claim"), ("view", "View"), ("snooze", "Snooze")),
    "AUTO_UPDATE": (("review", "Review"), ("mute", "Mute bot")),
    "WORKFLOW": (("view", "View"), ("mute", "Mute run")),
}
"""The buttons that the app has registered with the system, by category: (action, label).

A push names only the category; a name that the app never registered shows no buttons.
"""


@dataclass(frozen=True, slots=True)
class Banner:
    """A notification as the system shows it, however it was sent.

    `level` is what a person perceives ("critical", "loud", "quiet"); `wire_level` the word that
    was on the wire. `tag` is the identity on the screen: the same one replaces. `collapse_key`
    is the identity on the way: the same one replaces what was not delivered yet.
    """

    title: str = ""
    subtitle: str = ""
    body: str = ""
    level: str = "loud"
    wire_level: str = ""
    sound: str = ""
    rings: bool = False
    rings_when_replacing: bool = True
    breaks_silence: bool = False
    stays: bool = False
    tag: str = ""
    collapse_key: str = ""
    thread: str = ""
    category: str = ""
    actions: tuple[tuple[str, str], ...] = ()
    link: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    badge: int | None = None
    lang: str = ""
    direction: str = "auto"
    expires_at: float | None = None
    warnings: tuple[str, ...] = ()
    """What the push service takes and the app would stumble over."""

    @property
    def visible(self) -> bool:
        """A push with neither title nor text shows nothing."""
        return bool(self.title or self.body)


def link_of(data: Mapping[str, Any]) -> str:
    """The deep link that a tap opens."""
    link = data.get("link")
    return link if isinstance(link, str) else ""
