"""What members subscribe to: bots, and (in the app `workflows`) workflows."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from channels_app.models.organizations import Membership, Organization


class Source(models.Model):
    """A bot or a workflow, known by the platform's own id; made when an event first names it.

    The parent table of `Bot` and `Workflow`, so that a subscription has one real foreign key.
    """

    class Kind(models.TextChoices):
        BOT = "bot"
        WORKFLOW = "workflow"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="sources")
    kind = models.CharField(max_length=8, choices=Kind.choices, editable=False)
    external_id = models.CharField(max_length=128, help_text="The platform's id.")
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "kind", "external_id"], name="source_external_id_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Bot(Source):
    """A chatbot. Who may answer its customers holds `chatbot.respond` on it."""

    unanswered_threshold = models.PositiveSmallIntegerField(
        default=3,
        validators=[MinValueValidator(1)],
        help_text="Escalate when the bot could not answer this many times in a row.",
    )
    tone_minimum = models.FloatField(
        default=0.0,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="Escalate a change of tone from this score (0 to 1) on.",
    )

    class Meta:
        permissions = [("respond", "Can respond to this bot's customers")]
        constraints = [
            models.CheckConstraint(
                condition=Q(unanswered_threshold__gte=1), name="bot_threshold_positive"
            ),
            models.CheckConstraint(
                condition=Q(tone_minimum__gte=0, tone_minimum__lte=1), name="bot_tone_in_range"
            ),
        ]


class BotUserPermission(UserObjectPermissionBase):
    """guardian's direct foreign key form: an object permission of one person on one bot."""

    content_object = models.ForeignKey(Bot, models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        abstract = False


class BotGroupPermission(GroupObjectPermissionBase):
    """guardian's direct foreign key form: an object permission of one role on one bot."""

    content_object = models.ForeignKey(Bot, models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = False


class Subscription(models.Model):
    """A member wants to hear of a source, at its own loudness or at one that they set for it."""

    class Level(models.TextChoices):
        OFF = "off", "Off: nothing of it"
        QUIET = "quiet", "Quiet: never louder than that"
        LOUD = "loud", "Loud: what would be quiet is loud"

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="subscriptions")
    source = models.ForeignKey(Source, models.CASCADE, related_name="subscriptions")
    level = models.CharField(
        max_length=8, choices=Level.choices, blank=True, help_text="Empty: as the event is."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # Also serves the audience of an event: the subscribers of its source.
            models.UniqueConstraint(fields=["source", "membership"], name="subscription_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.membership} to {self.source}"


class Preference(models.Model):
    """A member's level for a type of event: from one source, or (source empty) from all."""

    class Level(models.TextChoices):
        OFF = "off"
        QUIET = "quiet"
        LOUD = "loud"
        CRITICAL = "critical"

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="preferences")
    event_type = models.CharField(max_length=64)
    source = models.ForeignKey(
        Source, models.CASCADE, null=True, blank=True, related_name="preferences"
    )
    level = models.CharField(max_length=8, choices=Level.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "event_type", "source"],
                nulls_distinct=False,
                name="preference_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type}: {self.level}"
