"""Workflows, and their runs and steps as far as the platform has told of them."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from channels_app.models import Organization, Source

# What an operator may ask for: below it every slow step rings, above it none does.
LEAST_FACTOR, MOST_FACTOR = 0.2, 20.0
LEAST_DEFAULT, MOST_DEFAULT = timedelta(minutes=1), timedelta(days=30)

_DEFAULT_LIMITS = [MinValueValidator(LEAST_DEFAULT), MaxValueValidator(MOST_DEFAULT)]


class Workflow(Source):
    """An automation of the platform, whose runs members follow.

    Its fields say when one of its steps is stuck (`workflows.thresholds`).
    """

    watched = models.BooleanField(
        "look for stuck steps",
        default=True,
        db_default=True,
        help_text="Off: only the platform itself says that a step is stuck.",
    )
    stuck_factor = models.FloatField(
        "patience",
        default=1.0,
        db_default=1.0,
        validators=[MinValueValidator(LEAST_FACTOR), MaxValueValidator(MOST_FACTOR)],
        help_text="2: twice as long as its history says before a step is stuck.",
    )
    stuck_default = models.DurationField(
        "stuck without a history after",
        null=True,
        blank=True,
        validators=_DEFAULT_LIMITS,
        help_text="Of a step that has been completed less than ten times. Empty: the"
        " organization's.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(stuck_factor__gte=LEAST_FACTOR, stuck_factor__lte=MOST_FACTOR),
                name="workflow_stuck_factor",
            ),
            models.CheckConstraint(
                condition=Q(stuck_default=None)
                | Q(stuck_default__gte=LEAST_DEFAULT, stuck_default__lte=MOST_DEFAULT),
                name="workflow_stuck_default",
            ),
        ]


class StuckPolicy(models.Model):
    """What an organization's operators set for all workflows that have no setting of their own."""

    organization = models.OneToOneField(
        Organization, models.CASCADE, primary_key=True, related_name="stuck_policy"
    )
    stuck_default = models.DurationField(
        "stuck without a history after",
        validators=_DEFAULT_LIMITS,
        help_text="Of a step that has been completed less than ten times.",
    )

    class Meta:
        verbose_name_plural = "stuck policies"
        constraints = [
            models.CheckConstraint(
                condition=Q(stuck_default__gte=LEAST_DEFAULT, stuck_default__lte=MOST_DEFAULT),
                name="stuck_policy_default",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization}: {self.stuck_default}"


class Run(models.Model):
    """One run of a workflow. Terminal states stay terminal, whatever arrives late."""

    class State(models.TextChoices):
        RUNNING = "running"
        SUCCESS = "success"
        FAILURE = "failure"

    # No index of its own: the constraint and the index below begin with it.
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="runs", db_index=False)
    external_id = models.CharField(max_length=128, help_text="The platform's id.")
    subject = models.CharField(max_length=500, blank=True, help_text="What it runs for.")
    steps = models.PositiveIntegerField(null=True, help_text="How many steps it has, if known.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    told_seconds = models.FloatField(null=True, help_text="How long it took, as the platform says.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workflow", "external_id"], name="run_unique"),
            models.CheckConstraint(
                condition=Q(state="running", finished_at=None)
                | ~Q(state="running") & Q(finished_at__isnull=False),
                name="run_finished_at",
            ),
        ]
        indexes = [
            # Serves a workflow's last runs.
            models.Index(F("workflow"), F("id").desc(), name="run_newest"),
        ]

    def __str__(self) -> str:
        return self.external_id

    @property
    def duration_seconds(self) -> float | None:
        """How long it took: as the platform says, else by its timestamps; None: not known (yet)."""
        if self.told_seconds is not None or self.started_at is None or self.finished_at is None:
            return self.told_seconds
        return max(0.0, (self.finished_at - self.started_at).total_seconds())


