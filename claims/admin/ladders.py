"""Ladders: who is told in which order while a customer waits, as operators set it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from channels_app.admin import cells
from channels_app.admin.base import OrganizationScopedAdmin, ScopedInline
from channels_app.admin.filters import organization_filter
from channels_app.admin.unfolded import RowForm, RowFormSet
from claims import ladder, ladders
from claims.admin import climbs
from claims.ladder import DEFAULT, Audience
from claims.models import Ladder, Wave


class LadderForm(RowForm[Ladder]):
    """Of a bot of the organization, or of all others; one each."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        bot = cleaned.get("bot")
        organization = cleaned.get("organization")
        if bot and organization and bot.organization_id != organization.pk:
            self.add_error("bot", "It belongs to another organization.")
        if organization and not bot and self._has_one(organization.pk):
            self.add_error("bot", "The organization has a ladder of all other bots already.")
        row = Ladder(**{name: cleaned[name] for name in self.SPANS if name in cleaned})
        for fault in ladder.faults(ladders.pure(row, DEFAULT.waves)):
            self.add_error(fault.pointer.removeprefix("/"), f"It {fault.detail}.")
        return cleaned

    SPANS = ("repeats", "repeat_every", "alarm", "claim_lease")

    def _has_one(self, organization_id: int) -> bool:
        others = Ladder.objects.filter(organization=organization_id, bot=None)
        return others.exclude(pk=self.instance.pk).exists()


class WaveForm(RowForm[Wave]):
    """A new ladder starts with the waves that are built in: what is not changed is kept, too."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if {"after", "audience", "role"} <= cleaned.keys():
            for fault in ladder.faults_of_wave(_wave(cleaned)):
                self.add_error(fault.pointer.removeprefix("/"), f"It {fault.detail}.")
        return cleaned

    def has_changed(self) -> bool:
        return bool(super().has_changed() or (self.instance._state.adding and self.initial))


class WaveFormSet(RowFormSet[Wave, Ladder, "forms.ModelForm[Any]"]):
    """All waves together make a ladder, or do not."""

    def clean(self) -> None:
        super().clean()
        kept = [form for form in self.forms if form.cleaned_data and not _is_deleted(form)]
        if any(form.errors for form in kept):
            return  # They are said where they are.
        waves = tuple(_wave(form.cleaned_data) for form in kept)
        problems = []
        for fault in ladder.faults(replace(DEFAULT, waves=waves)):
            match fault.pointer.split("/")[1:]:
                case ["waves", number, field]:
                    kept[int(number)].add_error(field, f"It {fault.detail}.")
                case _:
                    problems.append(f"There {fault.detail}.")
        self._refuse_roles_of_others(kept)
        if problems:
            raise forms.ValidationError(problems)

    def _refuse_roles_of_others(self, kept: Sequence[ModelForm[Any]]) -> None:
        for form in kept:
            role = form.cleaned_data.get("role")
            if role and role.organization_id != self.instance.organization_id:
                form.add_error("role", "It belongs to another organization.")


def _is_deleted(form: ModelForm[Any]) -> bool:
    return bool(form.cleaned_data.get("DELETE"))


def _wave(cleaned: Mapping[str, Any]) -> ladder.Wave:
    role = cleaned.get("role")
    return ladder.Wave(
        cleaned["after"], Audience(cleaned["audience"]), role.pk if role is not None else None
    )


class WaveInline(ScopedInline[Wave, Ladder]):
    model = Wave
    form = WaveForm
    formset = WaveFormSet
    organization_path = "ladder__organization"
    fields = ("after", "audience", "role")
    ordering = ("after",)
    verbose_name_plural = "Waves: who is told, and how long after the customer began to wait"
    hide_title = True

    def get_extra(self, request: HttpRequest, obj: Ladder | None = None, **kwargs: Any) -> int:
        return 0 if obj else len(DEFAULT.waves)


@admin.register(Ladder)
class LadderAdmin(OrganizationScopedAdmin[Ladder]):
    organization_path = "organization"
    form = LadderForm
    list_display = ("of_whom", "organization", "waves_in_words", "then", "lease")
    list_select_related = ("organization", "bot")
    list_filter = (organization_filter(),)
    search_fields = ("bot__name", "bot__external_id")
    ordering = ("organization__name", "bot__name")
    autocomplete_fields = ("organization", "bot")
    fixed_fields = ("organization", "bot")
    inlines = (WaveInline,)
    fieldsets = (
        (None, {"fields": (("organization", "bot"),)}),
        ("After the last of the waves below", {"fields": (("repeats", "repeat_every"), "alarm")}),
        ("When somebody has claimed", {"fields": ("claim_lease",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ladder]:
        return super().get_queryset(request).prefetch_related("waves__role")

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Ladder, inline: Any, prefix: str
    ) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if obj._state.adding:
            kwargs["initial"] = [
                {"after": wave.after, "audience": wave.audience.value} for wave in DEFAULT.waves
            ]
        return kwargs

    @admin.display(description="Ladder", ordering="bot__name")
    def of_whom(self, row: Ladder) -> str:
        return row.bot.name if row.bot else "All other bots"

    @admin.display(description="Waves")
    def waves_in_words(self, row: Ladder) -> str:
        waves = sorted(row.waves.all(), key=lambda wave: wave.after)
        return cells.clipped("; ".join(_words(wave) for wave in waves))

    @admin.display(description="Then")
    def then(self, row: Ladder) -> str:
        again = f"{row.repeats} × every {cells.took(row.repeat_every)}" if row.repeats else "once"
        return f"{again}, then the alarm" if row.alarm else again

    @admin.display(description="An idle claim ends after")
    def lease(self, row: Ladder) -> str:
        return cells.took(row.claim_lease) if row.claim_lease else "never"


def _words(wave: Wave) -> str:
    at = "at once" if not wave.after else f"after {cells.took(wave.after)}"
    text = climbs.whom(wave.audience, wave.role.name if wave.role else "")
    return f"{at}: {text[:1].lower()}{text[1:]}"
