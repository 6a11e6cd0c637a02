"""What a body may consist of, beside what REST framework knows, and the base of all bodies."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from channels_app import languages, quiet_hours


class Body(serializers.Serializer[Any]):
    """A JSON object in which a member that we do not know is a fault, and not overlooked.

    Members that only we write may be sent back to us, and change nothing.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := set(data) - set(self.fields)):
            raise serializers.ValidationError(
                {name: ["is not a member of this object"] for name in sorted(unknown)}
            )
        return super().to_internal_value(data)


@extend_schema_field({"type": "string", "maxLength": 64, "examples": ["de-AT"]})
class LanguageField(serializers.CharField):
    """A BCP 47 tag of a device; what is kept is the nearest language that we speak."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=64, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        tag = super().to_internal_value(data)
        try:
            return languages.match(tag)
        except languages.UnknownLanguage:
            spoken = ", ".join(code for code, _ in settings.LANGUAGES)
            raise serializers.ValidationError(f"is not one of our languages: {spoken}") from None


@extend_schema_field({"type": "string", "maxLength": 64, "examples": ["Europe/Vienna"]})
class TimeZoneField(serializers.CharField):
    """An IANA name, aliases included."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=64, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if name not in quiet_hours.time_zones():
            raise serializers.ValidationError(
                "is not the name of an IANA time zone, such as Europe/Berlin"
            )
        return name


class InstantField(serializers.DateTimeField):
    """A moment with its offset from UTC: without one it could be any of 26 hours."""

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            raise serializers.ValidationError("must have its offset from UTC: …Z, or …+02:00")
        return super().enforce_timezone(value)
