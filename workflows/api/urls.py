"""`/api/v1/`, the runs of workflows."""

from __future__ import annotations

from django.urls import path

from channels_app.api import paths as paths  # Registers <external:…>.
from workflows.api.overviews import RunsView, WorkflowOverviewView
from workflows.api.runs import RunView

urlpatterns = [
    path(
        "<slug:org>/workflows/<external:workflow>/runs/<external:run>/",
        RunView.as_view(),
        name="run",
    ),
    # After it, since an id may have slashes: longer addresses are looked for before shorter ones.
    path(
        "<slug:org>/workflows/<external:workflow>/runs/",
        RunsView.as_view(),
        name="runs",
    ),
    path(
        "<slug:org>/workflows/<external:workflow>/overview/",
        WorkflowOverviewView.as_view(),
        name="workflow-overview",
    ),
]
