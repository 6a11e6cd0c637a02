"""The admin: for the operators of chatbot teams. One module for each concept.

Django's autodiscovery imports this package; each module registers its pages.
"""

from channels_app.admin import (
    connections,
    deliveries,
    events,
    installations,
    memberships,
    notifications,
    oauth,
    organizations,
    roles,
    sign_ins,
    sources,
    users,
)

__all__ = [
    "connections",
    "deliveries",
    "events",
    "installations",
    "memberships",
    "notifications",
    "oauth",
    "organizations",
    "roles",
    "sign_ins",
    "sources",
    "users",
]
