"""What a member set: subscriptions, levels, channels, quiet hours, snoozes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Field
from django.http import HttpRequest
from django.utils import timezone

from channels_app import quiet_hours, snoozes
from channels_app.admin.base import ScopedInline
from channels_app.admin.quiet_words import DAYS
from channels_app.admin.unfolded import Checkboxes, OneChoice, RowForm, RowFormSet
from channels_app.levels import Level
from channels_app.models import (
    ChannelPreference,
    Membership,
    Preference,
    QuietWindow,
    Snooze,
    Subscription,
)
from channels_app.preferences import SETTABLE, levels
from channels_app.quiet_hours import Schedule, Window
from channels_app.type_names import type_name

TYPES = [(row.name, f"{row.name} ({type_name(row.name)})") for row in SETTABLE.values()]


class SameOrganization(RowFormSet[Any, Membership, "forms.ModelForm[Any]"]):
    """A bot or workflow of another organization is refused, whoever chooses it."""

    def clean(self) -> None:
        super().clean()
        for form in self.kept():
            source = form.cleaned_data.get("source")
            if source and source.organization_id != self.instance.organization_id:
                raise ValidationError(f"{source} belongs to another organization.")

    def kept(self) -> Iterable[forms.ModelForm[Any]]:
        """The rows that will be there, as far as they are valid."""
        return [
            form
            for form in self.forms
            if form.is_valid() and form.cleaned_data and not form.cleaned_data.get("DELETE")
        ]


class OncePerType(SameOrganization):
    """One level for each type and source; PostgreSQL holds two empty sources to be the same."""

    def clean(self) -> None:
        super().clean()
        seen = set()
        for form in self.kept():
            chosen = form.cleaned_data["event_type"], form.cleaned_data["source"]
            if chosen in seen:
                form.add_error("event_type", "It is set twice, for the same source.")
            seen.add(chosen)


class PreferenceForm(RowForm[Preference]):
    """Only an escalation can be critical, and only what a source sends can be set for it."""

    event_type = forms.ChoiceField(choices=TYPES, widget=OneChoice())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        row = SETTABLE.get(cleaned.get("event_type", ""))
        level = cleaned.get("level")
        if row is not None and level and Level(level) not in levels(row):
            self.add_error("level", "Only escalations can be critical.")
        return cleaned


class SnoozeForm(RowForm[Snooze]):
    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("subject") and not cleaned.get("source"):
            self.add_error("subject", "It needs the bot or workflow whose it is.")
        until = cleaned.get("until")
        if until and "until" in self.changed_data:
            now = timezone.now()
            if not now < until <= now + snoozes.LONGEST:
                days = snoozes.LONGEST.days
                self.add_error("until", f"It must be in the future, and within {days} days.")
        return cleaned


class QuietWindowForm(RowForm[QuietWindow]):
    """Days to be ticked, and whole minutes."""

    days = forms.TypedMultipleChoiceField(
        choices=[(number, name[:3]) for number, name in enumerate(DAYS, start=1)],
        coerce=int,
        widget=Checkboxes(attrs={"class": "pb-days"}),
        error_messages={"required": "Choose a day at least."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("start", "end"):
            widget = self.fields[name].widget
            assert isinstance(widget, forms.TimeInput)
            widget.format = "%H:%M"


class WholeSchedule(RowFormSet[Any, Membership, "forms.ModelForm[Any]"]):
    """All windows together have to make quiet hours that can be kept."""

    def clean(self) -> None:
        super().clean()
        kept = [form for form in self.forms if form.is_valid() and _stays(form)]
        user = self.instance.user
        faults = quiet_hours.errors(
            Schedule(user.time_zone or "UTC", tuple(_window(form) for form in kept))
        )
        for fault in faults:
            match fault.pointer.split("/")[1:]:
                case ["windows", index, field]:
                    kept[int(index)].add_error(field, f"It {fault.detail}.")
                case _:
                    raise ValidationError(f"{fault.pointer.lstrip('/')} {fault.detail}.")


def _stays(form: forms.ModelForm[QuietWindow]) -> bool:
    chosen = form.cleaned_data
    return bool(chosen) and not chosen.get("DELETE")


def _window(form: forms.ModelForm[QuietWindow]) -> Window:
    chosen = form.cleaned_data
    return Window(days=frozenset(chosen["days"]), start=chosen["start"], end=chosen["end"])


class SettingInline(ScopedInline[Any, Membership]):
    """Rows of a membership."""

    organization_path: ClassVar[str] = "membership__organization"
    per_page = 20
    hide_title = True
    # What it means to choose nothing, by field.
    empty: ClassVar[Mapping[str, str]] = {}

    def formfield_for_choice_field(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name in self.empty:
            kwargs["choices"] = [("", self.empty[db_field.name]), *(db_field.choices or ())]
        return super().formfield_for_choice_field(db_field, request, **kwargs)


class SubscriptionInline(SettingInline):
    model = Subscription
    formset = SameOrganization
    autocomplete_fields = ("source",)
    empty = {"level": "As each event is"}
    verbose_name_plural = "Subscribes to"


class PreferenceInline(SettingInline):
    model = Preference
    form = PreferenceForm
    formset = OncePerType
    autocomplete_fields = ("source",)
    verbose_name_plural = "Own levels (a source left empty means: from all)"


class ChannelPreferenceForm(RowForm[ChannelPreference]):
    overrides_quiet_hours = forms.TypedChoiceField(
        choices=[("", "As usual: escalations only"), ("True", "Yes"), ("False", "No")],
        coerce=lambda chosen: chosen == "True",
        empty_value=None,
        required=False,
        label="Breaks through quiet hours",
        widget=OneChoice(),
    )


class ChannelPreferenceInline(SettingInline):
    model = ChannelPreference
    form = ChannelPreferenceForm
    max_num = 3
    verbose_name_plural = "Channels"


class QuietWindowInline(SettingInline):
    model = QuietWindow
    form = QuietWindowForm
    formset = WholeSchedule
    # All of them at once: what is wrong with a schedule shows only then.
    per_page = quiet_hours.MAXIMUM_WINDOWS
    verbose_name_plural = "Quiet hours, by the member's own clock"


class SnoozeInline(SettingInline):
    model = Snooze
    form = SnoozeForm
    formset = SameOrganization
    autocomplete_fields = ("source",)
    verbose_name_plural = "Snoozes, until (UTC); a source left empty means: everything"


# Changes of these change when things may be told.
OF_TIME = (ChannelPreference, QuietWindow, Snooze)
