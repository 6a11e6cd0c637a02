"""Preferences: how loudly a member wants to hear of what, and what the channels may do.

A member's word is for a type of event, from one source or from all, and for a channel. What they
have not set is as the operators have it, or else as it is for everyone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict, Unpack

from django.db import transaction

from channels_app import holds
from channels_app.event_types import CATALOGUE, Channel, EventType, Subject
from channels_app.levels import Level
from channels_app.models import (
    ChannelPolicy,
    ChannelPreference,
    Membership,
    Preference,
    Source,
    TypePolicy,
)
from channels_app.routing import Policy

CHANNELS = (Channel.ESCALATION, Channel.AUTO_UPDATE, Channel.WORKFLOW)
# What members are told of, and may set: all but what only changes a state.
SETTABLE: Mapping[str, EventType] = {
    name: row for name, row in CATALOGUE.items() if row.channel in CHANNELS
}


class OnlyEscalations(Exception):
    """Nothing else can be critical."""


@dataclass(frozen=True, slots=True)
class ChannelSetting:
    """A channel, as the operators and a member have it."""

    channel: Channel
    enabled: bool = True
    """The operators' word: off, nobody is told anything of it."""
    overrides: bool | None = None
    """The member's: whether it breaks through quiet hours. None: as the channel does."""
    phone_only: bool = False

    @property
    def breaks_through(self) -> bool:
        """Whether it does break through, as `routing.decide` has it."""
        return self.channel is Channel.ESCALATION if self.overrides is None else self.overrides


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a member and their operators have set about levels and channels."""

    policy: Policy
    levels: Mapping[tuple[str, int | None], Level]
    """The member's, by type and source (None: whatever the source)."""
    channels: Mapping[Channel, ChannelSetting]

    @property
    def source_ids(self) -> set[int]:
        """The sources of which the member set any type."""
        return {source_id for _, source_id in self.levels if source_id is not None}


class ChannelChanges(TypedDict, total=False):
    """What a member may change of a channel; what is not there stays."""

    overrides_quiet_hours: bool | None
    phone_only: bool


def kind(row: EventType) -> Source.Kind:
    """What sends events of this type."""
    return Source.Kind.WORKFLOW if row.subject is Subject.RUN else Source.Kind.BOT


def levels(row: EventType) -> tuple[Level, ...]:
    """What a member may choose from."""
    escalation = row.channel is Channel.ESCALATION
    return tuple(level for level in Level if escalation or level is not Level.CRITICAL)


def load(membership: Membership) -> Settings:
    """What is set now, by four queries."""
    off = ChannelPolicy.objects.filter(organization=membership.organization_id, enabled=False)
    for_all = TypePolicy.objects.filter(organization=membership.organization_id)
    own = Preference.objects.filter(membership=membership.pk)
    channels_off = frozenset(off.values_list("channel", flat=True))
    return Settings(
        policy=Policy(
            channels_off=channels_off,
            levels={row.event_type: Level(row.level) for row in for_all},
        ),
        levels={(row.event_type, row.source_id): Level(row.level) for row in own},
        channels=_channels(membership, channels_off),
    )


def set_level(
    *, membership: Membership, row: EventType, source: Source | None, level: Level
) -> None:
    """Set a member's level for a type of event: from a source of its kind, or from all.

    Raises:
        OnlyEscalations: it is critical, and this type is no escalation.
    """
    if level not in levels(row):
        raise OnlyEscalations(row.name)
    Preference.objects.update_or_create(
        membership=membership, event_type=row.name, source=source, defaults={"level": level.value}
    )


def reset_level(*, membership: Membership, row: EventType, source: Source | None) -> None:
    """Take a member's word for a type of event back."""
    Preference.objects.filter(membership=membership.pk, event_type=row.name, source=source).delete()


def set_channel(
    *,
    membership: Membership,
    channel: Channel,
    now: datetime,
    **changes: Unpack[ChannelChanges],
) -> None:
    """Change what a channel may do. Who lets it break through hears at once of what was held."""
    with transaction.atomic():
        ChannelPreference.objects.update_or_create(
            membership=membership, channel=channel.value, defaults=changes
        )
        if "overrides_quiet_hours" in changes:
            holds.reconsider(membership_ids=[membership.pk], now=now)


def _channels(
    membership: Membership, channels_off: Collection[str]
) -> Mapping[Channel, ChannelSetting]:
    own = {row.channel: row for row in ChannelPreference.objects.filter(membership=membership.pk)}
    return {
        channel: ChannelSetting(
            channel=channel,
            enabled=channel not in channels_off,
            overrides=own[channel].overrides_quiet_hours if channel in own else None,
            phone_only=channel in own and own[channel].phone_only,
        )
        for channel in CHANNELS
    }
