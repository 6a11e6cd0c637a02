"""Organizations: the tenants."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.template.loader import render_to_string

from channels_app import policies
from channels_app.admin import cells, words
from channels_app.admin.advisor import AdvisorPages
from channels_app.admin.base import OrganizationScopedAdmin
from channels_app.admin.policies import NAMES, PoliciesForm, default, fieldsets, rows_of
from channels_app.models import Organization
from channels_app.preferences import CHANNELS

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

OWN_FIELDS = (("name", "slug"), ("claim_window", "banners_per_minute", "privacy"))


@admin.register(Organization)
class OrganizationAdmin(AdvisorPages, OrganizationScopedAdmin[Organization]):
    """Made and removed by superusers; its operators change what is theirs to change."""

    organization_path = "pk"
    list_display = ("name", "slug", "claim_window", "banners_per_minute", "privacy", "created")
    search_fields = ("name", "slug")
    ordering = ("name",)
    fieldsets = (
        (None, {"fields": OWN_FIELDS}),
        ("What belongs to it", {"fields": ("lists",)}),
    )
    add_fieldsets = ((None, {"fields": OWN_FIELDS}),)
    readonly_fields = ("lists", "told")
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

    @admin.display(description="Channels and types of events")
    def told(self, organization: Organization) -> str:
        """For who may only look."""
        policy = policies.of(organization.pk)
        channels = [
            {
                "name": NAMES[channel],
                "on": channel not in policy.channels_off,
                "types": [
                    {
                        "name": row.name,
                        "default": default(row),
                        "level": words.LEVELS[policy.levels[row.name]]
                        if row.name in policy.levels
                        else None,
                    }
                    for row in rows_of(channel)
                ],
            }
            for channel in CHANNELS
        ]
        return render_to_string("admin/chatbot/policies.html", {"channels": channels})

    def get_form(
        self,
        request: HttpRequest,
        obj: Organization | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[ModelForm[Organization]]:
        if self._arranges(request, obj):
            # Its further fields are known to the form alone: Django would ask the model for them.
            kwargs |= {"form": PoliciesForm, "fields": PoliciesForm.Meta.fields}
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Organization | None = None) -> Any:
        if obj is None:
            return super().get_fieldsets(request, obj)
        own, lists = self.fieldsets
        if self._arranges(request, obj):
            return [own, *fieldsets(), lists]
        return [own, ("Who is told what", {"fields": ("told",)}), lists]

    def _arranges(self, request: HttpRequest, obj: Organization | None) -> bool:
        return obj is not None and self.has_change_permission(request, obj)

    def save_related(
        self, request: HttpRequest, form: ModelForm[Organization], formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        if isinstance(form, PoliciesForm):
            form.arrange()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)
