"""Waves: the event by which a rung of the ladder tells those whom it is for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from channels_app import access, audience, events
from channels_app.audience import Concern
from channels_app.models import Role
from claims import outbound
from claims.ladder import Audience, Rung
from claims.models import Conversation

STILL_WAITING = "conversation.still_waiting"
ALARM = "conversation.unanswered_alarm"
# Where the platform's own call is not to be found any more.
ASKED = "conversation.human_requested"


@dataclass(frozen=True, slots=True)
class Call:
    """A customer's call that nobody has answered.

    Attributes:
        conversation: its bot is loaded.
        type: that of the platform's event, the last of them.
        data: its data; None: it is not there any more.
        unreached: the last rung was routed, and rang nowhere.
    """

    conversation: Conversation
    type: str
    data: Mapping[str, Any] | None
    unreached: bool

    def waited_seconds(self, now: datetime) -> int:
        since = self.conversation.waiting_since or now
        return max(0, round((now - since).total_seconds()))


@dataclass(frozen=True, slots=True)
class People:
    """Who may be told of some bots by name, whatever they subscribe to."""

    responders: Mapping[int, frozenset[int]]
    """Memberships, by bot."""
    roles: Mapping[int, frozenset[int]]
    """Memberships, by role."""
    operators: Mapping[int, frozenset[int]]
    """Memberships, by organization."""
    role_names: Mapping[int, str] = field(default_factory=dict)

    def of(self, rung: Rung, conversation: Conversation) -> frozenset[int] | None:
        """Whom a rung names; None: nobody, it is for whoever follows the bot."""
        may_respond = self.responders.get(conversation.bot_id, frozenset())
        match rung.wave.audience:
            case Audience.OPERATORS:
                return self.operators.get(conversation.organization_id, frozenset())
            case Audience.RESPONDERS:
                return may_respond
            case Audience.ROLE:
                return may_respond & self.roles.get(rung.wave.role_id or 0, frozenset())
        return None


def people(calls: Sequence[Call], *, roles: Collection[int]) -> People:
    """Those whom the rungs of these calls may name, by a constant number of queries."""
    organizations = {call.conversation.bot_id: call.conversation.organization_id for call in calls}
    held = list(
        Role.objects.filter(pk__in=roles).values_list("pk", "name", "group__user__memberships")
    )
    return People(
        responders=responders(organizations),
        roles=gathered((role_id, membership_id) for role_id, _, membership_id in held),
        operators=operators(organizations.values()),
        role_names={role_id: name for role_id, name, _ in held},
    )


def responders(organizations: Mapping[int, int]) -> dict[int, frozenset[int]]:
    """The active members who may answer a bot's customers, by bot.

    Args:
        organizations: those of the bots, by bot.
    """
    concerns = [
        Concern(type=ASKED, organization_id=organization_id, source_id=bot_id)
        for bot_id, organization_id in organizations.items()
    ]
    found = audience.gather(concerns).members
    return {
        bot_id: frozenset(
            member.membership_id
            for member in found.get(bot_id, ())
            if member.permitted and member.active
        )
        for bot_id in organizations
    }


def operators(organization_ids: Iterable[int]) -> dict[int, frozenset[int]]:
    """The memberships of operators, by organization."""
    found = access.operators(frozenset(organization_ids))
    return gathered(found.values_list("organization", "pk"))


def gathered(pairs: Iterable[tuple[int, int]]) -> dict[int, frozenset[int]]:
    """Those of each owner, of pairs of an owner and one of theirs."""
    members: dict[int, set[int]] = defaultdict(set)
    for owner, member in pairs:
        members[owner].add(member)
    return {owner: frozenset(found) for owner, found in members.items()}


def tell(
    call: Call,
    rung: Rung,
    *,
    number: int,
    to: People,
    reason: str,
    now: datetime,
) -> bool:
    """Publish the event of a rung; answer whether there is anybody whom it might reach.

    A rung that names nobody is written down as well: that there was nobody is worth knowing.

    Args:
        number: of the rung, from 1 on; each is rung once in a round.
        reason: `wave`; or `released` or `lapsed`, which began the round.
    """
    members = to.of(rung, call.conversation)
    facts: dict[str, Any] = {}
    if rung.wave.audience is Audience.OPERATORS:
        type, data = ALARM, _alarm(call)
    else:
        type, data = STILL_WAITING, {**_asked(call), "reason": reason}
        facts["as"] = call.type
    if rung.wave.audience is Audience.AWAKE:
        facts["awake"] = True
    data["waited_seconds"] = call.waited_seconds(now)
    data["wave"] = _words(rung, number, to)
    named = {} if members is None else {"members": sorted(members)}
    _publish(call.conversation, type, data, {**facts, **named}, number=number, now=now)
    if rung.alarm:
        outbound.enqueue(
            organization_id=call.conversation.organization_id,
            type=ALARM,
            data={**data, "epoch": call.conversation.epoch},
            now=now,
        )
    return members is None or bool(members)


def _publish(
    conversation: Conversation,
    type: str,
    data: Mapping[str, Any],
    facts: Mapping[str, Any],
    *,
    number: int,
    now: datetime,
) -> None:
    events.publish(
        organization_id=conversation.organization_id,
        connection_id=None,
        webhook_id=f"wave-{conversation.pk}-{conversation.epoch}-{number}",
        type=type,
        payload={"type": type, "timestamp": now.isoformat(), "data": data},
        occurred_at=now,
        now=now,
        source_id=conversation.bot_id,
        subject=conversation.external_id,
        facts={"conversation": conversation.pk, "epoch": conversation.epoch, **facts},
    )


def _asked(call: Call) -> dict[str, Any]:
    """What the platform's event said, as far as it is still there."""
    return dict(call.data) if call.data is not None else _parties(call.conversation)


def _alarm(call: Call) -> dict[str, Any]:
    said = (call.data or {}).get("message", "")
    return {**_parties(call.conversation), "message": said}


def _parties(conversation: Conversation) -> dict[str, Any]:
    """Bot and customer, as they are known."""
    bot = conversation.bot
    named: dict[str, Any] = {"id": conversation.external_id}
    if conversation.customer_id:
        named["customer"] = {"id": conversation.customer_id, "name": conversation.customer_name}
    return {"bot": {"id": bot.external_id, "name": bot.name}, "conversation": named}


def _words(rung: Rung, number: int, to: People) -> dict[str, Any]:
    """The rung, for whoever reads the conversation's history."""
    words: dict[str, Any] = {"number": number, "audience": rung.wave.audience.value}
    if rung.wave.role_id is not None:
        words["role"] = to.role_names.get(rung.wave.role_id, "")
    return words
