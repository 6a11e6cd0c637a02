"""The tables of the bridge."""

from channels_app.models.events import Connection, Event
from channels_app.models.installations import Installation
from channels_app.models.notifications import Attempt, Delivery, Notification
from channels_app.models.organizations import Membership, Organization, Role, User
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
    "Connection",
    "Delivery",
    "Event",
    "Installation",
    "Membership",
    "Notification",
    "Organization",
    "Preference",
    "Role",
    "Source",
    "Subscription",
    "User",
]
