"""Conversations that a bot could not handle."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from channels_app.models import Bot, Organization


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

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "external_id"], name="conversation_external_id_unique"
            ),
            models.CheckConstraint(condition=Q(epoch__gte=1), name="conversation_epoch_positive"),
        ]

    def __str__(self) -> str:
        return self.external_id
