"""What operators and members set about who is told, how loudly and when."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from channels_app.event_types import Channel
from channels_app.models.organizations import Membership, Organization
from channels_app.models.sources import Preference, Source

# The channels that people set something about: those of the reference page.
CHANNELS = [
    (Channel.ESCALATION.value, "Customer requested human"),
    (Channel.AUTO_UPDATE.value, "Agent auto-update"),
    (Channel.WORKFLOW.value, "Workflow status"),
]


class ChannelPolicy(models.Model):
    """An operator's word on a channel, for everyone in the organization."""

    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="channel_policies", db_index=False
    )
    channel = models.CharField(max_length=16, choices=CHANNELS)
    enabled = models.BooleanField(default=True, help_text="Off: nobody is told anything of it.")

    class Meta:
        verbose_name_plural = "channel policies"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "channel"], name="channel_policy_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {'on' if self.enabled else 'off'}"


class TypePolicy(models.Model):
    """An operator's level for a type of event, for every member who has set none."""

    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="type_policies", db_index=False
    )
    event_type = models.CharField(max_length=64)
    level = models.CharField(max_length=8, choices=Preference.Level.choices)

    class Meta:
        verbose_name_plural = "type policies"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "event_type"], name="type_policy_unique"
            ),
            models.CheckConstraint(
                condition=~Q(level="critical") | Q(event_type__startswith="conversation."),
                name="type_policy_critical_escalates",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type}: {self.level}"


class ChannelPreference(models.Model):
    """A member's word on a channel: what may break through their quiet hours, and where to."""

    membership = models.ForeignKey(
        Membership, models.CASCADE, related_name="channel_preferences", db_index=False
    )
    channel = models.CharField(max_length=16, choices=CHANNELS)
    overrides_quiet_hours = models.BooleanField(
        null=True,
        blank=True,
        help_text="Tell me at once, quiet hours or not. Unset: yes for escalations, else no.",
    )
    phone_only = models.BooleanField(default=False, help_text="To my phones, not to browsers.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "channel"], name="channel_preference_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} of {self.membership}"


class QuietWindow(models.Model):
    """A stretch of the member's week in which nothing rings, by the wall clock of their zone.

    See `quiet_hours.Window`: an end that is not later than the start is of the next day.
    """

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="quiet_windows")
    days = ArrayField(
        models.PositiveSmallIntegerField(
            validators=[MinValueValidator(1), MaxValueValidator(7)],
        ),
        help_text="The days on which it starts: 1 Monday to 7 Sunday.",
    )
    start = models.TimeField()
    end = models.TimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(days__len__gte=1, days__contained_by=[1, 2, 3, 4, 5, 6, 7]),
                name="quiet_window_days",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.start:%H:%M} to {self.end:%H:%M} on {len(self.days)} days"


class Snooze(models.Model):
    """Quiet from now until a moment: for a member as a whole, a source, or one thing of it."""

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="snoozes")
    source = models.ForeignKey(
        Source, models.CASCADE, null=True, blank=True, related_name="snoozes"
    )
    subject = models.CharField(
        max_length=128, blank=True, help_text="The platform's id of a conversation or run of it."
    )
    until = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # Snoozing again moves the end.
            models.UniqueConstraint(
                fields=["membership", "source", "subject"],
                nulls_distinct=False,
                name="snooze_unique",
            ),
            models.CheckConstraint(
                condition=Q(subject="") | Q(source__isnull=False), name="snooze_subject_of_source"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership} until {self.until:%Y-%m-%d %H:%M}"
