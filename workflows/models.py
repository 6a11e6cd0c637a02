"""Workflows, and their runs as far as the platform has told of them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from channels_app.models import Source


class Workflow(Source):
    """An automation of the platform, whose runs members follow."""


class Run(models.Model):
    """One run of a workflow. Terminal states stay terminal, whatever arrives late."""

    class State(models.TextChoices):
        RUNNING = "running"
        SUCCESS = "success"
        FAILURE = "failure"

    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="runs")
    external_id = models.CharField(max_length=128, help_text="The platform's id.")
    subject = models.CharField(max_length=500, blank=True, help_text="What it runs for.")
    steps = models.PositiveIntegerField(null=True, help_text="How many steps it has, if known.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workflow", "external_id"], name="run_unique"),
            models.CheckConstraint(
                condition=Q(state="running", finished_at=None)
                | ~Q(state="running") & Q(finished_at__isnull=False),
                name="run_finished_at",
            ),
        ]

    def __str__(self) -> str:
        return self.external_id
