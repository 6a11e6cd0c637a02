"""How long a step usually takes, in an answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from channels_app.api.fields import Body
from workflows.expectations import Expected

COLLECTING = {
    "completed": 240,
    "median_seconds": 112.0,
    "mean_seconds": 120.0,
    "low_seconds": 80.0,
    "high_seconds": 165.0,
    "stuck_after_seconds": 436.0,
    "learned": True,
}


class UsualBody(Body):
    completed = serializers.IntegerField(help_text="How often the step has been completed.")
    median_seconds = serializers.FloatField(
        allow_null=True, help_text="Of the last 100. null: it has never been completed."
    )
    mean_seconds = serializers.FloatField(allow_null=True)
    low_seconds = serializers.FloatField(
        allow_null=True,
        help_text="Four of five took between this and `high_seconds`. null: fewer than ten"
        " are known.",
    )
    high_seconds = serializers.FloatField(allow_null=True)
    stuck_after_seconds = serializers.FloatField(
        help_text="It is called stuck after this, as things are set and known now."
    )
    learned = serializers.BooleanField(
        help_text="Whether that follows from its history; otherwise it is what operators chose."
    )


def usual(expected: Expected) -> dict[str, Any]:
    """What `UsualBody` says of it."""
    return {
        "completed": expected.completed,
        "median_seconds": expected.median,
        "mean_seconds": expected.mean,
        "low_seconds": expected.low,
        "high_seconds": expected.high,
        "stuck_after_seconds": expected.stuck_after,
        "learned": expected.learned,
    }
