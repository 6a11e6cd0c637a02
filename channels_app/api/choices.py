"""Choices that several bodies have, under one name each in the OpenAPI document (the settings)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from rest_framework import serializers

from channels_app.levels import Level
from channels_app.models import Source
from channels_app.preferences import CHANNELS as CHANNELS_OF_MEMBERS

Choices = list[tuple[str, str]]


def _choices(values: Iterable[StrEnum | Source.Kind]) -> Choices:
    return [(str(value), str(value)) for value in values]


LEVELS = _choices(Level)
# Of a source as a whole: only a type can be critical.
SOURCE_LEVELS = _choices(level for level in Level if level is not Level.CRITICAL)
CHANNELS = _choices(CHANNELS_OF_MEMBERS)
SOURCE_KINDS = _choices(Source.Kind)


class LevelField(serializers.ChoiceField):
    """One of `levels`; a fault names those that there are."""

    def __init__(self, levels: Sequence[tuple[str, str]] = LEVELS, **kwargs: Any) -> None:
        names = ", ".join(name for name, _ in levels)
        super().__init__(
            choices=levels,
            error_messages={"invalid_choice": f"is not one of the levels {names}"},
            **kwargs,
        )

    def to_internal_value(self, data: Any) -> Level:
        return Level(super().to_internal_value(data))
