"""Organizations: the tenants."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string

from channels_app.admin import cells
from channels_app.admin.base import OrganizationScopedAdmin
from channels_app.models import Organization

# What belongs to an organization, each with a list of its own.
LISTS = {
    "Events": "chatbot_event",
    "Deliveries": "chatbot_delivery",
    "Members": "chatbot_membership",
    "Roles": "chatbot_role",
    "Bots": "chatbot_bot",
    "Workflows": "workflows_workflow",
    "Conversations": "claims_conversation",
    "Connections": "chatbot_connection",
}


@admin.register(Organization)
class OrganizationAdmin(OrganizationScopedAdmin[Organization]):
    """Made and removed by superusers; its operators change what is theirs to change."""

    organization_path = "pk"
    list_display = ("name", "slug", "claim_window", "created")
    search_fields = ("name", "slug")
    ordering = ("name",)
    fieldsets = (
        (None, {"fields": (("name", "slug"), "claim_window")}),
        ("What belongs to it", {"fields": ("lists",)}),
    )
    add_fieldsets = ((None, {"fields": (("name", "slug"), "claim_window")}),)
    readonly_fields = ("lists",)
    # The slug is in every link that is on a phone already.
    fixed_fields = ("slug",)

    created = cells.instant_of("created_at", "Created")

    @admin.display(description="Lists")
    def lists(self, organization: Organization) -> str:
        links = {
            title: cells.listing(model, organization=organization.pk)
            for title, model in LISTS.items()
        }
        return render_to_string("admin/chatbot/lists.html", {"links": links})

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)
