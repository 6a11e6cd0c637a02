"""Conversations: who waits, who has them, and all that happened to each."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from channels_app.admin import cells, words
from channels_app.admin.base import OrganizationScopedAdmin, ReadOnly
from channels_app.admin.filters import organization_filter, period_filter, word_filter
from claims import ladders
from claims.admin import climbs, histories
from claims.admin.leaving import LeavingActions
from claims.admin.reachability import page_of
from claims.models import Conversation

LAST_EVENTS = 50


@admin.register(Conversation)
class ConversationAdmin(ReadOnly, LeavingActions, OrganizationScopedAdmin[Conversation]):
    """Read-only: a conversation changes by what agents, operators and the platform do."""

    organization_path = "organization"
    list_display = (
        "external_id",
        "customer",
        "bot_link",
        "state_pill",
        "held_by",
        "waits",
        "next_rung",
        "changed",
        "organization",
    )
    list_select_related = ("bot", "organization", "holder__user")
    list_filter = (
        organization_filter(),
        word_filter("state", "state", words.CONVERSATION_STATES),
        period_filter("changed_at"),
    )
    search_fields = ("external_id__exact", "customer_id__exact")
    search_help_text = "The platform's whole id of a conversation or a customer."
    ordering = ("-pk",)
    readonly_fields = (
        "state_explained",
        "customer",
        "bot_link",
        "organization_link",
        "held_by",
        "claimed",
        "lapses",
        "waits",
        "waits_since",
        "next_rung",
        "changed",
        "left",
        "left_by_link",
        "climb",
        "history",
    )

    changed = cells.instant_of("changed_at", "Changed")
    claimed = cells.instant_of("claimed_at", "Claimed")
    waits_since = cells.instant_of("waiting_since", "Asked for a human (last)")
    left = cells.instant_of("left_at", "Given back or ended (last)")
    left_by_link = cells.link_of("left_by", "By")
    state_pill = cells.pill_of("state", "State", words.CONVERSATION_STATES)
    state_explained = cells.explained_of("state", "State", words.CONVERSATION_STATES)
    bot_link = cells.link_of("bot", "Bot")
    organization_link = cells.link_of("organization", "Organization")

    def get_fieldsets(self, request: HttpRequest, obj: Conversation | None = None) -> Any:
        """What is of no meaning in this state is left out."""
        lines: list[tuple[str, ...]] = [
            ("external_id", "state_explained", "epoch"),
            ("customer", "bot_link", "organization_link"),
        ]
        if obj is not None and obj.state == Conversation.State.CLAIMED:
            lines.append(("held_by", "claimed", "lapses"))
        if obj is not None and obj.state == Conversation.State.WAITING:
            lines.append(("waits", "waits_since", "next_rung"))
        if obj is not None and obj.left_at is not None:
            lines.append(("left", "left_by_link", "changed"))
        else:
            lines.append(("changed",))
        return (
            (None, {"fields": tuple(lines)}),
            ("The ladder of this round", {"fields": ("climb",)}),
            ("Its history", {"fields": ("history",)}),
        )

    @admin.display(description="Customer")
    def customer(self, row: Conversation) -> str:
        return cells.clipped(row.customer_name or row.customer_id)

    @admin.display(description="Held by")
    def held_by(self, row: Conversation) -> str:
        if row.holder is not None:
            return cells.link(row.holder, row.holder.user.get_full_name() or row.holder.user)
        if row.state == Conversation.State.CLAIMED:
            return cells.clipped(row.holder_name or row.holder_external_id or "an agent")
        return cells.NOTHING

    @admin.display(description="Goes back to the pool", ordering="lease_until")
    def lapses(self, row: Conversation) -> str:
        if row.state != Conversation.State.CLAIMED:
            return cells.NOTHING
        if row.lease_until is None:
            return "never"
        return cells.spaced(cells.instant(row.lease_until), "without a sign of the agent")

    @admin.display(description="Waiting for", ordering="waiting_since")
    def waits(self, row: Conversation) -> str:
        if row.state != Conversation.State.WAITING or row.waiting_since is None:
            return cells.NOTHING
        return cells.took(timezone.now() - row.waiting_since)

    @admin.display(description="Next wave", ordering="next_wave_at")
    def next_rung(self, row: Conversation) -> str:
        if row.state != Conversation.State.WAITING:
            return cells.NOTHING
        if row.next_wave_at is None:
            return "none is left"
        rest = row.next_wave_at - timezone.now()
        return f"in {cells.took(rest)}" if rest.total_seconds() > 0 else "now"

    @admin.display(description="Who is told, one after the other")
    @cells.once
    def climb(self, row: Conversation) -> str:
        own = ladders.row_of(row.bot)
        return render_to_string(
            "admin/claims/ladder.html",
            {
                "steps": [climbs.shown(step) for step in climbs.steps(row, now=timezone.now())],
                "ladder": cells.page(own) if own else "",
                "add": _adding(row),
                "reachability": page_of(row.bot_id),
            },
        )

    @admin.display(description=f"The last {LAST_EVENTS} events, newest first")
    @cells.once
    def history(self, row: Conversation) -> str:
        lines = histories.lines(row, LAST_EVENTS)
        more = cells.listing("chatbot_event", q=row.external_id)
        return render_to_string(
            "admin/claims/history.html",
            {"lines": lines, "more": more if len(lines) == LAST_EVENTS else ""},
        )


def _adding(row: Conversation) -> str:
    """The page that makes a ladder for the bot."""
    chosen = urlencode({"organization": row.organization_id, "bot": row.bot_id})
    return f"{reverse('admin:claims_ladder_add')}?{chosen}"
