"""What a body may consist of, beside what REST framework knows, and the base of all bodies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from channels_app import languages, quiet_hours


class Body(serializers.Serializer[Any]):
    """A JSON object in which a member that we do not know is a fault, and not overlooked.

    So is a value of another type than the document says: REST framework would make some fit.
    Members that only we write may be sent back to us, and change nothing.
    """

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            return super().to_internal_value(data)
        faults = self._faults(data)
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            assert isinstance(error.detail, dict)
            raise serializers.ValidationError({**faults, **error.detail}) from None
        if faults:
            raise serializers.ValidationError(faults)
        return value

    def _faults(self, data: dict[str, Any]) -> dict[str, Any]:
        """What REST framework would not mind, by member."""
        unknown = sorted(set(data) - set(self.fields))
        faults: dict[str, Any] = {name: ["is not a member of this object"] for name in unknown}
        for name, field in self.fields.items():
            if not field.read_only and (found := _misfits(field, data.get(name))):
                faults[name] = found
        return faults


def _is_whole(value: object) -> bool:
    """As JSON Schema has it: 5.0 is an integer."""
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


# What JSON must say for a field, where REST framework also takes "yes" for true, and 5 for "5".
_TYPES: tuple[
    tuple[type[serializers.Field[Any, Any, Any, Any]], Callable[[object], bool], str], ...
]
_TYPES = (
    (serializers.BooleanField, lambda value: isinstance(value, bool), "must be true or false"),
    (serializers.IntegerField, _is_whole, "must be a whole number"),
    (serializers.CharField, lambda value: isinstance(value, str), "must be a string"),
    (serializers.UUIDField, lambda value: isinstance(value, str), "must be a string"),
)


def _misfits(field: Any, value: Any) -> list[str] | dict[int, Any]:
    """The fault of a value, or those of a list's elements by their place."""
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        each = ((place, _misfits(field.child, element)) for place, element in enumerate(value))
        return {place: found for place, found in each if found}
    if value is None:
        return []
    return [fault for kind, fits, fault in _TYPES if isinstance(field, kind) and not fits(value)]


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
