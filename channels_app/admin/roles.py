"""Roles: who holds them, and whose customers they may respond to."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.forms import ModelForm, ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from channels_app import roles
from channels_app.admin import cells
from channels_app.admin.base import OrganizationScopedAdmin
from channels_app.admin.filters import organization_filter
from channels_app.admin.unfolded import ManyChoices, RowChoices, RowForm
from channels_app.models import Bot, Membership, Role


class PersonChoices(RowChoices):
    def label_from_instance(self, obj: Membership) -> str:
        name = obj.user.get_full_name()
        label = f"{name} ({obj.user})" if name else str(obj.user)
        return label if obj.active else f"{label}, inactive"


class RoleForm(RowForm[Role]):
    """A role that exists: its members and bots are chosen among those of its organization."""

    members = PersonChoices(
        Membership.objects.none(), required=False, label="Who holds it", widget=ManyChoices()
    )
    bots = ModelMultipleChoiceField(
        Bot.objects.none(),
        required=False,
        label="Bots it may respond to",
        help_text="Only who holds chatbot.respond on a bot is told of its escalations.",
        widget=ManyChoices(),
    )

    class Meta:
        model = Role
        fields = ("name", "responds_to_new_bots")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = self.instance
        members = Membership.objects.filter(organization=role.organization_id)
        self._choose("members", members.select_related("user").order_by("user__username"))
        self._choose("bots", Bot.objects.filter(organization=role.organization_id).order_by("name"))
        self.initial["members"] = members.filter(user__groups=role.group_id)
        self.initial["bots"] = roles.bots_of(role)

    def _field(self, name: str) -> ModelMultipleChoiceField[Any]:
        field = self.fields[name]
        assert isinstance(field, ModelMultipleChoiceField)
        return field

    def _choose(self, name: str, rows: QuerySet[Any]) -> None:
        self._field(name).queryset = rows


@admin.register(Role)
class RoleAdmin(OrganizationScopedAdmin[Role]):
    organization_path = "organization"
    list_display = ("name", "organization", "member_count", "responds_to_new_bots")
    list_select_related = ("organization",)
    list_filter = (organization_filter(),)
    search_fields = ("name",)
    ordering = ("organization__name", "name")
    autocomplete_fields = ("organization",)
    fields = ("name", "organization_link", "responds_to_new_bots", "members", "bots")
    readonly_fields = ("organization_link",)
    add_fieldsets = ((None, {"fields": ("organization", "name", "responds_to_new_bots")}),)

    organization_link = cells.link_of("organization", "Organization")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        return super().get_queryset(request).annotate(held=Count("group__user"))

    @admin.display(description="Members")
    def member_count(self, role: Role) -> int:
        return int(getattr(role, "held", 0))

    def get_form(
        self, request: HttpRequest, obj: Role | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm[Role]]:
        # Members and bots can be chosen as soon as the organization is known.
        if obj is not None and self.has_change_permission(request, obj):
            kwargs["form"] = RoleForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Role | None = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return ("name", "organization_link", "responds_to_new_bots")
        return super().get_fields(request, obj)

    def save_model(
        self, request: HttpRequest, obj: Role, form: ModelForm[Role], change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        made = roles.create(
            organization_id=obj.organization_id,
            name=obj.name,
            responds_to_new_bots=obj.responds_to_new_bots,
        )
        obj.pk, obj.group = made.pk, made.group

    def response_add(
        self, request: HttpRequest, obj: Role, post_url_continue: str | None = None
    ) -> HttpResponse:
        """On to its page, where its members and bots are chosen."""
        return redirect(cells.page(obj))

    def delete_model(self, request: HttpRequest, obj: Role) -> None:
        roles.remove(role_ids=[obj.pk])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Role]) -> None:
        roles.remove(role_ids=list(queryset.values_list("pk", flat=True)))

    def save_related(
        self, request: HttpRequest, form: ModelForm[Role], formsets: Any, change: bool
    ) -> None:
        if change:
            roles.arrange(
                role_id=form.instance.pk,
                member_ids=[row.pk for row in form.cleaned_data["members"]],
                bot_ids=[row.pk for row in form.cleaned_data["bots"]],
            )
