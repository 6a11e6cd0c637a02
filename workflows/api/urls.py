"""`/api/v1/`, the runs of workflows."""

from __future__ import annotations

from django.urls import path

from channels_app.api import paths as paths  # Registers <external:…>.
from workflows.api.runs import RunView

urlpatterns = [
    path(
        "<slug:org>/workflows/<external:workflow>/runs/<external:run>/",
        RunView.as_view(),
        name="run",
    ),
]
