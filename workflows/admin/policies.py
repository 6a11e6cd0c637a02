"""Stuck policies: after how long a step without a history is stuck, for a whole organization."""

from __future__ import annotations

from django.contrib import admin

from channels_app.admin.base import OrganizationScopedAdmin
from channels_app.admin.filters import organization_filter
from workflows.admin import at_a_glance
from workflows.models import StuckPolicy


@admin.register(StuckPolicy)
class StuckPolicyAdmin(OrganizationScopedAdmin[StuckPolicy]):
    """Without one, what is built in holds; deleting it brings that back."""

    organization_path = "organization"
    list_display = ("organization", "after")
    list_select_related = ("organization",)
    list_filter = (organization_filter(),)
    search_fields = ("organization__name",)
    ordering = ("organization__name",)
    autocomplete_fields = ("organization",)
    fixed_fields = ("organization",)
    fieldsets = (
        (
            None,
            {
                "fields": ("organization", "stuck_default"),
                "description": "For steps that have been completed less than ten times, of all"
                " workflows that set no time of their own: hours:minutes:seconds, such as 00:45:00."
                " Without a policy: half an hour.",
            },
        ),
    )

    @admin.display(description="Stuck without a history after", ordering="stuck_default")
    def after(self, row: StuckPolicy) -> str:
        return at_a_glance.seconds(row.stuck_default.total_seconds())
