"""The tables of the bridge."""

from channels_app.models.events import Connection, Event
from channels_app.models.installations import Installation
from channels_app.models.notifications import Attempt, Delivery, Notification, Receipt
from channels_app.models.organizations import Membership, Organization, Privacy, Role, User
from channels_app.models.rules import (
    ChannelPolicy,
    ChannelPreference,
    QuietWindow,
    Snooze,
    TypePolicy,
)
from channels_app.models.sources import (
    Bot,
    BotGroupPermission,
    BotUserPermission,
    Preference,
    Source,
    Subscription,
)

__all__ = [
    "Attempt",
    "Bot",
    "BotGroupPermission",
    "BotUserPermission",
    "ChannelPolicy",
    "ChannelPreference",
    "Connection",
    "Delivery",
    "Event",
    "Installation",
    "Membership",
    "Notification",
    "Organization",
    "Preference",
    "Privacy",
    "QuietWindow",
    "Receipt",
    "Role",
    "Snooze",
    "Source",
    "Subscription",
    "TypePolicy",
    "User",
]
