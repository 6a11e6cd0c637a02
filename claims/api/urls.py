"""`/api/v1/`, the conversations.

An id may hold slashes: an address that goes on after it stands before the one that ends with it.
"""

from __future__ import annotations

from django.urls import path

from channels_app.api import paths as paths  # Registers <external:…>.
from claims.api.conversations import ConversationView
from claims.api.reachability import ReachabilityView

urlpatterns = [
    path(
        "<slug:org>/conversations/<external:conversation>/",
        ConversationView.as_view(),
        name="conversation",
    ),
    path(
        "<slug:org>/bots/<external:bot>/reachability/",
        ReachabilityView.as_view(),
        name="reachability",
    ),
]
