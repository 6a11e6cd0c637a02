"""`/api/v1/`, the conversations.

An id may hold slashes: an address that goes on after it stands before the one that ends with it.
"""

from __future__ import annotations

from django.urls import path

from channels_app.api import paths as paths  # Registers <external:…>.
from claims.api.actions import ClaimActionView
from claims.api.changes import ClaimView, HandBackView, ReleaseView, ResolveView
from claims.api.conversations import ConversationView
from claims.api.listing import ConversationsView
from claims.api.reachability import ReachabilityView
from claims.api.replies import ReplyView
from claims.api.standing import ConversationBaseView
from claims.api.stream import StreamView

CHANGES: dict[str, type[ConversationBaseView]] = {
    "claim": ClaimView,
    "release": ReleaseView,
    "hand-back": HandBackView,
    "resolve": ResolveView,
    "reply": ReplyView,
}

urlpatterns = [
    path("<slug:org>/stream/", StreamView.as_view(), name="stream"),
    path("<slug:org>/conversations/", ConversationsView.as_view(), name="conversations"),
    path("actions/claim/", ClaimActionView.as_view(), name="claim-action"),
    *(
        path(
            f"<slug:org>/conversations/<external:conversation>/{what}/",
            view.as_view(),
            name=f"conversation-{what}",
        )
        for what, view in CHANGES.items()
    ),
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