class Step(models.Model):
    """One step of a run, as it was last tried: it runs from `started_at` until a later
    `completed_at`. (A loop and a retry start the same step again.)

    All times but `due_at` are the platform's. Only a run that is still running has running steps.
    """

    class Alarm(models.TextChoices):
        NONE = "none", "None"
        STUCK = "stuck", "Stuck: people were told"
        MOVED = "moved", "Moving again: people are to be told"
        SETTLED = "settled", "Settled: people were told that it is over"

    run = models.ForeignKey(Run, models.CASCADE, related_name="known_steps", db_index=False)
    index = models.PositiveIntegerField(help_text="Its number in the run, from 1.")
    name = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField(null=True, help_text="When its last try began.")
    completed_at = models.DateTimeField(null=True, help_text="When it was last completed.")
    duration_seconds = models.FloatField(null=True, help_text="Of the last completed try.")
    duration_told = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The duration is the platform's own word, not the difference of its timestamps.",
    )

    # The alarm, of which there is one for each try that is completed in the end.
    due_at = models.DateTimeField(
        null=True, help_text="When it is to be looked at: it may be stuck then."
    )
    alarm = models.CharField(
        max_length=8, choices=Alarm.choices, default=Alarm.NONE, db_default=Alarm.NONE
    )
    stuck_at = models.DateTimeField(null=True, help_text="When it was said to be stuck.")
    stuck_since = models.DateTimeField(null=True, help_text="When that try began.")
    stuck_told = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The platform said so; otherwise Pushbridge found it.",
    )
    moved_at = models.DateTimeField(null=True, help_text="When that try was over after all.")

    # Its place in the statistics.
    to_count = models.BooleanField(
        default=False, db_default=False, help_text="A duration that no baseline knows yet."
    )
    counted_at = models.DateTimeField(
        null=True, help_text="The `completed_at` of the last try that a baseline knows."
    )

    class Meta:
        constraints = [
            # Also finds the steps of a run.
            models.UniqueConstraint(fields=["run", "index"], name="step_unique"),
            models.CheckConstraint(
                condition=Q(alarm="none", stuck_at=None)
                | ~Q(alarm="none") & Q(stuck_at__isnull=False),
                name="step_stuck_at",
            ),
            models.CheckConstraint(
                condition=~Q(alarm="stuck") | Q(due_at=None), name="step_stuck_once"
            ),
            models.CheckConstraint(
                condition=Q(due_at=None) | Q(started_at__isnull=False), name="step_due_started"
            ),
        ]
        indexes = [
            # Serves the finder: what may be stuck, by the moment at which it does.
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="step_due"),
            # Serves the word that it is moving again: what is stuck, or was until now.
            models.Index(
                fields=["stuck_at"], condition=Q(alarm__in=["stuck", "moved"]), name="step_alarmed"
            ),
            # Serves the baselines: what they are to learn.
            models.Index(fields=["id"], condition=Q(to_count=True), name="step_to_count"),
        ]

    def __str__(self) -> str:
        return f"step {self.index} of run {self.run_id}"


class Baseline(models.Model):
    """How long a step of a workflow usually takes: its last durations, and what follows from them.

    `workflows.baselines` keeps it; `workflows.thresholds` says what the numbers mean.
    """

    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="baselines", db_index=False)
    step = models.CharField(
        max_length=200, help_text="Its name; of a step without a name its number, as in #3."
    )
    durations = ArrayField(
        models.FloatField(), default=list, help_text="Of the last that were completed, in seconds."
    )
    completed = models.PositiveBigIntegerField(default=0, help_text="How many, in all.")
    mean_seconds = models.FloatField()
    median_seconds = models.FloatField()
    floor_seconds = models.FloatField(help_text="A step is never stuck before this.")
    threshold_seconds = models.FloatField(
        null=True, help_text="A step is stuck after this. Empty: too little is known yet."
    )
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workflow", "step"], name="baseline_unique"),
        ]

    def __str__(self) -> str:
        return self.step
