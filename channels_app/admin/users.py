"""People. They may belong to several organizations, hence only superusers change them."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import Field, ManyToManyField, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone

from channels_app import holds, quiet_hours
from channels_app.admin import cells
from channels_app.admin.base import OrganizationScopedAdmin, ReadOnlyInline
from channels_app.admin.installations import alive
from channels_app.admin.unfolded import (
    ManyChoices,
    OneChoice,
    PasswordForm,
    PersonAdmin,
    UserAdditionForm,
    UserForm,
)
from channels_app.models import Installation, Membership, User

# A group is a role's: it is managed on the role's page.
admin.site.unregister(Group)

Fieldset = tuple[str | None, dict[str, Any]]

PERSON: Fieldset = (
    "Person",
    {"fields": (("username", "email"), ("first_name", "last_name"))},
)
BANNERS: Fieldset = ("Their banners", {"fields": (("locale", "time_zone"),)})
SIGN_IN: Fieldset = (
    "Sign-in",
    {"fields": ("password", ("is_active", "is_staff", "is_superuser"), "last_login")},
)
ADMIN: Fieldset = (
    "What they may do in the admin (staff), in their own organizations",
    {"fields": ("user_permissions",)},
)
# Nothing else can be kept: quiet hours are counted by it, and banners written in it.
CHOICES = {
    "locale": [("", "English, as by default"), *settings.LANGUAGES],
    "time_zone": [("", "UTC"), *((name, name) for name in sorted(quiet_hours.time_zones()))],
}
OUR_APPS = ("chatbot", "claims", "workflows")


class MembershipInline(ReadOnlyInline[Membership, User]):
    """Those in the reader's own organizations: where else a person belongs is not theirs to see."""

    model = Membership
    organization_path = "organization"
    verbose_name_plural = "Organizations"
    hide_title = True
    fields = ("in_organization", "active", "external_id", "since")
    readonly_fields = fields
    ordering = ("organization__name",)

    since = cells.instant_of("created_at", "Since")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("organization")

    @admin.display(description="Membership in")
    def in_organization(self, row: Membership) -> str:
        return cells.link(row, row.organization)


class InstallationInline(ReadOnlyInline[Installation, User]):
    model = Installation
    person_path = "user"
    verbose_name_plural = "Devices"
    hide_title = True
    fields = ("device", "platform", "alive", "since")
    readonly_fields = fields
    ordering = ("registered_at",)

    since = cells.instant_of("registered_at", "Since")
    alive = alive

    @admin.display(description="Device")
    def device(self, row: Installation) -> str:
        return cells.link(row, row.name or row.get_platform_display())


@admin.register(User)
class UserAdmin(OrganizationScopedAdmin[User], PersonAdmin[User]):
    """An operator sees the people of their organizations; to change one would reach into others."""

    person_path = "pk"
    form = UserForm
    add_form = UserAdditionForm
    change_password_form = PasswordForm
    list_display = ("username", "full_name", "email", "is_active", "is_staff", "seen")
    list_filter = ("is_active", "is_staff")
    search_fields = ("username", "email", "first_name", "last_name")
    ordering = ("username",)
    filter_horizontal = ()
    fieldsets: ClassVar[Any] = (PERSON, BANNERS, SIGN_IN, ADMIN)
    add_fieldsets = (
        (None, {"fields": (("username", "email"), "usable_password", "password1", "password2")}),
    )
    readonly_fields = ("last_login",)
    inlines = (MembershipInline, InstallationInline)

    seen = cells.instant_of("last_login", "Signed in last")

    @admin.display(description="Name")
    def full_name(self, user: User) -> str:
        return user.get_full_name() or cells.NOTHING

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return (PERSON, BANNERS)
        return super().get_fieldsets(request, obj)

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        ours = Permission.objects.filter(content_type__app_label__in=OUR_APPS)
        kwargs["queryset"] = ours.select_related("content_type")
        kwargs["widget"] = ManyChoices()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name in CHOICES:
            return forms.ChoiceField(
                choices=CHOICES[db_field.name],
                required=False,
                help_text=db_field.help_text,
                widget=OneChoice(),
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool
    ) -> None:
        """Who moves has other quiet hours: what they hold is judged again."""
        super().save_model(request, obj, form, change)
        if change and "time_zone" in form.changed_data:
            members = obj.memberships.values_list("pk", flat=True)
            holds.reconsider(membership_ids=list(members), now=timezone.now())

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return super().get_inlines(request, obj) if obj else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)
