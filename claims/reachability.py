"""Reachability: who could be told if a customer of a bot called for a human, and why not the rest.

*Now* is what the rules say of this moment: whoever is snoozed is not told now. *Able* is who would
be told at some hour, by the call itself or by a wave of the ladder: they hold `chatbot.respond`,
have a living device that may show banners, and subscribe to the bot or are sought out by a wave.
Where nobody is, the operators are alarmed (`unreachable`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from channels_app import why
from channels_app.event_types import Channel
from channels_app.models import Bot, ChannelPolicy, Membership, Organization, Role
from channels_app.routing import Candidate, Outcome
from channels_app.why import Answer
from claims import ladders
from claims.ladder import Ladder, seeks_out
from claims.models import Unreachable
from claims.waves import ASKED, gathered


@dataclass(frozen=True, slots=True)
class Person:
    """One of those whom a bot's calls concern.

    Attributes:
        membership: its `user` is loaded.
        told: a call of this moment would be pushed to them.
        able: one would be at some hour.
        answer: what would be decided, in the active language.
    """

    membership: Membership
    told: bool
    able: bool
    answer: Answer


@dataclass(frozen=True, slots=True)
class Reachability:
    """Who could be told of a bot's customers.

    Attributes:
        people: those who would be told first, then those who are able, then the rest.
        off: operators turned the channel off; nobody is to be told.
        unreachable_since: nobody is able, as the operators have been told.
    """

    bot: Bot
    people: tuple[Person, ...]
    off: bool
    unreachable_since: datetime | None

    @property
    def told(self) -> int:
        return sum(person.told for person in self.people)

    @property
    def able(self) -> int:
        return sum(person.able for person in self.people)


def of_bot(bot: Bot, *, organization: Organization, now: datetime) -> Reachability:
    """Rehearse a call of this moment for everyone whom it concerns, by a constant number of queries

    Args:
        organization: that of the bot.
    """
    rehearsals = why.rehearse_for_everyone(bot=bot, organization=organization, type=ASKED, now=now)
    climbs = ladders.of_bots({bot.pk: organization.pk})[bot.pk]
    roles = _roles(organization)
    people = [
        Person(
            membership=one.membership,
            told=one.answer.outcome is Outcome.PUSHED,
            able=is_able(one.candidate, climbs, roles.get(one.membership.user_id, frozenset())),
            answer=one.answer,
        )
        for one in rehearsals
    ]
    return Reachability(
        bot=bot,
        people=tuple(sorted(people, key=_standing)),
        off=ChannelPolicy.objects.filter(
            organization=organization, channel=Channel.ESCALATION, enabled=False
        ).exists(),
        unreachable_since=Unreachable.objects.filter(bot=bot)
        .values_list("since", flat=True)
        .first(),
    )


def is_able(candidate: Candidate, ladder: Ladder, role_ids: Collection[int]) -> bool:
    """Whether somebody who has these roles could be told at some hour."""
    return (
        candidate.active
        and candidate.permitted
        and any(device.allowed for device in candidate.devices)
        and (candidate.subscribed or seeks_out(ladder, role_ids))
    )


def _roles(organization: Organization) -> dict[int, frozenset[int]]:
    """The roles that an organization's people have, by user."""
    held = Role.objects.filter(organization=organization, group__user__isnull=False)
    return gathered(held.values_list("group__user", "pk"))


def _standing(person: Person) -> tuple[bool, bool, str]:
    return (not person.told, not person.able, person.answer.person.casefold())
