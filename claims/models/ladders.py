"""What operators set about a conversation that nobody claims, and a claim that nobody uses."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Q

from channels_app.models import Bot, Organization, Role


class Ladder(models.Model):
    """Who is told in which order while a customer waits; of a bot, or (bot empty) of all others."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="ladders")
    bot = models.OneToOneField(
        Bot,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="ladder",
        help_text="Empty: of every bot that has none of its own.",
    )
    repeats = models.PositiveSmallIntegerField(
        default=2, help_text="How often the last wave is told again."
    )
    repeat_every = models.DurationField(default=timedelta(minutes=3))
    alarm = models.BooleanField(default=True, help_text="At the end, tell the operators.")
    claim_lease = models.DurationField(
        null=True,
        blank=True,
        default=timedelta(minutes=30),
        help_text="A claim without activity goes back to the pool after this. Empty: never.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization"], condition=Q(bot=None), name="ladder_default_unique"
            ),
            models.CheckConstraint(
                condition=Q(repeat_every__gte=timedelta(seconds=30)), name="ladder_repeat_every"
            ),
            models.CheckConstraint(
                condition=Q(claim_lease=None) | Q(claim_lease__gte=timedelta(minutes=1)),
                name="ladder_claim_lease",
            ),
        ]

    def __str__(self) -> str:
        return f"Ladder of {self.bot}" if self.bot else "Ladder of all other bots"


class Wave(models.Model):
    """One wave of a ladder: who, and how long after the customer began to wait."""

    class Audience(models.TextChoices):
        AWAKE = "awake", "Subscribers who are awake and on a phone that answers"
        SUBSCRIBERS = "subscribers", "All subscribers who may respond"
        RESPONDERS = "responders", "Everyone who may respond, subscribed or not"
        ROLE = "role", "Those of a role who may respond"
        OPERATORS = "operators", "Operators"

    ladder = models.ForeignKey(Ladder, models.CASCADE, related_name="waves", db_index=False)
    after = models.DurationField(help_text="Since the customer began to wait.")
    audience = models.CharField(max_length=12, choices=Audience.choices)
    role = models.ForeignKey(Role, models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ladder", "after"], name="wave_unique"),
            models.CheckConstraint(condition=Q(after__gte=timedelta()), name="wave_after"),
            models.CheckConstraint(
                condition=Q(audience="role", role__isnull=False)
                | ~Q(audience="role") & Q(role=None),
                name="wave_role",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_audience_display()} after {self.after}"


class Unreachable(models.Model):
    """A bot whose customers nobody can be told of, and since when: the alarm is given once."""

    bot = models.OneToOneField(Bot, models.CASCADE, primary_key=True, related_name="unreachable")
    since = models.DateTimeField()

    class Meta:
        verbose_name_plural = "unreachable bots"

    def __str__(self) -> str:
        return f"{self.bot} since {self.since:%Y-%m-%d %H:%M}"
