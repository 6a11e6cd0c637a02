"""Memberships: one person in one organization, what they subscribe to, and how loud."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import CharField, Field, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string

from channels_app.admin import cells
from channels_app.admin.base import NoDeletion, OrganizationScopedAdmin, ScopedInline
from channels_app.admin.filters import organization_filter
from channels_app.admin.unfolded import RowFormSet
from channels_app.event_types import CATALOGUE
from channels_app.models import Installation, Membership, Preference, Role, Subscription

SETTABLE = [(row.name, row.name) for row in CATALOGUE.values() if row.channel is not None]


class SameOrganization(RowFormSet[Any, Membership, "forms.ModelForm[Any]"]):
    """A bot or workflow of another organization is refused, whoever chooses it."""

    def clean(self) -> None:
        super().clean()
        for form in self.forms:
            source = form.cleaned_data.get("source") if form.is_valid() else None
            if source and source.organization_id != self.instance.organization_id:
                raise ValidationError(f"{source} belongs to another organization.")


class SubscriptionInline(ScopedInline[Subscription, Membership]):
    model = Subscription
    formset = SameOrganization
    per_page = 20
    organization_path = "membership__organization"
    autocomplete_fields = ("source",)
    verbose_name_plural = "Subscribes to"
    hide_title = True


class PreferenceInline(ScopedInline[Preference, Membership]):
    model = Preference
    formset = SameOrganization
    per_page = 20
    organization_path = "membership__organization"
    autocomplete_fields = ("source",)
    verbose_name_plural = "Own levels (a source left empty means: from all)"
    hide_title = True

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        if isinstance(db_field, CharField) and db_field.name == "event_type":
            db_field = _with_choices(db_field)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


def _with_choices(field: CharField[Any, Any]) -> CharField[Any, Any]:
    copy = field.clone()
    copy.set_attributes_from_name(field.name)
    copy.choices = SETTABLE
    return copy


@admin.register(Membership)
class MembershipAdmin(NoDeletion, OrganizationScopedAdmin[Membership]):
    """Kept for ever, since notifications name them; who leaves is made inactive."""

    organization_path = "organization"
    list_display = ("person", "full_name", "organization", "active", "external_id", "created")
    list_select_related = ("organization", "user")
    list_filter = (organization_filter(), "active")
    search_fields = ("user__username", "user__email", "external_id")
    search_help_text = "Username, e-mail address, or the platform's id of a person."
    ordering = ("user__username",)
    autocomplete_fields = ("organization", "user")
    fixed_fields = ("organization", "user")
    fieldsets = (
        (None, {"fields": (("user", "organization"), ("external_id", "active"))}),
        ("Reach", {"fields": ("reach",)}),
    )
    add_fieldsets = ((None, {"fields": (("user", "organization"), ("external_id", "active"))}),)
    readonly_fields = ("reach",)
    inlines = (SubscriptionInline, PreferenceInline)

    created = cells.instant_of("created_at", "Since")

    @admin.display(description="Person", ordering="user__username")
    def person(self, row: Membership) -> str:
        return str(row.user)

    @admin.display(description="Name")
    def full_name(self, row: Membership) -> str:
        return row.user.get_full_name() or cells.NOTHING

    @admin.display(description="Roles, devices, what they were told")
    @cells.once
    def reach(self, row: Membership) -> str:
        held = Role.objects.filter(organization=row.organization_id, group__user=row.user_id)
        devices = Installation.objects.filter(user=row.user_id).order_by("registered_at")
        return render_to_string(
            "admin/chatbot/reach.html",
            {
                "roles": [cells.link(role, role.name) for role in held],
                "devices": [
                    (cells.link(device, device.name or device.get_platform_display()), device)
                    for device in devices
                ],
                "told": cells.listing("chatbot_notification", q=row.user.username),
                "user": cells.link(row.user),
            },
        )

    def get_inlines(self, request: HttpRequest, obj: Membership | None) -> Any:
        return super().get_inlines(request, obj) if obj else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        # Chosen from elsewhere (autocomplete), a membership is shown by both names.
        return super().get_queryset(request).select_related("user", "organization")
