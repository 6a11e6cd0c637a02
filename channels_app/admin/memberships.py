"""Memberships: one person in one organization, what they subscribe to, and how loud."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Field, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from channels_app import holds, memberships, schedules
from channels_app.admin import cells
from channels_app.admin.base import NoDeletion, OrganizationScopedAdmin
from channels_app.admin.filters import organization_filter
from channels_app.admin.member_settings import (
    OF_TIME,
    ChannelPreferenceInline,
    PreferenceInline,
    QuietWindowInline,
    SnoozeInline,
    SubscriptionInline,
)
from channels_app.admin.quiet_words import read_back
from channels_app.admin.why import rehearsal_address
from channels_app.models import Installation, Membership, Privacy, Role


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
        (None, {"fields": (("user", "organization"), ("external_id", "privacy", "active"))}),
        ("Reach", {"fields": (("reach", "quiet"),)}),
    )
    add_fieldsets = ((None, {"fields": (("user", "organization"), ("external_id", "active"))}),)
    readonly_fields = ("reach", "quiet")
    inlines = (
        SubscriptionInline,
        PreferenceInline,
        ChannelPreferenceInline,
        QuietWindowInline,
        SnoozeInline,
    )

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

    @admin.display(description="Quiet hours")
    @cells.once
    def quiet(self, row: Membership) -> str:
        schedule = schedules.of(row, time_zone=row.user.time_zone or "UTC")
        hush = schedules.at(schedule, now=timezone.now())
        return render_to_string(
            "admin/chatbot/quiet.html",
            {
                "sentence": read_back(schedule),
                "hush": hush,
                "until": cells.instant(hush.until),
                "next": cells.instant(hush.next_change),
                "what_if": rehearsal_address(member=row.pk),
            },
        )

    def save_related(
        self, request: HttpRequest, form: ModelForm[Membership], formsets: Any, change: bool
    ) -> None:
        """What is held is judged again as soon as its time may be another."""
        retimed = any(one.model in OF_TIME and one.has_changed() for one in formsets)
        if retimed:
            memberships.lock(form.instance)
        super().save_related(request, form, formsets, change)
        if retimed:
            holds.reconsider(membership_ids=[form.instance.pk], now=timezone.now())

    def formfield_for_choice_field(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "privacy":
            kwargs["choices"] = [("", "As the organization has it"), *Privacy.choices]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Membership | None) -> Any:
        return super().get_inlines(request, obj) if obj else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        # Chosen from elsewhere (autocomplete), a membership is shown by both names.
        return super().get_queryset(request).select_related("user", "organization")
