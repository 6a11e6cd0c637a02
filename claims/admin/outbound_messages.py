"""Messages to the platform and their tries: what it was told, and what it answered."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone

from channels_app.admin import cells, scope
from channels_app.admin.base import BigTable, ReadOnly
from channels_app.admin.filters import organization_filter, period_filter, word_filter
from channels_app.admin.unfolded import action
from claims.admin import outbound_words
from claims.models import Endpoint, Message, MessageAttempt
from claims.outbound.messages import replay

# A message that is replayed for weeks has many.
MOST_TRIES = 50

OVER = (Message.State.FAILED, Message.State.DELIVERED)


class EndpointFilter(SimpleListFilter):
    """By endpoint: those of the reader's organizations."""

    title = "endpoint"
    parameter_name = "endpoint"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[Any, str]]:
        own = Endpoint.objects.filter(connection__organization__in=scope.of_request(request))
        return list(own.order_by("connection__name").values_list("pk", "connection__name")[:200])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value or not value.isdecimal():
            return queryset
        return queryset.filter(endpoint=int(value))


@admin.register(Message)
class MessageAdmin(ReadOnly, BigTable[Message]):
    """Read-only for everyone; what is over can be sent again."""

    organization_path = "endpoint__connection__organization"
    list_display = (
        "created",
        "type",
        "about",
        "to",
        "state_pill",
        "attempts",
        "next_try",
        "last_word",
    )
    list_select_related = ("endpoint__connection",)
    list_filter = (
        organization_filter("endpoint__connection__organization"),
        EndpointFilter,
        word_filter("state", "state", outbound_words.MESSAGE_STATES),
        period_filter("created_at"),
    )
    search_fields = ("pk",)
    search_help_text = "The exact webhook-id, or the platform's id of a conversation."
    actions = ("replay_selected",)
    actions_detail = ("replay_this",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("type", "state_explained"),
                    ("to", "about", "webhook"),
                    ("created", "settled", "next_try"),
                    ("attempts", "last_answer"),
                )
            },
        ),
        ("Each try, and what was answered", {"fields": ("timeline",)}),
        ("What is sent", {"fields": ("message",)}),
    )
    readonly_fields = (
        "state_explained",
        "to",
        "about",
        "webhook",
        "created",
        "settled",
        "next_try",
        "last_answer",
        "timeline",
        "message",
    )

    created = cells.instant_of("created_at", "Created")
    settled = cells.instant_of("settled_at", "Over")
    state_pill = cells.pill_of("state", "State", outbound_words.MESSAGE_STATES)
    state_explained = cells.explained_of("state", "State", outbound_words.MESSAGE_STATES)
    webhook = cells.code_of("webhook_id", "webhook-id")

    @admin.display(description="To")
    def to(self, row: Message) -> str:
        return cells.link(row.endpoint, row.endpoint.connection.name)

    @admin.display(description="Conversation")
    def about(self, row: Message) -> str:
        """In the list a search: the platform's id is not ours."""
        if not row.subject:
            return cells.NOTHING
        address = cells.listing("claims_conversation", q=row.subject)
        return cells.anchor(address, cells.code(row.subject))

    @admin.display(description="Next try")
    def next_try(self, row: Message) -> str:
        return outbound_words.next_try(row, now=timezone.now())

    @admin.display(description="Last answer")
    def last_word(self, row: Message) -> str:
        """In the list, where there is little room."""
        return cells.code(row.reason)

    @admin.display(description="Last answer")
    def last_answer(self, row: Message) -> str:
        if row.state == Message.State.DELIVERED:
            return "taken"
        return outbound_words.reason(row.reason) or cells.NOTHING

    @admin.display(description="Tries")
    @cells.once
    def timeline(self, row: Message) -> str:
        tries = list(row.tries.order_by("-number")[: MOST_TRIES + 1])
        return render_to_string(
            "admin/claims/tries.html",
            {
                "tries": [_shown(attempt) for attempt in reversed(tries[:MOST_TRIES])],
                "all": (
                    cells.listing("claims_messageattempt", q=row.webhook_id)
                    if len(tries) > MOST_TRIES
                    else ""
                ),
            },
        )

    @admin.display(description="Body, exactly as signed but for its layout")
    def message(self, row: Message) -> str:
        return cells.json_block(json.loads(row.body))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        """By exact ids, each through an index; never a search through all rows."""
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(webhook_id=term) | queryset.filter(subject=term), False

    def has_replay_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """On the page of one message only if it is over."""
        if not request.user.has_perm("claims.change_message"):
            return False
        message = self.get_object(request, object_id) if object_id else None
        return object_id is None or (message is not None and message.state in OVER)

    @admin.action(description="Replay (those that are over)", permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        self._replay(request, list(queryset.values_list("pk", flat=True)))

    @action(
        description="Replay",
        permissions=["replay"],
        url_path="replay",
        icon="replay",
        dialog={
            "title": "Send this message again?",
            "description": "Under the same id. A platform that has it already ignores it.",
            "form_submit_text": "Replay",
        },
    )
    def replay_this(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        message = self.get_object(request, object_id)
        if message is None:
            raise Http404
        self._replay(request, [message.pk])
        return HttpResponse(headers={"HX-Redirect": cells.page(message)})

    def _replay(self, request: HttpRequest, message_ids: list[int]) -> None:
        count = replay(message_ids=message_ids, now=timezone.now())
        if count:
            self.message_user(request, f"Queued to be sent again: {count}.", messages.SUCCESS)
        else:
            self.message_user(
                request,
                "Nothing to do: not over yet, or the endpoint is disabled (enable it first).",
                messages.WARNING,
            )


@admin.register(MessageAttempt)
class MessageAttemptAdmin(ReadOnly, BigTable[MessageAttempt]):
    """Read-only for everyone, like the messages they belong to."""

    organization_path = "message__endpoint__connection__organization"
    list_display = ("number_of", "sent", "outcome_pill", "status", "reason", "took", "about")
    list_select_related = ("message",)
    list_filter = (
        organization_filter("message__endpoint__connection__organization"),
        word_filter("outcome", "outcome", outbound_words.OUTCOMES),
    )
    search_fields = ("pk",)
    search_help_text = "The exact webhook-id of a message."
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("outcome_explained", "status", "what"),
                    ("of_message", "number"),
                    ("sent", "answered", "took"),
                )
            },
        ),
    )
    readonly_fields = ("outcome_explained", "what", "of_message", "sent", "answered", "took")

    sent = cells.instant_of("sent_at", "Sent")
    answered = cells.instant_of("answered_at", "Answered")
    outcome_pill = cells.pill_of("outcome", "Outcome", outbound_words.OUTCOMES)
    outcome_explained = cells.explained_of("outcome", "Outcome", outbound_words.OUTCOMES)
    of_message = cells.link_of("message", "Message")

    @admin.display(description="Message")
    def about(self, row: MessageAttempt) -> str:
        return cells.link(row.message, row.message.type)

    @admin.display(description="Try")
    def number_of(self, row: MessageAttempt) -> str:
        return f"Try {row.number}"

    @admin.display(description="What went wrong")
    def what(self, row: MessageAttempt) -> str:
        return outbound_words.reason(row.reason) or cells.NOTHING

    @admin.display(description="Took")
    def took(self, row: MessageAttempt) -> str:
        return cells.took(row.answered_at - row.sent_at)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[MessageAttempt], search_term: str
    ) -> tuple[QuerySet[MessageAttempt], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Message.objects.filter(webhook_id=term)
        return queryset.filter(message__in=found), False


def _shown(attempt: MessageAttempt) -> dict[str, Any]:
    return {
        "address": cells.page(attempt),
        "number": attempt.number,
        "sent": cells.instant(attempt.sent_at),
        "word": outbound_words.outcome(attempt),
        "status": attempt.status,
        "reason": outbound_words.reason(attempt.reason),
        "took": cells.took(attempt.answered_at - attempt.sent_at),
    }
