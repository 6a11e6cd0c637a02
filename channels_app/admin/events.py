"""Events: what the platform reported, and what became of each."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from channels_app import events
from channels_app.admin import cells, scope, words
from channels_app.admin.base import (
    BigTable,
    ReadOnly,
    ReadOnlyInline,
)
from channels_app.admin.filters import (
    EventTypeFilter,
    organization_filter,
    period_filter,
    word_filter,
)
from channels_app.admin.unfolded import action
from channels_app.admin.why import WhyPages, explanation_address
from channels_app.models import Connection, Delivery, Event, Notification, Source

# Enough for any search by an exact id; keeps a hostile one from listing a table.
MOST_FOUND = 1000
# What a digest's page shows at once of what it told of.
MOST_TOLD = 25

QUARANTINED = Event.State.QUARANTINED
DIGEST = "What it told of"


class NotificationInline(ReadOnlyInline[Notification, Event]):
    """Everyone whom the event concerns, with the outcome and each device."""

    model = Notification
    fk_name = "event"
    organization_path = "event__organization"
    verbose_name_plural = "Who was told, and who was not"
    hide_title = True
    fields = ("person", "outcome_pill", "level_pill", "decided", "devices", "why")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        rows = super().get_queryset(request).select_related("membership__user")
        return rows.prefetch_related("deliveries__installation__user")

    @admin.display(description="Person")
    def person(self, row: Notification) -> str:
        return cells.link(row.membership, row.membership.user)

    @admin.display(description="Outcome")
    def outcome_pill(self, row: Notification) -> str:
        word = words.word(words.OUTCOMES, row.outcome)
        return cells.anchor(cells.page(row), cells.pill(word))

    level_pill = cells.pill_of("level", "Level", words.LEVELS)

    @admin.display(description="Decided by")
    def decided(self, row: Notification) -> str:
        return words.DECIDED_BY.get(row.decided_by, row.decided_by) or cells.NOTHING

    @admin.display(description="Why?")
    def why(self, row: Notification) -> str:
        return cells.anchor(explanation_address(row.event_id, row.membership_id), "Why?")

    @admin.display(description="Devices")
    def devices(self, row: Notification) -> str:
        return render_to_string(
            "admin/chatbot/devices.html", {"deliveries": _shown(row.deliveries.all())}
        )


def _shown(deliveries: QuerySet[Delivery]) -> list[dict[str, object]]:
    return [
        {
            "address": cells.page(delivery),
            "device": delivery.installation or "a device that is gone",
            "word": words.word(words.DELIVERY_STATES, delivery.state),
            "reason": delivery.reason,
        }
        for delivery in deliveries
    ]


@admin.register(Event)
class EventAdmin(ReadOnly, WhyPages, BigTable[Event]):
    organization_path = "organization"
    list_display = (
        "number",
        "received",
        "type",
        "from_source",
        "organization",
        "state_pill",
        "lane",
    )
    list_select_related = ("organization", "source")
    list_filter = (
        organization_filter(),
        word_filter("state", "state", words.EVENT_STATES),
        period_filter("received_at"),
        EventTypeFilter,
    )
    search_fields = ("pk",)
    search_help_text = "The exact number, webhook-id, or id of a conversation or run."
    actions = ("route_again",)
    actions_detail = ("why_of_this", "route_this_again")
    inlines = (NotificationInline,)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("type", "state_explained"),
                    ("organization", "from_source", "about"),
                    ("occurred", "received", "routed"),
                    ("webhook", "from_connection", "lane"),
                    ("trouble",),
                )
            },
        ),
        ("The way through", {"fields": ("way_through",)}),
        (DIGEST, {"fields": ("told_of",)}),
        ("The message as received", {"fields": (("message", "known_facts"),)}),
    )
    readonly_fields = (
        "state_explained",
        "from_source",
        "about",
        "occurred",
        "received",
        "routed",
        "webhook",
        "from_connection",
        "trouble",
        "way_through",
        "told_of",
        "message",
        "known_facts",
    )

    received = cells.instant_of("received_at", "Received")
    occurred = cells.instant_of("occurred_at", "Happened (the platform's time)")
    state_pill = cells.pill_of("state", "State", words.EVENT_STATES)
    state_explained = cells.explained_of("state", "State", words.EVENT_STATES)
    from_source = cells.link_of("source", "Bot or workflow")
    from_connection = cells.link_of("connection", "Connection")
    webhook = cells.code_of("webhook_id", "webhook-id")
    message = cells.json_of("payload", "Payload")
    known_facts = cells.json_of("facts", "What was known when it came")

    @admin.display(description="Event")
    def number(self, event: Event) -> str:
        return f"#{event.pk}"

    @admin.display(description="Routed")
    def routed(self, event: Event) -> str:
        if event.routed_at is None:
            return cells.NOTHING
        after = cells.took(event.routed_at - event.received_at)
        return cells.spaced(cells.instant(event.routed_at), f"({after} after it came)")

    @admin.display(description="About")
    def about(self, event: Event) -> str:
        """The conversation or run: known to other apps, hence named by address only."""
        if not event.subject:
            return cells.NOTHING
        if event.source and event.source.kind == Source.Kind.WORKFLOW:
            address = cells.listing("workflows_run", q=event.subject)
        elif conversation := event.facts.get("conversation"):
            address = reverse("admin:claims_conversation_change", args=[conversation])
        else:
            address = cells.listing("claims_conversation", q=event.subject)
        return cells.anchor(address, cells.code(event.subject))

    @admin.display(description="Attempts to route it")
    def trouble(self, event: Event) -> str:
        if not event.route_error:
            return str(event.route_attempts)
        return cells.spaced(event.route_attempts, cells.failure(event.route_error))

    @admin.display(description="Outcomes and deliveries")
    @cells.once
    def way_through(self, event: Event) -> str:
        outcomes = event.notifications.values_list("outcome").annotate(people=Count("pk"))
        states = (
            Delivery.objects.filter(notification__event=event)
            .values_list("state")
            .annotate(devices=Count("pk"))
        )
        return render_to_string(
            "admin/chatbot/way_through.html",
            {
                "event": event,
                "outcomes": [
                    (
                        words.word(words.OUTCOMES, outcome),
                        count,
                        cells.listing("chatbot_notification", q=event.pk, outcome=outcome),
                    )
                    for outcome, count in outcomes.order_by("-people")
                ],
                "states": [
                    (
                        words.word(words.DELIVERY_STATES, state),
                        count,
                        cells.listing("chatbot_delivery", q=event.pk, state=state),
                    )
                    for state, count in states.order_by("-devices")
                ],
            },
        )

    @admin.display(description="What was kept for the member until then")
    @cells.once
    def told_of(self, event: Event) -> str:
        """Of a digest."""
        rows = Notification.objects.filter(digest=event.pk).select_related("event").order_by("-pk")
        return render_to_string(
            "admin/chatbot/told_of.html",
            {
                "rows": [
                    {
                        "event": cells.event_link(row.event),
                        "title": cells.link(row, cells.clipped(row.title)),
                        "at": cells.instant(row.created_at),
                        "why": explanation_address(row.event_id, row.membership_id),
                    }
                    for row in rows[:MOST_TOLD]
                ],
                "all": cells.listing("chatbot_notification", q=event.pk),
            },
        )

    def get_fieldsets(self, request: HttpRequest, obj: Event | None = None) -> Any:
        everything = super().get_fieldsets(request, obj)
        if obj is not None and obj.type == "member.digest":
            return everything
        return [part for part in everything if part[0] != DIGEST]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        """By exact ids, each through an index; never a search through all rows."""
        term = search_term.strip()
        return (queryset.filter(pk__in=self._found(request, term)) if term else queryset), False

    def _found(self, request: HttpRequest, term: str) -> set[int]:
        own = scope.of_request(request)
        connections = Connection.objects.filter(organization__in=own)
        sources = Source.objects.filter(organization__in=own)
        number = term.removeprefix("#")
        exact = {int(number)} if number.isdecimal() and len(number) < 19 else set()
        by_webhook = Event.objects.filter(connection__in=connections, webhook_id=term)
        by_subject = Event.objects.filter(source__in=sources, subject=term)
        return exact.union(
            by_webhook.values_list("pk", flat=True)[:MOST_FOUND],
            by_subject.values_list("pk", flat=True)[:MOST_FOUND],
        )

    def has_requeue_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """On the page of one event only if it is quarantined."""
        if not request.user.has_perm("chatbot.change_event"):
            return False
        event = self.get_object(request, object_id) if object_id else None
        return object_id is None or (event is not None and event.state == QUARANTINED)

    @admin.action(description="Route again (quarantined ones)", permissions=["requeue"])
    def route_again(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        event_ids = list(queryset.values_list("pk", flat=True))
        count = events.requeue(event_ids=event_ids, now=timezone.now())
        self._tell(request, count)

    @action(
        description="Route again",
        permissions=["requeue"],
        url_path="route-again",
        icon="replay",
        dialog={
            "title": "Route this event again?",
            "description": "A quarantined event gets another three tries. Nobody is told twice.",
            "form_submit_text": "Route again",
        },
    )
    def route_this_again(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        event = self.get_object(request, object_id)
        if event is None:
            raise Http404
        self._tell(request, events.requeue(event_ids=[event.pk], now=timezone.now()))
        return HttpResponse(headers={"HX-Redirect": cells.page(event)})

    def _tell(self, request: HttpRequest, count: int) -> None:
        if count:
            self.message_user(request, f"Queued to be routed again: {count}.", messages.SUCCESS)
        else:
            self.message_user(request, "Nothing to do: not quarantined.", messages.WARNING)
