"""`/api/v1/`, the bridge's part. `me/` and the like come first: no organization has such a slug."""

from __future__ import annotations

from django.urls import path

from channels_app.api.me import MeView

urlpatterns = [
    path("me/", MeView.as_view(), name="me"),
]
