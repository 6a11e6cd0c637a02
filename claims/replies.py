"""What the holder of a conversation answers the customer: it goes out by the platform."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from channels_app.events import AlreadyReceived
from channels_app.models import Event, Membership
from claims.announcing import Agent, announce, webhook_id
from claims.claiming import Conflict, read
from claims.ladder_terms import lease_until
from claims.models import Conversation, Endpoint

TYPE = "conversation.reply"


class Unheard(Exception):
    """The platform of the organization has no endpoint that takes what is to be said."""


def reply(
    *,
    conversation_id: int,
    membership: Membership,
    text: str,
    reply_id: UUID,
    now: datetime,
) -> int:
    """Let the platform say this to the customer; answer the event's id. The lease begins anew.

    Args:
        membership: its user is loaded.
        reply_id: chosen by the app: the same again is said once.

    Raises:
        Conflict: the member does not hold the conversation.
        Unheard
    """
    before = read(conversation_id)
    if (said := _said(before, reply_id)) is not None:
        return said
    until = lease_until(organization_id=before.organization_id, bot_id=before.bot_id, now=now)
    held = Conversation.objects.filter(
        pk=conversation_id, state=Conversation.State.CLAIMED, holder=membership
    )
    try:
        with transaction.atomic():
            if not held.update(lease_until=until):
                raise Conflict(read(conversation_id))
            if not _is_heard(before.organization_id):
                raise Unheard
            return announce(
                read(conversation_id),
                type=TYPE,
                agent=Agent.of(membership),
                now=now,
                once=str(reply_id),
                data={"message": text, "reply_id": str(reply_id)},
            )
    except AlreadyReceived as twice:
        return twice.event_id


def _said(conversation: Conversation, reply_id: UUID) -> int | None:
    """The event of this reply, if there is one: it stays said, whoever holds the conversation."""
    own = Event.objects.filter(
        organization=conversation.organization_id,
        connection=None,
        webhook_id=webhook_id(TYPE, conversation.pk, str(reply_id)),
    )
    return own.values_list("pk", flat=True).first()


def _is_heard(organization_id: int) -> bool:
    return Endpoint.objects.filter(
        connection__organization=organization_id,
        connection__active=True,
        enabled=True,
        disabled_at=None,
    ).exists()
