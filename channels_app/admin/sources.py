"""Bots, and the table that bots and workflows share."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse

from channels_app.admin import cells
from channels_app.admin.base import (
    NoDeletion,
    OrganizationScopedAdmin,
    ReadOnly,
    ReadOnlyInline,
)
from channels_app.admin.filters import organization_filter
from channels_app.models import (
    Bot,
    BotGroupPermission,
    BotUserPermission,
    Installation,
    Source,
    Subscription,
)


@admin.register(Source)
class SourceAdmin(ReadOnly, OrganizationScopedAdmin[Source]):
    """There for choosing one (a subscription's source); its page is the bot's or the workflow's."""

    organization_path = "organization"
    list_display = ("name", "kind", "external_id", "organization")
    list_select_related = ("organization",)
    list_filter = (organization_filter(), "kind")
    search_fields = ("name", "external_id")
    ordering = ("name",)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        source = self.get_object(request, object_id)
        if source is None:
            return super().change_view(request, object_id, form_url, extra_context)
        return redirect(cells.page(source))


class SubscriberInline(ReadOnlyInline[Subscription, Source]):
    """Who wants to hear of it. Changed on the member's own page."""

    model = Subscription
    fk_name = "source"
    organization_path = "source__organization"
    verbose_name_plural = "Subscribers"
    hide_title = True
    fields = ("person", "active", "since")
    readonly_fields = fields

    since = cells.instant_of("created_at", "Since")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        return super().get_queryset(request).select_related("membership__user")

    @admin.display(description="Member")
    def person(self, row: Subscription) -> str:
        return cells.link(row.membership, row.membership.user)

    @admin.display(description="Active", boolean=True)
    def active(self, row: Subscription) -> bool:
        return row.membership.active and row.membership.user.is_active


@admin.register(Bot)
class BotAdmin(NoDeletion, OrganizationScopedAdmin[Bot]):
    organization_path = "organization"
    list_display = (
        "name",
        "external_id",
        "organization",
        "unanswered_threshold",
        "tone_minimum",
        "created",
    )
    list_select_related = ("organization",)
    list_filter = (organization_filter(),)
    search_fields = ("name", "external_id")
    ordering = ("name",)
    autocomplete_fields = ("organization",)
    fixed_fields = ("organization", "external_id")
    inlines = (SubscriberInline,)
    fieldsets = (
        (None, {"fields": ("name", ("organization", "external_id"))}),
        ("When it escalates", {"fields": (("unanswered_threshold", "tone_minimum"),)}),
        ("Who may respond to its customers", {"fields": ("responders",)}),
        ("What happened", {"fields": ("history",)}),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    ("organization", "external_id"),
                    ("unanswered_threshold", "tone_minimum"),
                )
            },
        ),
    )
    readonly_fields = ("responders", "history")

    created = cells.instant_of("created_at", "First seen")

    @admin.display(description="chatbot.respond is held by")
    @cells.once
    def responders(self, bot: Bot) -> str:
        roles = BotGroupPermission.objects.filter(
            content_object=bot, permission__codename="respond", group__role__isnull=False
        ).select_related("group__role")
        people = BotUserPermission.objects.filter(
            content_object=bot, permission__codename="respond"
        ).select_related("user")
        reachable = Installation.objects.filter(dead_since=None, user__is_active=True).filter(
            user__memberships__organization=bot.organization_id, user__memberships__active=True
        )
        by_role = reachable.filter(user__groups__in=roles.values("group"))
        by_name = reachable.filter(user__in=people.values("user"))
        return render_to_string(
            "admin/chatbot/responders.html",
            {
                "roles": [cells.link(row.group.role, row.group.role.name) for row in roles],
                "people": [str(row.user) for row in people],
                "reachable": by_role.exists() or by_name.exists(),
                "manage": cells.listing("chatbot_role", organization=bot.organization_id),
            },
        )

    @admin.display(description="Lists")
    def history(self, bot: Bot) -> str:
        links = {
            "Its conversations": cells.listing("claims_conversation", bot=bot.pk),
            "Its events": cells.listing("chatbot_event", source=bot.pk),
            "Who can be told of its customers": reverse(
                "admin:claims_unreachable_bot", args=[bot.pk]
            ),
        }
        return render_to_string("admin/chatbot/lists.html", {"links": links})

    def get_inlines(self, request: HttpRequest, obj: Bot | None) -> Any:
        return super().get_inlines(request, obj) if obj else ()

    def save_model(self, request: HttpRequest, obj: Bot, form: Any, change: bool) -> None:
        obj.kind = Source.Kind.BOT
        super().save_model(request, obj, form, change)
