"""What the platform reported, kept as received, and the door it came in by."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from channels_app.models.organizations import Organization
from channels_app.models.sources import Source


class Connection(models.Model):
    """One webhook endpoint of an organization: its URL and its secrets.

    During a rotation two secrets are valid: `secret`, and until `previous_secret_until` the one
    before it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="connections")
    name = models.CharField(max_length=100)
    secret = models.CharField(max_length=128, help_text="Standard Webhooks: whsec_ and base64.")
    previous_secret = models.CharField(max_length=128, blank=True)
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="connection_name_unique"),
            models.CheckConstraint(
                condition=Q(previous_secret="") | Q(previous_secret_until__isnull=False),
                name="connection_previous_secret_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Event(models.Model):
    """Something the platform reported (or Pushbridge itself found), exactly as it was told.

    The row is also the queue of routing: a worker takes it by moving `route_at` ahead.
    """

    class State(models.TextChoices):
        RECEIVED = "received", "Received: waits to be routed"
        ROUTED = "routed", "Routed: everyone it concerns has an outcome"
        RECORDED = "recorded", "Recorded: changes a state, tells nobody"
        IGNORED = "ignored", "Ignored: a type that Pushbridge does not know"
        QUARANTINED = "quarantined", "Quarantined: routing it failed three times"

    # Each of these begins, or stands in, an index below.
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="events", db_index=False
    )
    connection = models.ForeignKey(
        Connection, models.PROTECT, null=True, related_name="events", db_index=False
    )
    webhook_id = models.CharField(max_length=256, help_text="The sender's id of this message.")
    type = models.CharField(max_length=128)
    source = models.ForeignKey(
        Source, models.SET_NULL, null=True, related_name="events", db_index=False
    )
    subject = models.CharField(
        max_length=128, blank=True, help_text="The platform's id of the conversation or run."
    )
    occurred_at = models.DateTimeField(help_text="The platform's timestamp: the last word.")
    received_at = models.DateTimeField()
    payload = models.JSONField(help_text="The whole message as received, unknown fields too.")
    facts = models.JSONField(
        default=dict, help_text="What the state knew when the event came: epoch, number of steps."
    )
    lane = models.CharField(max_length=16, default="default")
    state = models.CharField(max_length=12, choices=State.choices, default=State.RECEIVED)
    route_at = models.DateTimeField(help_text="When a worker may next take it to route.")
    route_attempts = models.PositiveSmallIntegerField(default=0)
    route_error = models.TextField(blank=True)
    routed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Idempotency: what has this id was received before. Also finds the first one again.
            # Events of our own have no connection, and are just as unique.
            models.UniqueConstraint(
                fields=["organization", "connection", "webhook_id"],
                nulls_distinct=False,
                name="event_webhook_id_unique",
            ),
        ]
        indexes = [
            # Serves routing: the events of a lane that nobody has routed yet, oldest first, one
            # organization beside the other.
            models.Index(
                fields=["lane", "organization", "route_at"],
                condition=Q(state="received"),
                name="event_to_route",
            ),
            # Serves routing: the events that failed before; nearly empty.
            models.Index(
                fields=["lane", "route_attempts", "route_at"],
                condition=Q(state="received", route_attempts__gt=0),
                name="event_to_route_again",
            ),
            # Serves the operators' question for what went wrong, however long ago; nearly empty.
            models.Index(
                fields=["organization"],
                condition=Q(state="quarantined"),
                name="event_quarantined",
            ),
            # Serves a conversation's and a run's history, and a bot's audit log.
            models.Index(fields=["source", "subject", "occurred_at"], name="event_history"),
            # Serves the admin's list: the newest events of an organization.
            models.Index(fields=["organization", "-received_at"], name="event_newest"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.type}"
