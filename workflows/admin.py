"""Workflows and their runs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string

from channels_app.admin import cells, words
from channels_app.admin.base import NoDeletion, OrganizationScopedAdmin, ReadOnly
from channels_app.admin.filters import organization_filter, period_filter, word_filter
from channels_app.admin.sources import SubscriberInline
from channels_app.models import Event, Source
from workflows.models import Run, Workflow

LAST_EVENTS = 50


@admin.register(Workflow)
class WorkflowAdmin(NoDeletion, OrganizationScopedAdmin[Workflow]):
    organization_path = "organization"
    list_display = ("name", "external_id", "organization", "created")
    list_select_related = ("organization",)
    list_filter = (organization_filter(),)
    search_fields = ("name", "external_id")
    ordering = ("name",)
    autocomplete_fields = ("organization",)
    fixed_fields = ("organization", "external_id")
    inlines = (SubscriberInline,)
    fieldsets = (
        (None, {"fields": ("name", ("organization", "external_id"))}),
        ("What happened", {"fields": ("lists",)}),
    )
    add_fieldsets = ((None, {"fields": ("name", ("organization", "external_id"))}),)
    readonly_fields = ("lists",)

    created = cells.instant_of("created_at", "First seen")

    @admin.display(description="Lists")
    def lists(self, workflow: Workflow) -> str:
        links = {
            "Its runs": cells.listing("workflows_run", workflow=workflow.pk),
            "Its events": cells.listing("chatbot_event", source=workflow.pk),
        }
        return render_to_string("admin/chatbot/lists.html", {"links": links})

    def get_inlines(self, request: HttpRequest, obj: Workflow | None) -> Any:
        return super().get_inlines(request, obj) if obj else ()

    def save_model(self, request: HttpRequest, obj: Workflow, form: Any, change: bool) -> None:
        obj.kind = Source.Kind.WORKFLOW
        super().save_model(request, obj, form, change)


@admin.register(Run)
class RunAdmin(ReadOnly, OrganizationScopedAdmin[Run]):
    """Read-only: a run changes by what the platform reports."""

    organization_path = "workflow__organization"
    list_display = ("external_id", "of_workflow", "about", "state_pill", "started", "duration")
    list_select_related = ("workflow",)
    list_filter = (
        organization_filter("workflow__organization"),
        word_filter("state", "state", words.RUN_STATES),
        period_filter("started_at"),
    )
    search_fields = ("external_id__exact",)
    search_help_text = "The platform's whole id of a run."
    ordering = ("-pk",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("external_id", "state_pill", "steps"),
                    ("of_workflow", "of_organization", "about"),
                    ("started", "finished", "duration"),
                )
            },
        ),
        ("Its history", {"fields": ("history",)}),
    )
    readonly_fields = (
        "state_pill",
        "of_workflow",
        "of_organization",
        "about",
        "started",
        "finished",
        "duration",
        "history",
    )

    started = cells.instant_of("started_at", "Started")
    finished = cells.instant_of("finished_at", "Finished")
    state_pill = cells.pill_of("state", "State", words.RUN_STATES)
    of_workflow = cells.link_of("workflow", "Workflow")
    of_organization = cells.link_of("workflow.organization", "Organization")

    @admin.display(description="Runs for")
    def about(self, row: Run) -> str:
        return cells.clipped(row.subject)

    @admin.display(description="Took")
    def duration(self, row: Run) -> str:
        if row.started_at is None or row.finished_at is None:
            return cells.NOTHING
        return cells.took(row.finished_at - row.started_at)

    @admin.display(description=f"The last {LAST_EVENTS} events, newest first")
    @cells.once
    def history(self, row: Run) -> str:
        events = Event.objects.filter(source=row.workflow_id, subject=row.external_id)
        return render_to_string(
            "admin/chatbot/history.html", {"events": cells.history(events, LAST_EVENTS)}
        )
