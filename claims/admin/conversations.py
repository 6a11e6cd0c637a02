"""Conversations, and what happened in each."""

from __future__ import annotations

from django.contrib import admin
from django.template.loader import render_to_string

from channels_app.admin import cells, words
from channels_app.admin.base import OrganizationScopedAdmin, ReadOnly
from channels_app.admin.filters import organization_filter, period_filter, word_filter
from channels_app.models import Event
from claims.models import Conversation

LAST_EVENTS = 50


@admin.register(Conversation)
class ConversationAdmin(ReadOnly, OrganizationScopedAdmin[Conversation]):
    """Read-only: a conversation changes by what agents and the platform do."""

    organization_path = "organization"
    list_display = (
        "external_id",
        "customer",
        "bot_link",
        "state_pill",
        "epoch",
        "changed",
        "organization",
    )
    list_select_related = ("bot", "organization")
    list_filter = (
        organization_filter(),
        word_filter("state", "state", words.CONVERSATION_STATES),
        period_filter("changed_at"),
    )
    search_fields = ("external_id__exact", "customer_id__exact")
    search_help_text = "The platform's whole id of a conversation or a customer."
    ordering = ("-pk",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("external_id", "state_explained", "epoch"),
                    ("customer", "bot_link", "organization_link"),
                    ("changed",),
                )
            },
        ),
        ("Its history", {"fields": ("history",)}),
    )
    readonly_fields = (
        "state_explained",
        "customer",
        "bot_link",
        "organization_link",
        "changed",
        "history",
    )

    changed = cells.instant_of("changed_at", "Changed")
    state_pill = cells.pill_of("state", "State", words.CONVERSATION_STATES)
    state_explained = cells.explained_of("state", "State", words.CONVERSATION_STATES)
    bot_link = cells.link_of("bot", "Bot")
    organization_link = cells.link_of("organization", "Organization")

    @admin.display(description="Customer")
    def customer(self, row: Conversation) -> str:
        return cells.clipped(row.customer_name or row.customer_id)

    @admin.display(description=f"The last {LAST_EVENTS} events, newest first")
    @cells.once
    def history(self, row: Conversation) -> str:
        events = Event.objects.filter(source=row.bot_id, subject=row.external_id)
        return render_to_string(
            "admin/chatbot/history.html", {"events": cells.history(events, LAST_EVENTS)}
        )
