"""What was decided for each person, and what became of it on each device."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from channels_app.models.events import Event
from channels_app.models.installations import Installation
from channels_app.models.organizations import Membership, Organization


class Notification(models.Model):
    """One event for one member: the outcome with its reason, and the banner if there is one."""

    # No index of their own for these: the constraint and the index below begin with them. And
    # nothing to be checked, for each of thousands of rows: who inserts holds the event's row locked
    # and has just read the membership. One that is deleted at that very moment leaves rows that
    # nobody sees, and deliveries that are not sent (`deliveries.lease`).
    event = models.ForeignKey(
        Event,
        models.CASCADE,
        related_name="notifications",
        db_index=False,
        db_constraint=False,
    )
    membership = models.ForeignKey(
        Membership,
        models.CASCADE,
        related_name="notifications",
        db_index=False,
        db_constraint=False,
    )
    outcome = models.CharField(max_length=20)
    decided_by = models.CharField(
        max_length=64, blank=True, help_text="The setting that decided, where one did."
    )
    level = models.CharField(max_length=8)
    title = models.TextField(blank=True)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField()
    listed = models.BooleanField(
        default=False, db_default=False, help_text="It stands in the member's inbox."
    )
    read_at = models.DateTimeField(null=True)
    # What is held for later (snoozed, held, collapsed): when it is judged again; and when it was,
    # for the last time. It stays to be seen that it was held, and by which outcome.
    held_until = models.DateTimeField(null=True)
    held_as = models.CharField(max_length=20, blank=True, default="", db_default="")
    released_at = models.DateTimeField(null=True)
    digest = models.ForeignKey(
        Event,
        models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The event whose banner told of it, with others.",
    )

    class Meta:
        constraints = [
            # Routing an event twice changes nothing.
            models.UniqueConstraint(fields=["event", "membership"], name="notification_unique"),
        ]
        indexes = [
            # Serves a member's inbox and the admin's list of one member, newest first.
            models.Index(fields=["membership", "-created_at"], name="notification_newest"),
            # Serves the badge: a member's unread.
            models.Index(
                fields=["membership"],
                condition=Q(listed=True, read_at=None),
                name="notification_unread",
            ),
            # Serves the release of what is held, and whether a member has something held.
            models.Index(
                fields=["held_until", "membership"],
                condition=Q(held_until__isnull=False, released_at=None),
                name="notification_held",
            ),
            models.Index(
                fields=["membership"],
                condition=Q(held_until__isnull=False, released_at=None),
                name="notification_held_of_member",
            ),
            # Serves a digest's page: what it told of; and the deletion of events.
            models.Index(
                fields=["digest"],
                condition=Q(digest__isnull=False),
                name="notification_digest",
            ),
        ]

    def __str__(self) -> str:
        return f"notification {self.pk}: {self.outcome}"


class Delivery(models.Model):
    """One notification for one device. The row is the queue: a worker leases it when it is due."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending: to be sent when due"
        SENDING = "sending", "Sending: a worker has it"
        ACCEPTED = "accepted", "Accepted by the push service"
        FAILED = "failed", "Failed for good"
        EXPIRED = "expired", "Expired before it could be sent"
        CANCELLED = "cancelled", "Cancelled before it left"
        UNKNOWN = "unknown", "Unknown: sent, never answered"

    SETTLED = (State.ACCEPTED, State.FAILED, State.EXPIRED, State.CANCELLED, State.UNKNOWN)

    # The rows that are written most: each index is written three times in a delivery's life, so
    # none stands here that a constraint or index below makes needless. An organization is found
    # through the notification, but in the one index that serves leasing.
    # The statement that inserts a delivery inserts its notification: nothing to be checked.
    notification = models.ForeignKey(
        Notification,
        models.CASCADE,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
    )
    # Nor this: a device that is deleted while it is being told is gone, by either name.
    installation = models.ForeignKey(
        Installation,
        models.SET_NULL,
        null=True,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
    )
    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    lane = models.CharField(max_length=16, default="default")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    due_at = models.DateTimeField(
        help_text="Pending: when to send. Sending: when the worker's lease is over."
    )
    holder = models.CharField(
        max_length=8,
        default="",
        db_default="",
        help_text="Sending: the process that has the lease (`settings.LEASE_HOLDER`).",
    )
    expires_at = models.DateTimeField(help_text="After this the banner is worth nothing.")
    attempts = models.PositiveIntegerField(default=0)
    downgraded = models.BooleanField(
        default=False, help_text="Critical, but app or device does not allow critical alerts."
    )
    reason = models.CharField(max_length=100, blank=True, help_text="The last answer's word.")
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["notification", "installation"], name="delivery_unique"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "sending"], settled_at=None)
                | ~Q(state__in=["pending", "sending"]) & Q(settled_at__isnull=False),
                name="delivery_settled_at",
            ),
        ]
        indexes = [
            # Serves leasing: what is due in a lane, one organization beside the other; and the
            # sweep: leases that are over.
            models.Index(
                fields=["lane", "organization", "due_at"],
                condition=Q(state__in=["pending", "sending"]),
                name="delivery_due",
            ),
            # Serves a device's page in the admin, newest first.
            models.Index(F("installation"), F("created_at").desc(), name="delivery_of_device"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}: {self.state}"


class Attempt(models.Model):
    """One try to send one delivery, and what came back.

    Rows are only ever added; but an answer that comes after all takes the place of `lost`.
    """

    class Verdict(models.TextChoices):
        ACCEPTED = "accepted"
        RETRY = "retry"
        DEAD = "dead", "Token dead"
        REJECTED = "rejected", "Rejected: our fault"
        CREDENTIALS = "credentials", "Our credentials are broken"
        UNKNOWN = "unknown", "Sent, never answered"
        LOST = "lost", "The sender died in mid-send"

    # The statement that inserts an attempt has just updated its delivery.
    delivery = models.ForeignKey(
        Delivery, models.CASCADE, related_name="tries", db_index=False, db_constraint=False
    )
    number = models.PositiveIntegerField()
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    status = models.PositiveSmallIntegerField(null=True, help_text="The push service's status.")
    reason = models.CharField(max_length=100, blank=True)
    gateway_id = models.CharField(max_length=200, blank=True, help_text="Its id of the message.")
    sent_at = models.DateTimeField()
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="attempt_unique"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of delivery {self.delivery_id}: {self.verdict}"


class Receipt(models.Model):
    """What the app says became of a banner: shown, opened, or a button of it used."""

    class Kind(models.TextChoices):
        DISPLAYED = "displayed"
        OPENED = "opened"
        ACTION = "action"

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="receipts", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    action = models.CharField(max_length=32, blank=True, help_text="The button, where it was one.")
    occurred_at = models.DateTimeField(help_text="By the device's clock.")
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Telling it twice changes nothing.
            models.UniqueConstraint(fields=["delivery", "kind", "action"], name="receipt_unique"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.delivery_id}: {self.kind} {self.action}".rstrip()
