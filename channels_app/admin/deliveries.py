"""Deliveries and their attempts: what was sent to which device, and what came back."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string

from channels_app.admin import cells, words
from channels_app.admin.base import BigTable, ReadOnly, ReadOnlyInline
from channels_app.admin.filters import organization_filter, period_filter, word_filter
from channels_app.admin.notifications import members
from channels_app.models import Attempt, Delivery, Receipt


class ReceiptInline(ReadOnlyInline[Receipt, Delivery]):
    """What the app says became of the banner."""

    model = Receipt
    organization_path = "delivery__organization"
    verbose_name_plural = "What the app says"
    hide_title = True
    fields = ("kind_pill", "action", "occurred", "received")
    readonly_fields = fields

    kind_pill = cells.pill_of("kind", "Receipt", words.RECEIPTS)
    occurred = cells.instant_of("occurred_at", "Happened (the device's clock)")
    received = cells.instant_of("received_at", "Received")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, BigTable[Delivery]):
    """Read-only for everyone: these rows are the proof of what was done."""

    organization_path = "organization"
    list_display = (
        "number",
        "created",
        "person",
        "device",
        "state_pill",
        "attempts",
        "reason",
        "since",
        "event_number",
    )
    list_select_related = (
        "installation__user",
        "notification__event",
        "notification__membership__user",
    )
    list_filter = (
        organization_filter(),
        word_filter("state", "state", words.DELIVERY_STATES),
        period_filter("created_at"),
    )
    search_fields = ("pk",)
    search_help_text = "The number of an event, or a person's username or e-mail address."
    inlines = (ReceiptInline,)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("state_explained", "reason", "downgrade"),
                    ("person", "device", "of_organization"),
                    ("of_notification", "of_event", "lane"),
                    ("created", "due", "expires", "settled"),
                )
            },
        ),
        ("Attempts", {"fields": ("timeline",)}),
    )
    readonly_fields = (
        "state_explained",
        "downgrade",
        "person",
        "device",
        "of_organization",
        "of_notification",
        "of_event",
        "created",
        "due",
        "expires",
        "settled",
        "timeline",
    )

    created = cells.instant_of("created_at", "Created")
    due = cells.instant_of("due_at", "Due")
    expires = cells.instant_of("expires_at", "Worthless after")
    settled = cells.instant_of("settled_at", "Settled")
    state_pill = cells.pill_of("state", "State", words.DELIVERY_STATES)
    state_explained = cells.explained_of("state", "State", words.DELIVERY_STATES)
    device = cells.link_of("installation", "Device")
    of_event = cells.link_of("notification.event", "Event")
    of_organization = cells.link_of("organization", "Organization")

    @admin.display(description="Event")
    def event_number(self, row: Delivery) -> str:
        return cells.event_link(row.notification.event)

    @admin.display(description="Delivery")
    def number(self, row: Delivery) -> str:
        return f"#{row.pk}"

    @admin.display(description="Person")
    def person(self, row: Delivery) -> str:
        membership = row.notification.membership
        return cells.link(membership, membership.user)

    @admin.display(description="Notification")
    def of_notification(self, row: Delivery) -> str:
        outcome = words.word(words.OUTCOMES, row.notification.outcome)
        return cells.link(row.notification, f"#{row.notification_id}: {outcome.label}")

    @admin.display(description="Webhook to settled")
    def since(self, row: Delivery) -> str:
        if row.settled_at is None:
            return cells.NOTHING
        return cells.took(row.settled_at - row.notification.event.received_at)

    @admin.display(description="Loudness")
    def downgrade(self, row: Delivery) -> str:
        if row.downgraded:
            return "Lowered: the app or the device does not allow critical alerts."
        return "As decided."

    @admin.display(description="Each try, and what came back")
    @cells.once
    def timeline(self, row: Delivery) -> str:
        tries = [
            {
                "address": cells.page(attempt),
                "number": attempt.number,
                "sent": cells.instant(attempt.sent_at),
                "word": words.word(words.VERDICTS, attempt.verdict),
                "status": attempt.status,
                "reason": attempt.reason,
                "took": _took(attempt),
            }
            for attempt in row.tries.order_by("number")
        ]
        return render_to_string("admin/chatbot/timeline.html", {"tries": tries, "delivery": row})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        """Through the indexes of notifications by event and by member."""
        term = search_term.strip().removeprefix("#")
        if term.isdecimal() and len(term) < 19:
            return queryset.filter(notification__event=int(term)), False
        if not term:
            return queryset, False
        return queryset.filter(notification__membership__in=members(request, term)), False


def _took(attempt: Attempt) -> str:
    waited = cells.took(attempt.answered_at - attempt.sent_at)
    silent = attempt.verdict in (Attempt.Verdict.LOST, Attempt.Verdict.UNKNOWN)
    return f"given up after {waited}" if silent else f"answered after {waited}"


@admin.register(Attempt)
class AttemptAdmin(ReadOnly, BigTable[Attempt]):
    """Read-only for everyone, like the deliveries they belong to."""

    organization_path = "delivery__organization"
    list_display = (
        "number_of",
        "sent",
        "verdict_pill",
        "status",
        "reason",
        "duration",
        "device",
        "of_delivery",
    )
    list_select_related = ("delivery__installation__user",)
    list_filter = (
        organization_filter("delivery__organization"),
        word_filter("verdict", "verdict", words.VERDICTS),
        period_filter("sent_at"),
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("verdict_explained", "status", "reason"),
                    ("of_delivery", "device", "number"),
                    ("sent", "answered", "duration"),
                    ("gateway",),
                )
            },
        ),
    )
    readonly_fields = (
        "verdict_explained",
        "of_delivery",
        "device",
        "sent",
        "answered",
        "duration",
        "gateway",
    )

    sent = cells.instant_of("sent_at", "Sent")
    answered = cells.instant_of("answered_at", "Answered")
    verdict_pill = cells.pill_of("verdict", "Verdict", words.VERDICTS)
    verdict_explained = cells.explained_of("verdict", "Verdict", words.VERDICTS)
    device = cells.link_of("delivery.installation", "Device")
    of_delivery = cells.link_of("delivery", "Delivery")
    gateway = cells.code_of("gateway_id", "The push service's id")

    @admin.display(description="Attempt")
    def number_of(self, row: Attempt) -> str:
        return f"Try {row.number}"

    @admin.display(description="Took")
    def duration(self, row: Attempt) -> str:
        return cells.took(row.answered_at - row.sent_at)
