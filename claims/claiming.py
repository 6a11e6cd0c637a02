"""One agent holds a conversation: claim, and what ends a claim.

waiting -> claimed -> waiting (released, lapsed) | with_bot (handed back) | resolved. Each change is
one conditional UPDATE: whoever's finds no row came too late, and is told who was first. Who asks
again for what they did themselves gets the same answer again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import Error, transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest

from channels_app.models import Membership
from channels_app.outages import is_outage
from claims import ladders
from claims.announcing import Agent, announce, holder
from claims.ladder_terms import lease_until
from claims.models import Conversation

log = structlog.get_logger(__name__)

State = Conversation.State

# It may change between the look at how it stands and the UPDATE: then it is looked at again.
TRIES = 5


class Conflict(Exception):
    """The conversation does not stand as it would have to.

    Attributes:
        conversation: how it stands; its bot and its holder are loaded.
        superseded: the call that was answered is of an earlier round.
    """

    def __init__(self, conversation: Conversation, *, superseded: bool = False) -> None:
        super().__init__(f"{conversation} is {conversation.state}")
        self.conversation = conversation
        self.superseded = superseded

    @property
    def holder(self) -> Agent | None:
        """Who holds it."""
        return holder(self.conversation)

    @property
    def since(self) -> datetime:
        """Since when it stands as it does."""
        row = self.conversation
        waits = row.state == State.WAITING
        found = row.claimed_at or (row.waiting_since if waits else row.left_at)
        return found or row.changed_at


@dataclass(frozen=True, slots=True)
class Leave:
    """A way to end a claim. `ends`: nobody is waited for any more."""

    type: str
    state: Conversation.State
    ends: bool = True


RELEASE = Leave("conversation.released", State.WAITING, ends=False)
HAND_BACK = Leave("conversation.handed_back", State.WITH_BOT)
RESOLVE = Leave("conversation.resolved", State.RESOLVED)

NOBODY: dict[str, Any] = {
    "holder": None,
    "holder_external_id": "",
    "holder_name": "",
    "claimed_at": None,
    "lease_until": None,
}


def claim(
    *,
    conversation_id: int,
    membership: Membership,
    now: datetime,
    epoch: int | None = None,
    tapped: UUID | None = None,
) -> Conversation:
    """Give a waiting conversation to a member: to the first who asks, and to nobody else.

    To ask again for what one holds is a sign of life: its lease begins anew.

    Args:
        membership: its user is loaded; may respond to the bot's customers.
        epoch: the round that was answered; None: whichever it is.
        tapped: the installation whose button was used, and whose banner is left alone.

    Raises:
        Conflict: somebody else has it, nobody waits, or it waits in another round.
    """
    for _ in range(TRIES):
        row = read(conversation_id)
        own = row.state == State.CLAIMED and row.holder_id == membership.pk
        if epoch not in (None, row.epoch) or not (own or row.state == State.WAITING):
            break
        until = lease_until(organization_id=row.organization_id, bot_id=row.bot_id, now=now)
        with transaction.atomic():
            if own and _renew(row.pk, membership, epoch=row.epoch, until=until):
                return read(row.pk)
            if not own and _take(row.pk, membership, epoch=row.epoch, until=until, now=now):
                row = read(row.pk)
                _announce_claim(row, membership, tapped=tapped, now=now)
                return row
    raise Conflict(row, superseded=epoch is not None and row.epoch > epoch)


def _take(
    conversation_id: int,
    membership: Membership,
    *,
    epoch: int,
    until: datetime | None,
    now: datetime,
) -> bool:
    waiting = Conversation.objects.filter(pk=conversation_id, epoch=epoch, state=State.WAITING)
    taken = waiting.update(
        state=State.CLAIMED,
        holder=membership,
        # Only whom the platform reported has an external id here (`reports`).
        holder_external_id="",
        holder_name=Agent.of(membership).name[:200],
        claimed_at=now,
        lease_until=until,
        next_wave_at=None,
        changed_at=Greatest(F("changed_at"), now),
    )
    return taken == 1


def _renew(
    conversation_id: int, membership: Membership, *, epoch: int, until: datetime | None
) -> bool:
    own = Conversation.objects.filter(
        pk=conversation_id, epoch=epoch, state=State.CLAIMED, holder=membership
    )
    return own.update(lease_until=until) == 1


def _announce_claim(
    row: Conversation, membership: Membership, *, tapped: UUID | None, now: datetime
) -> None:
    facts = {"holder": membership.pk, **({"tapped": str(tapped)} if tapped else {})}
    agent = Agent.of(membership)
    announce(row, type="conversation.claimed", agent=agent, now=now, facts=facts)


def release(
    *, conversation_id: int, membership: Membership, operator: bool, now: datetime
) -> Conversation:
    """Put a conversation back into the pool: another round, and whoever follows the bot is called.

    By its holder; by an operator for whoever holds it.

    Raises:
        Conflict: it is not theirs, or nobody holds it.
    """
    return _leave(RELEASE, conversation_id, membership, operator=operator, now=now)


def hand_back(
    *, conversation_id: int, membership: Membership, operator: bool, now: datetime
) -> Conversation:
    """Let the bot talk again. By the holder; by an operator even while nobody holds it.

    Raises:
        Conflict: it is not theirs, or it is over.
    """
    return _leave(HAND_BACK, conversation_id, membership, operator=operator, now=now)


def resolve(
    *, conversation_id: int, membership: Membership, operator: bool, now: datetime
) -> Conversation:
    """End it. By the holder; by an operator even while nobody holds it.

    Raises:
        Conflict: it is not theirs, or it is over.
    """
    return _leave(RESOLVE, conversation_id, membership, operator=operator, now=now)


def lapse(*, now: datetime, limit: int) -> int:
    """Put claims that nobody used for so long back into the pool; answer how many were due.

    A chore: several workers may do it at once, and one that dies leaves the rest to the next.
    """
    due = Conversation.objects.filter(state=State.CLAIMED, lease_until__lte=now)
    found = list(due.order_by("lease_until").values_list("pk", flat=True)[:limit])
    for conversation_id in found:
        try:
            with transaction.atomic():
                _lapse(conversation_id, now=now)
        except Exception as error:
            # One that fails keeps no other customer waiting; the next sweep tries it again.
            if isinstance(error, Error) and is_outage(error):
                raise
            log.exception("lapse.failed", conversation=conversation_id)
    return len(found)


def _lapse(conversation_id: int, *, now: datetime) -> None:
    """The holder did not mean it: for them it is as if they had released it.

    What another worker has in hand, and what was used in this moment, is left alone.
    """
    idle = Conversation.objects.filter(
        pk=conversation_id, state=State.CLAIMED, lease_until__lte=now
    ).select_related("bot", "holder__user")
    row = idle.select_for_update(skip_locked=True, of=("self",), no_key=True).first()
    if row is None:
        return
    agent = holder(row)
    Conversation.objects.filter(pk=row.pk).update(**_left(RELEASE, row.holder, now=now))
    announce(
        read(row.pk),
        type=RELEASE.type,
        agent=agent,
        now=now,
        data={"reason": "lapsed"},
    )
    ladders.climb_these([row.pk], now=now, reason="lapsed")


def _leave(
    leave: Leave, conversation_id: int, membership: Membership, *, operator: bool, now: datetime
) -> Conversation:
    allowed = Q(state=State.CLAIMED) if operator else Q(state=State.CLAIMED, holder=membership)
    if operator and leave.ends:
        allowed |= Q(state=State.WAITING)

    with transaction.atomic():
        left = Conversation.objects.filter(allowed, pk=conversation_id).update(
            **_left(leave, membership, now=now)
        )
        row = read(conversation_id)
        if left:
            announce(row, type=leave.type, agent=Agent.of(membership), now=now)
            if not leave.ends:
                ladders.climb_these([row.pk], now=now)
                row = read(conversation_id)
    if left or (row.state == leave.state and row.left_by_id == membership.pk):
        return row
    raise Conflict(row)


def _left(leave: Leave, by: Membership | None, *, now: datetime) -> dict[str, Any]:
    """The columns of a conversation that somebody leaves."""
    pool: dict[str, Any] = {
        "epoch": F("epoch") + 1,
        "wave": 0,
        "waiting_since": now,
        "next_wave_at": now,
    }
    return {
        **NOBODY,
        "state": leave.state,
        "left_at": now,
        "left_by": by,
        "changed_at": Greatest(F("changed_at"), now),
        **({"next_wave_at": None} if leave.ends else pool),
    }


def read(conversation_id: int) -> Conversation:
    """A conversation with its bot and its holder.

    Raises:
        Conversation.DoesNotExist
    """
    return Conversation.objects.select_related("bot", "holder__user").get(pk=conversation_id)
