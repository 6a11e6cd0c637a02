"""Policies: what an organization's operators set for all of its members."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from channels_app.event_types import Channel
from channels_app.levels import Level
from channels_app.models import ChannelPolicy, Organization, TypePolicy
from channels_app.routing import Policy


def of(organization_id: int) -> Policy:
    """What is set; whatever is not in it is as for everybody."""
    channels = ChannelPolicy.objects.filter(organization=organization_id, enabled=False)
    types = TypePolicy.objects.filter(organization=organization_id)
    return Policy(
        channels_off=frozenset(channels.values_list("channel", flat=True)),
        levels={row.event_type: Level(row.level) for row in types},
    )


def arrange(
    *,
    organization_id: int,
    channels: Mapping[Channel, bool],
    levels: Mapping[str, Level | None],
) -> None:
    """Turn these channels on or off, and set these types' levels; None: as by default.

    What is not named stays. It counts from the next event on, and for what is held when its time
    comes.

    Raises:
        Organization.DoesNotExist
    """
    with transaction.atomic():
        # One operator at a time: each sees what the other made.
        Organization.objects.select_for_update(no_key=True).only("pk").get(pk=organization_id)
        for channel, enabled in channels.items():
            ChannelPolicy.objects.update_or_create(
                organization_id=organization_id,
                channel=channel.value,
                defaults={"enabled": enabled},
            )
        unset = [name for name, level in levels.items() if level is None]
        TypePolicy.objects.filter(organization=organization_id, event_type__in=unset).delete()
        for name, level in levels.items():
            if level is not None:
                TypePolicy.objects.update_or_create(
                    organization_id=organization_id, event_type=name, defaults={"level": level}
                )
