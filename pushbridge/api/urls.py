"""`/api/v1/`: every app lists its own endpoints."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("channels_app.api.urls")),
]
