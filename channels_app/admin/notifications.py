"""Notifications: what was decided for one person, and the banner that was made."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string

from channels_app.admin import cells, scope, words
from channels_app.admin.base import (
    BigTable,
    ReadOnly,
    ReadOnlyInline,
)
from channels_app.admin.filters import (
    WaitingFilter,
    organization_filter,
    period_filter,
    word_filter,
)
from channels_app.admin.why import explanation_address
from channels_app.models import Delivery, Membership, Notification


class DeliveryInline(ReadOnlyInline[Delivery, Notification]):
    model = Delivery
    organization_path = "organization"
    verbose_name_plural = "On each device"
    hide_title = True
    fields = ("device", "state_pill", "attempts", "reason", "due", "settled")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return super().get_queryset(request).select_related("installation__user")

    device = cells.link_of("installation", "Device")
    due = cells.instant_of("due_at", "Due")
    settled = cells.instant_of("settled_at", "Settled")

    @admin.display(description="State")
    def state_pill(self, row: Delivery) -> str:
        word = words.word(words.DELIVERY_STATES, row.state)
        return cells.anchor(cells.page(row), cells.pill(word))


HELD = "Kept for later"


@admin.register(Notification)
class NotificationAdmin(ReadOnly, BigTable[Notification]):
    organization_path = "event__organization"
    list_display = (
        "number",
        "created",
        "person",
        "outcome_pill",
        "level_pill",
        "banner_title",
        "event_number",
        "device_count",
    )
    list_select_related = ("event", "membership__user", "membership__organization")
    list_filter = (
        organization_filter("event__organization"),
        word_filter("outcome", "outcome", words.OUTCOMES),
        word_filter("level", "level", words.LEVELS),
        WaitingFilter,
        period_filter("created_at"),
    )
    search_fields = ("pk",)
    search_help_text = (
        "The number of an event (of a digest too), or a person's username or e-mail address."
    )
    inlines = (DeliveryInline,)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("outcome_explained", "decided", "why"),
                    ("person", "of_organization", "of_event"),
                    ("level_pill", "created", "read"),
                )
            },
        ),
        (HELD, {"fields": (("until", "released", "told_by"),)}),
        ("On the lock screen", {"fields": ("banner",)}),
    )
    readonly_fields = (
        "outcome_explained",
        "decided",
        "why",
        "person",
        "of_organization",
        "of_event",
        "level_pill",
        "created",
        "read",
        "until",
        "released",
        "told_by",
        "banner",
    )

    created = cells.instant_of("created_at", "Decided")
    until = cells.instant_of("held_until", "Judged again at")
    released = cells.instant_of("released_at", "Judged again, for the last time")
    told_by = cells.link_of("digest", "Told of by the digest")
    outcome_pill = cells.pill_of("outcome", "Outcome", words.OUTCOMES)
    outcome_explained = cells.explained_of("outcome", "Outcome", words.OUTCOMES)
    level_pill = cells.pill_of("level", "Level", words.LEVELS)
    of_event = cells.link_of("event", "Event")
    of_organization = cells.link_of("event.organization", "Organization")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        return super().get_queryset(request).prefetch_related("deliveries")

    def get_fieldsets(self, request: HttpRequest, obj: Notification | None = None) -> Any:
        """Most were never held."""
        everything = super().get_fieldsets(request, obj)
        if obj is not None and obj.held_until is not None:
            return everything
        return [part for part in everything if part[0] != HELD]

    @admin.display(description="Event")
    def event_number(self, row: Notification) -> str:
        return cells.event_link(row.event)

    @admin.display(description="Notification")
    def number(self, row: Notification) -> str:
        return f"#{row.pk}"

    @admin.display(description="Person")
    def person(self, row: Notification) -> str:
        return cells.link(row.membership, row.membership.user)

    @admin.display(description="Banner")
    def banner_title(self, row: Notification) -> str:
        return cells.clipped(row.title)

    @admin.display(description="Devices")
    def device_count(self, row: Notification) -> int:
        return len(row.deliveries.all())

    @admin.display(description="Decided by")
    def decided(self, row: Notification) -> str:
        return words.DECIDED_BY.get(row.decided_by, row.decided_by) or cells.NOTHING

    @admin.display(description="In full")
    def why(self, row: Notification) -> str:
        return cells.anchor(explanation_address(row.event_id, row.membership_id), "Why?")

    @admin.display(description="In the inbox")
    def read(self, row: Notification) -> str:
        if not row.listed:
            return "Not listed there."
        return cells.spaced("Read", cells.instant(row.read_at)) if row.read_at else "Unread."

    @admin.display(description="Banner")
    def banner(self, row: Notification) -> str:
        return render_to_string("admin/chatbot/lock_screen.html", {"notification": row})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Notification], search_term: str
    ) -> tuple[QuerySet[Notification], bool]:
        """Through the indexes by event, by digest and by member."""
        term = search_term.strip().removeprefix("#")
        if term.isdecimal() and len(term) < 19:
            # Of a digest: what it told of, beside its own.
            return queryset.filter(Q(event=int(term)) | Q(digest=int(term))), False
        return (queryset.filter(membership__in=members(request, term)) if term else queryset), False


def members(request: HttpRequest, term: str) -> list[int]:
    """The memberships, in the reader's organizations, of the person with this name or address."""
    own = Membership.objects.filter(organization__in=scope.of_request(request))
    named = own.filter(user__username=term) | own.filter(user__email__iexact=term)
    return list(named.values_list("pk", flat=True)[:100])
