"""Filters of the lists. Each offers only what its reader may see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from channels_app.admin import scope
from channels_app.admin.words import Word
from channels_app.event_types import CATALOGUE

PERIODS = {
    "1h": ("The last hour", timedelta(hours=1)),
    "24h": ("The last 24 hours", timedelta(hours=24)),
    "7d": ("The last 7 days", timedelta(days=7)),
    "30d": ("The last 30 days", timedelta(days=30)),
}


def organization_filter(lookup: str = "organization") -> type[SimpleListFilter]:
    """By organization: the reader's own; not offered to those who have one only."""

    class OrganizationFilter(SimpleListFilter):
        title = "organization"
        parameter_name = "organization"

        def lookups(
            self, request: HttpRequest, model_admin: ModelAdmin[Any]
        ) -> list[tuple[Any, str]]:
            own = scope.of_request(request).order_by("name")
            return list(own.values_list("pk", "name")[:200])

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            value = self.value()
            if not value or not value.isdecimal():
                return queryset
            return queryset.filter(**{lookup: int(value)})

        def has_output(self) -> bool:
            return len(self.lookup_choices) > 1

    return OrganizationFilter


def period_filter(lookup: str) -> type[SimpleListFilter]:
    """By time, counted back from now."""

    class PeriodFilter(SimpleListFilter):
        title = "time"
        parameter_name = "period"

        def lookups(
            self, request: HttpRequest, model_admin: ModelAdmin[Any]
        ) -> list[tuple[Any, str]]:
            return [(key, label) for key, (label, _) in PERIODS.items()]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            if self.value() not in PERIODS:
                return queryset
            since = timezone.now() - PERIODS[self.value() or ""][1]
            return queryset.filter(**{f"{lookup}__gte": since})

    return PeriodFilter


def word_filter(
    field: str, title_: str, meanings: Mapping[str, Word], *, parameter: str = ""
) -> type[SimpleListFilter]:
    """By state, outcome or verdict, in the words that the rows show."""

    class WordFilter(SimpleListFilter):
        title = title_
        parameter_name = parameter or field

        def lookups(
            self, request: HttpRequest, model_admin: ModelAdmin[Any]
        ) -> list[tuple[Any, str]]:
            return [(value, word.label) for value, word in meanings.items()]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{field: self.value()}) if self.value() else queryset

    return WordFilter


class EventTypeFilter(SimpleListFilter):
    """By type: those of the catalogue, and all that Pushbridge does not know."""

    title = "type"
    parameter_name = "type"
    UNKNOWN = "unknown"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[Any, str]]:
        return [*((name, name) for name in CATALOGUE), (self.UNKNOWN, "any unknown type")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == self.UNKNOWN:
            return queryset.exclude(type__in=CATALOGUE)
        return queryset.filter(type=self.value()) if self.value() else queryset


class AliveFilter(SimpleListFilter):
    """Devices that can be pushed to, and those that a push service called dead."""

    title = "device"
    parameter_name = "alive"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[Any, str]]:
        return [("yes", "Alive"), ("no", "Dead")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(dead_since__isnull=self.value() == "yes")


class WaitingFilter(SimpleListFilter):
    """What is held, snoozed or collected, and not told yet."""

    title = "kept for later"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[Any, str]]:
        return [("yes", "Waits now"), ("no", "Waited, and was judged again")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(held_until__isnull=False, released_at__isnull=self.value() == "yes")
