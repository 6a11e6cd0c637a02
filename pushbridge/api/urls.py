"""`/api/v1/`: every app lists its own endpoints.

`claims` and `workflows` come first: their addresses are the longer ones, and the id of a workflow
may hold slashes.
"""

from __future__ import annotations

from django.urls import include, path

from pushbridge.api.links import LinkView

urlpatterns = [
    path("links/", LinkView.as_view(), name="links"),
    path("", include("claims.api.urls")),
    path("", include("workflows.api.urls")),
    path("", include("channels_app.api.urls")),
]
