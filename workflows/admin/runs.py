"""Runs of workflows: each as a picture of its steps, and all that happened to it."""

from __future__ import annotations

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils import timezone

from channels_app.admin import cells, words
from channels_app.admin.base import OrganizationScopedAdmin, ReadOnly
from channels_app.admin.filters import organization_filter, period_filter, word_filter
from channels_app.models import Event
from workflows import expectations
from workflows.admin import at_a_glance, bars
from workflows.models import Run

LAST_EVENTS = 50
# A picture is read by people.
MOST_STEPS = 100


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
        ("Its steps", {"fields": ("picture",)}),
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
        "picture",
        "history",
    )

    class Media:
        css = {"all": ("workflows/pictures.css",)}

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
        return at_a_glance.run_took(row, now=timezone.now())

    @admin.display(description="What each took, beside what is usual")
    @cells.once
    def picture(self, row: Run) -> str:
        steps = list(row.known_steps.order_by("index")[: MOST_STEPS + 1])
        drawn = bars.draw(
            row, steps[:MOST_STEPS], expectations.of(row.workflow), now=timezone.now()
        )
        context = {
            "run": row,
            "picture": drawn,
            "ticks": at_a_glance.ticks(drawn) if drawn else [],
            "bars": [at_a_glance.bar(bar) for bar in drawn.bars] if drawn else [],
            "most": MOST_STEPS if len(steps) > MOST_STEPS else None,
        }
        return render_to_string("admin/workflows/run.html", context)

    @admin.display(description=f"The last {LAST_EVENTS} events, newest first")
    @cells.once
    def history(self, row: Run) -> str:
        events = Event.objects.filter(source=row.workflow_id, subject=row.external_id)
        return render_to_string(
            "admin/chatbot/history.html", {"events": cells.history(events, LAST_EVENTS)}
        )
