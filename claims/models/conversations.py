"""Conversations that a bot could not handle."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from channels_app.models import Bot, Membership, Organization


class Conversation(models.Model):
    """A customer's conversation with a bot, from its first escalation on.

    `epoch` counts the rounds of escalation: a banner of an earlier round cannot claim a later one.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for a human"
        CLAIMED = "claimed", "Claimed by an agent"
        WITH_BOT = "with_bot", "Back with the bot"
        RESOLVED = "resolved", "Resolved"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="conversations")
    bot = models.ForeignKey(Bot, models.CASCADE, related_name="conversations")
    external_id = models.CharField(max_length=128, help_text="The platform's id.")
    customer_id = models.CharField(max_length=128, blank=True)
    customer_name = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    epoch = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(help_text="The platform's time of its last change.")

    # Who holds it. An agent of the platform who is no member here has a name and an id of theirs.
    holder = models.ForeignKey(
        Membership, models.SET_NULL, null=True, blank=True, related_name="claims"
    )
    holder_external_id = models.CharField(max_length=128, blank=True, default="", db_default="")
    holder_name = models.CharField(max_length=200, blank=True, default="", db_default="")
    claimed_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(
        null=True, blank=True, help_text="When an idle claim goes back to the pool."
    )
    left_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was last released, handed back or resolved."
    )
    left_by = models.ForeignKey(
        Membership,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who released, handed back or resolved it: the same once more is no error.",
    )

    # The ladder of this round.
    waiting_since = models.DateTimeField(null=True, blank=True)
    wave = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How many rungs of the ladder have been rung."
    )
    next_wave_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "external_id"], name="conversation_external_id_unique"
            ),
            models.CheckConstraint(condition=Q(epoch__gte=1), name="conversation_epoch_positive"),
            models.CheckConstraint(
                condition=Q(state="claimed", claimed_at__isnull=False)
                | ~Q(state="claimed")
                & Q(
                    claimed_at=None,
                    holder=None,
                    holder_external_id="",
                    holder_name="",
                    lease_until=None,
                ),
                name="conversation_held_while_claimed",
            ),
            models.CheckConstraint(
                condition=Q(next_wave_at=None) | Q(state="waiting"),
                name="conversation_climbs_while_waiting",
            ),
        ]
        indexes = [
            # Serves the list of an organization's conversations, the last changed first.
            models.Index(F("organization"), F("changed_at").desc(), name="conversation_newest"),
            # Serves the queue, and the list of what is open: a few rows among very many.
            models.Index(
                fields=["organization", "state"],
                condition=Q(state__in=["waiting", "claimed"]),
                name="conversation_open",
            ),
            # Serves the climb: the next rungs that are due.
            models.Index(
                fields=["next_wave_at"],
                condition=Q(next_wave_at__isnull=False),
                name="conversation_to_climb",
            ),
            # Serves the lapse of idle claims.
            models.Index(
                fields=["lease_until"],
                condition=Q(lease_until__isnull=False),
                name="conversation_to_lapse",
            ),
        ]

    def __str__(self) -> str:
        return self.external_id
