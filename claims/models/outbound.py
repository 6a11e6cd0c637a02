"""What the platform is told: where, what, and what came of each try."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from channels_app.models import Connection


class Endpoint(models.Model):
    """Where the platform of a connection is told what happened here, and how that is signed.

    During a rotation two signatures are sent: that of `secret`, and until `previous_secret_until`
    that of the one before it.
    """

    class Reason(models.TextChoices):
        GONE = "gone", "It answered 410 Gone"
        FAILING = "failing", "It took nothing for days"

    connection = models.OneToOneField(Connection, models.CASCADE, related_name="endpoint")
    url = models.CharField(max_length=500, help_text="https://…, where messages are posted.")
    secret = models.CharField(max_length=128, help_text="Standard Webhooks: whsec_ and base64.")
    previous_secret = models.CharField(max_length=128, blank=True, default="")
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    enabled = models.BooleanField(
        default=True, help_text="Switched off, it is sent nothing, and what waits for it is kept."
    )
    failing_since = models.DateTimeField(
        null=True, blank=True, help_text="Every try since then failed."
    )
    # Disabled by us, not by an operator: nobody is at the other end.
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=8, choices=Reason.choices, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(previous_secret="") | Q(previous_secret_until__isnull=False),
                name="endpoint_previous_secret_ends",
            ),
            models.CheckConstraint(
                condition=Q(disabled_at=None, disabled_reason="")
                | Q(disabled_at__isnull=False) & ~Q(disabled_reason=""),
                name="endpoint_disabled_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(url__startswith="https://"), name="endpoint_url_https"
            ),
        ]

    def __str__(self) -> str:
        return self.url


class Message(models.Model):
    """One change that one endpoint is told of. The row is also the queue of its sending.

    pending -> sending (leased) -> delivered | failed, or back to pending for another try. A replay
    takes what failed back to pending, under the same id.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Waits for its next try"
        SENDING = "sending", "Under way"
        DELIVERED = "delivered", "Delivered: the platform answered 2xx"
        FAILED = "failed", "Failed: given up"

    # The last of the indexes below begins with it.
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="messages", db_index=False)
    webhook_id = models.CharField(
        max_length=64, help_text="msg_…, the same on every try and at every endpoint."
    )
    type = models.CharField(max_length=128)
    subject = models.CharField(
        max_length=128, blank=True, default="", help_text="The platform's id of the conversation."
    )
    body = models.TextField(help_text="What is sent and signed, the same each time.")
    created_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.PENDING)
    due_at = models.DateTimeField(help_text="When to try next; while sending, the lease's end.")
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    holder = models.CharField(max_length=8, blank=True, default="", db_default="")
    reason = models.CharField(
        max_length=100, blank=True, default="", help_text="What the last try came to."
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    # A round of tries begins with the message, and again with each replay.
    round_at = models.DateTimeField(help_text="When this round of tries began.")
    round_attempts = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Tries of earlier rounds."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["webhook_id", "endpoint"], name="message_webhook_id_unique"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("delivered", "failed"), settled_at__isnull=False)
                | Q(state__in=("pending", "sending"), settled_at=None),
                name="message_settled_when_over",
            ),
        ]
        indexes = [
            # Serves the lease: what is due at an endpoint, and which endpoints have anything due.
            models.Index(
                fields=["endpoint", "due_at"],
                condition=Q(state="pending"),
                name="message_due",
            ),
            # Serves the lease and the sweep: how much is under way at an endpoint, and whose
            # sender is dead; nearly empty.
            models.Index(
                fields=["endpoint", "subject"],
                condition=Q(state="sending"),
                name="message_under_way",
            ),
            # Serves the replay of what failed since a time, and the count of what did.
            models.Index(
                fields=["endpoint", "created_at"],
                condition=Q(state="failed"),
                name="message_failed",
            ),
            # Serves the admin's search: what was told of a conversation.
            models.Index(fields=["subject"], condition=~Q(subject=""), name="message_of_subject"),
            # Serves the admin's list: the newest messages of an endpoint.
            models.Index(F("endpoint"), F("id").desc(), name="message_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.webhook_id}"


class MessageAttempt(models.Model):
    """One try to send one message, and what came back: never more of the answer than its status."""

    class Outcome(models.TextChoices):
        DELIVERED = "delivered", "2xx"
        REFUSED = "refused", "Another status"
        UNANSWERED = "unanswered", "Sent, never answered"
        UNSENT = "unsent", "Not even sent"
        LOST = "lost", "The sender died in mid-send"

    # The statement that inserts an attempt has just updated its message.
    message = models.ForeignKey(
        Message, models.CASCADE, related_name="tries", db_index=False, db_constraint=False
    )
    number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    status = models.PositiveSmallIntegerField(null=True, help_text="The HTTP status.")
    reason = models.CharField(max_length=100, blank=True)
    sent_at = models.DateTimeField()
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "number"], name="message_attempt_unique"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of message {self.message_id}: {self.outcome}"
