"""The part of an organization's page that sets channels and types for all of its members."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.html import format_html

from channels_app import policies, preferences
from channels_app.admin import words
from channels_app.admin.unfolded import OneChoice, RowForm, Switch
from channels_app.event_types import Channel, EventType
from channels_app.levels import Level
from channels_app.models import Organization
from channels_app.models.rules import CHANNELS
from channels_app.preferences import SETTABLE
from channels_app.routing import Policy
from channels_app.type_names import type_name
from channels_app.why.places import CHANNEL_FIELD, TYPE_FIELD

NAMES = dict(CHANNELS)


def channel_field(channel: str) -> str:
    return f"{CHANNEL_FIELD}{channel}"


def type_field(event_type: str) -> str:
    return f"{TYPE_FIELD}{event_type}"


def rows_of(channel: Channel) -> list[EventType]:
    """The types of a channel, in the order of the reference page."""
    return [row for row in SETTABLE.values() if row.channel is channel]


class PoliciesForm(RowForm[Organization]):
    """An organization with a switch for each channel and a level for each type of event."""

    class Meta:
        model = Organization
        fields = ("name", "claim_window", "banners_per_minute", "privacy")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        policy = policies.of(self.instance.pk)
        for channel in preferences.CHANNELS:
            self.fields[channel_field(channel)] = _switch(channel)
            self.initial[channel_field(channel)] = channel not in policy.channels_off
            for row in rows_of(channel):
                self.fields[type_field(row.name)] = _level(row, policy)
                self.initial[type_field(row.name)] = policy.levels.get(row.name, "")

    def arrange(self) -> None:
        """Keep what was set of channels and types, as far as it was changed."""
        chosen = self.cleaned_data
        policies.arrange(
            organization_id=self.instance.pk,
            channels={
                channel: chosen[channel_field(channel)]
                for channel in preferences.CHANNELS
                if channel_field(channel) in self.changed_data
            },
            levels={
                name: Level(chosen[type_field(name)]) if chosen[type_field(name)] else None
                for name in SETTABLE
                if type_field(name) in self.changed_data
            },
        )


def fieldsets() -> Iterable[tuple[str, dict[str, Any]]]:
    """One for each channel: its switch, then its types."""
    for channel in preferences.CHANNELS:
        fields = [type_field(row.name) for row in rows_of(channel)]
        yield (
            f"Channel: {NAMES[channel]}",
            {"fields": (channel_field(channel), *_pairs(fields))},
        )


def _pairs(names: list[str]) -> list[tuple[str, ...]]:
    return [tuple(names[at : at + 2]) for at in range(0, len(names), 2)]


def _switch(channel: Channel) -> forms.BooleanField:
    return forms.BooleanField(
        required=False,
        label="On",
        help_text="Off: nobody in the organization is told anything of it.",
        widget=Switch(),
    )


def _level(row: EventType, policy: Policy) -> forms.ChoiceField:
    return forms.ChoiceField(
        required=False,
        label=type_name(row.name),
        choices=[
            ("", f"As by default: {default(row)}"),
            *((level.value, words.LEVELS[level].label) for level in preferences.levels(row)),
        ],
        help_text=format_html("<code>{}</code>. {}", row.name, _in_effect(row, policy)),
        widget=OneChoice(),
    )


def default(row: EventType) -> str:
    """The level of the catalogue, in words."""
    usual = words.LEVELS[row.level].label.lower()
    if row.failure_level is None:
        return usual
    return f"{usual}; a failure {words.LEVELS[row.failure_level].label.lower()}"


def _in_effect(row: EventType, policy: Policy) -> str:
    """What it comes to for a member who has set nothing."""
    if row.channel in policy.channels_off:
        return "In effect: nothing, the channel is off."
    level = policy.levels.get(row.name)
    if level is None:
        return f"In effect, unless members set their own: {default(row)}."
    now = words.LEVELS[level].label.lower()
    return f"By default: {default(row)}. In effect, unless members set their own: {now}."
