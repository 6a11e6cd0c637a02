"""Memberships: what a person set in an organization is changed by one request at a time."""

from __future__ import annotations

from channels_app.models import Membership


def lock(membership: Membership) -> None:
    """Let nobody else change this member's settings until the transaction ends.

    Nor release what is held for them: whoever does that has the same lock (`holds`).

    Raises:
        Membership.DoesNotExist: it ended in this moment.
    """
    Membership.objects.select_for_update(no_key=True).only("pk").get(pk=membership.pk)
