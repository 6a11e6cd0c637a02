"""Who is party to a conversation, as answers name them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from channels_app.api.fields import Body
from claims.models import Conversation


class PartyBody(Body):
    id = serializers.CharField(help_text="The platform's id.")
    name = serializers.CharField(help_text="Empty where the platform gave none.")


class HolderBody(Body):
    user_id = serializers.IntegerField(
        allow_null=True,
        help_text="As `id` in `/api/v1/me/`. null: an agent of the platform who is nobody here.",
    )
    id = serializers.CharField(help_text="The platform's id of them. Empty where there is none.")
    name = serializers.CharField(help_text="Empty where the platform gave none.")


def holder(row: Conversation) -> dict[str, Any] | None:
    """The members of a `HolderBody`; None: nobody holds it. The row's holder is loaded."""
    if row.state != Conversation.State.CLAIMED:
        return None
    if row.holder is None:
        return {"user_id": None, "id": row.holder_external_id, "name": row.holder_name}
    user = row.holder.user
    name = user.get_full_name() or user.username
    return {"user_id": user.pk, "id": row.holder.external_id, "name": name}


def customer(row: Conversation) -> dict[str, str] | None:
    """The members of a `PartyBody`; None: the platform does not say."""
    if not (row.customer_id or row.customer_name):
        return None
    return {"id": row.customer_id, "name": row.customer_name}
