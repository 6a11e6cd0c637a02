"""Workflows: how each does, what of it runs now, and when a step of it is called stuck."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from channels_app.admin import cells, words
from channels_app.admin.base import NoDeletion, OrganizationScopedAdmin
from channels_app.admin.filters import organization_filter
from channels_app.admin.sources import SubscriberInline
from channels_app.admin.words import Tone, Word
from channels_app.models import Source
from workflows import overviews
from workflows.admin import at_a_glance
from workflows.models import LEAST_FACTOR, MOST_FACTOR, Run, Step, Workflow

STUCK = Word("Stuck", Tone.BAD, "A step of it has been running for too long.")
HELP = {
    "stuck_factor": "By how much what its history says is multiplied: at 2 a step is stuck after"
    " twice that time, at 0.5 after half of it, but never before a minute and twice what is usual."
    f" From {LEAST_FACTOR:g} to {MOST_FACTOR:g}.",
    "stuck_default": "For a step that has been completed less than ten times, as"
    " hours:minutes:seconds (00:45:00). Empty: what the organization's stuck policy says, else half"
    " an hour.",
}


@admin.register(Workflow)
class WorkflowAdmin(NoDeletion, OrganizationScopedAdmin[Workflow]):
    organization_path = "organization"
    list_display = ("name", "external_id", "organization", "state", "watched", "created")
    list_select_related = ("organization",)
    list_filter = (organization_filter(), "watched")
    search_fields = ("name", "external_id")
    ordering = ("name",)
    autocomplete_fields = ("organization",)
    fixed_fields = ("organization", "external_id")
    inlines = (SubscriberInline,)
    fieldsets = (
        (None, {"fields": ("name", ("organization", "external_id"), "lists")}),
        ("At a glance", {"fields": ("glance",)}),
        (
            "When a step is stuck",
            {
                "fields": ("watched", ("stuck_factor", "stuck_default")),
                "description": "A step is stuck when it takes much longer than its last hundred"
                " times. More patience counts at once for what runs already; less counts for what"
                " starts from now on.",
            },
        ),
    )
    add_fieldsets = ((None, {"fields": ("name", ("organization", "external_id"))}),)
    readonly_fields = ("lists", "glance")

    created = cells.instant_of("created_at", "First seen")

    class Media:
        css = {"all": ("workflows/pictures.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workflow]:
        of_it = Run.objects.filter(workflow=OuterRef("pk"))
        stuck = Step.objects.filter(alarm=Step.Alarm.STUCK, run__workflow=OuterRef("pk"))
        return (
            super()
            .get_queryset(request)
            .annotate(last_state=of_it.order_by("-pk").values("state")[:1], is_stuck=Exists(stuck))
        )

    def get_form(
        self, request: HttpRequest, obj: Workflow | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return super().get_form(request, obj, change, **{"help_texts": HELP, **kwargs})

    @admin.display(description="State")
    def state(self, workflow: Any) -> str:
        if workflow.is_stuck:
            return cells.pill(STUCK)
        if workflow.last_state is None:
            return cells.NOTHING
        return cells.pill(words.word(words.RUN_STATES, workflow.last_state))

    @admin.display(description="Lists")
    def lists(self, workflow: Workflow) -> str:
        links = {
            "Its runs": cells.listing("workflows_run", workflow=workflow.pk),
            "Its events": cells.listing("chatbot_event", source=workflow.pk),
            "What holds for all workflows": cells.listing("workflows_stuckpolicy"),
        }
        return render_to_string("admin/chatbot/lists.html", {"links": links})

    @admin.display(description="Its last runs, its steps, and what runs now")
    @cells.once
    def glance(self, workflow: Workflow) -> str:
        seen = overviews.read(workflow)
        return render_to_string(
            "admin/workflows/workflow.html", at_a_glance.shown(seen, now=timezone.now())
        )

    def get_inlines(self, request: HttpRequest, obj: Workflow | None) -> Any:
        return super().get_inlines(request, obj) if obj else ()

    def save_model(self, request: HttpRequest, obj: Workflow, form: Any, change: bool) -> None:
        obj.kind = Source.Kind.WORKFLOW
        super().save_model(request, obj, form, change)
