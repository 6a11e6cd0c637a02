"""Who may listen, and to what; asked again while they do, for all of them at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db.models import Q
from django.utils.crypto import constant_time_compare
from oauth2_provider.models import AccessToken

from channels_app.api.credentials import Credential
from channels_app.models import BotGroupPermission, BotUserPermission, Membership

_RESPOND = Q(permission__codename="respond", permission__content_type__app_label="chatbot")


@dataclass(frozen=True, slots=True)
class Badge:
    """By what somebody came in: as whom, and with which token or session."""

    organization_id: int
    membership_id: int
    user_id: int
    token_id: int | None = None
    expires_at: datetime | None = None
    session_key: str = ""
    session_hash: str = ""


@dataclass(frozen=True, slots=True)
class Sight:
    """The bots whose conversations somebody sees. None: all of the organization (operators)."""

    bot_ids: frozenset[int] | None

    def shows(self, bot_id: int) -> bool:
        return self.bot_ids is None or bot_id in self.bot_ids


def badge(membership: Membership, credential: object, session: SessionBase) -> Badge:
    """That of a request: `credential` is its `auth`, of a token; else it came by its session."""
    who = (membership.organization_id, membership.pk, membership.user_id)
    if isinstance(credential, Credential):
        return Badge(*who, token_id=credential.token_id, expires_at=credential.expires_at)
    return Badge(
        *who,
        session_key=session.session_key or "",
        session_hash=session.get(HASH_SESSION_KEY, ""),
    )


def sights(badges: Collection[Badge], *, now: datetime) -> dict[Badge, Sight]:
    """What each of them sees; who is not in it may not listen (any more).

    Five queries, however many they are.
    """
    members = Membership.objects.select_related("user").in_bulk(
        {one.membership_id for one in badges}
    )
    tokens = set(
        AccessToken.objects.filter(
            pk__in={one.token_id for one in badges if one.token_id}, expires__gt=now
        ).values_list("pk", flat=True)
    )
    sessions = set(
        Session.objects.filter(
            session_key__in={one.session_key for one in badges if one.session_key},
            expire_date__gt=now,
        ).values_list("session_key", flat=True)
    )
    bots = _bots({one.user_id for one in badges})
    found: dict[Badge, Sight] = {}
    for one in badges:
        member = members.get(one.membership_id)
        if member is None or not _is_let_in(one, member, tokens, sessions, now):
            continue
        if member.user.is_staff:
            found[one] = Sight(None)
        elif own := bots[one.user_id]:
            found[one] = Sight(frozenset(own))
    return found


def _is_let_in(
    one: Badge,
    member: Membership,
    tokens: Collection[int],
    sessions: Collection[str],
    now: datetime,
) -> bool:
    user = member.user
    return (
        member.active
        and user.is_active
        and (one.token_id is None or one.token_id in tokens)
        and (one.expires_at is None or one.expires_at > now)
        # Whoever changes their password ends all other sessions: the hash is of it.
        and (
            not one.session_key
            or one.session_key in sessions
            and constant_time_compare(one.session_hash, user.get_session_auth_hash())
        )
    )


def _bots(user_ids: Iterable[int]) -> defaultdict[int, set[int]]:
    """The bots whose customers each of these people may answer, in whatever organization."""
    users = list(user_ids)
    pairs = [
        *BotUserPermission.objects.filter(_RESPOND, user__in=users).values_list(
            "user_id", "content_object_id"
        ),
        *BotGroupPermission.objects.filter(_RESPOND, group__user__in=users).values_list(
            "group__user", "content_object_id"
        ),
    ]
    found: defaultdict[int, set[int]] = defaultdict(set)
    for user_id, bot_id in pairs:
        found[user_id].add(bot_id)
    return found
