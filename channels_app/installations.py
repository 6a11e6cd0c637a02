"""Installations: where a person's banners go.

An installation is its id and its secret, which the app chose when it first started. Its token is
only its address of today: a push service may give out another, and others may come to know it.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from channels_app import languages, people, push_tokens
from channels_app.models import Delivery, Installation, User
from channels_app.push_tokens import Address

# The namespace of our advisory locks; `crowding` has 1.
LOCKS = 2


class WrongSecret(Exception):
    """The installation exists, and has another secret."""


class TooManyDevices(Exception):
    """The person has as many living devices as one may have."""


class Unregistered(LookupError):
    """The person has no such installation."""


class About(TypedDict, total=False):
    """What an app says of itself and of its device. What it leaves out stays as it is."""

    name: str
    app_version: str
    locale: str
    time_zone: str
    os_permission: str
    critical_allowed: bool


class Changes(About, total=False):
    """What may be changed without registering again: that, and what the person sets."""

    muted_channels: list[str]
    privacy: str


@dataclass(frozen=True, slots=True)
class Registered:
    """What a registration came to; `created`: no installation had this id before."""

    installation: Installation
    created: bool


def register(
    *,
    user: User,
    address: Address,
    now: datetime,
    about: About | None = None,
    installation_id: uuid.UUID | None = None,
    secret: str = "",
) -> Registered:
    """Send this person's banners to an installation from now on, at this address.

    The installation of this id, if it has this secret, is brought up to date: it may have a new
    token, may have been dead, and may have been somebody else's, who is told nothing there any
    more. If there is none, a token of the person's own brings its installation along, under the new
    id: the app was installed anew. Until somebody chose others, the person's language and time zone
    become those of this device.

    Args:
        installation_id: None: that of the installation with this token, or else a new one.
        secret: empty only without an id; an installation without a secret is its owner's alone.

    Raises:
        WrongSecret, TokenTaken, TooManyDevices: nothing was changed.
    """
    about = about or About()
    with transaction.atomic():
        person = _take_turns(user, installation_id)
        _lock(installation_id, push_tokens.present(address), address)
        known = _known(installation_id, secret, person)
        token, holder = push_tokens.take(address, person=person, known=known)
        _check_room(person, beside=(known, holder))
        before = known or holder
        target_id = installation_id or (holder.pk if holder else uuid.uuid4())
        if before is None:
            columns = push_tokens.columns(token, address.platform)
            before = Installation.objects.create(
                pk=target_id, user=person, platform=address.platform, **columns
            )
        elif holder is not None and holder.pk != target_id:
            _give_way(holder, target_id, to=known)
        push_tokens.assign(token, person=person, address=address)
        changes = _changes(before, person, about=about, secret=secret, now=now)
        Installation.objects.filter(pk=target_id).update(
            platform=address.platform, **push_tokens.columns(token, address.platform), **changes
        )
        push_tokens.drop([before], but=token)
        _forget_the_longest_dead(person)
        _introduce(person, about, now=now)
        return Registered(Installation.objects.get(pk=target_id), created=known is None)


def change(*, user: User, installation_id: uuid.UUID, changes: Changes) -> Installation:
    """Change what an installation says of itself, or what its owner set for it.

    Raises:
        Unregistered
    """
    own = Installation.objects.filter(pk=installation_id, user=user)
    if changes:
        own.update(**changes)
    installation = own.first()
    if installation is None:
        raise Unregistered(installation_id)
    return installation


def unregister(*, user: User, installation_id: uuid.UUID) -> None:
    """Send nothing there any more; what is under way is cancelled when it would be sent.

    Raises:
        Unregistered
    """
    with transaction.atomic():
        person = _take_turns(user, installation_id)
        own = Installation.objects.filter(pk=installation_id, user=person)
        found = list(own.select_for_update(of=("self",)))
        if not found:
            raise Unregistered(installation_id)
        push_tokens.drop(found)


def proven(*, installation_id: uuid.UUID, secret: str) -> Installation | None:
    """The installation of this id, if this is its secret. One without a secret proves nothing."""
    known = Installation.objects.filter(pk=installation_id).first()
    hashed = _hash(secret)
    if known is None or not hmac.compare_digest(known.secret_hash, hashed):
        return None
    return known


def _take_turns(user: User, installation_id: uuid.UUID | None) -> User:
    """Wait for whoever else registers for this person, or this installation, at the moment.

    The person's lock makes the limit hold. The installation may have no row yet, hence an advisory
    lock. Whoever needs several locks takes them in this order: the person, the installations (as
    `deliveries` does when it buries one), the token.
    """
    # Nobody who only refers to the person has to wait: no key changes.
    person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if installation_id is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [LOCKS, str(installation_id)]
            )
    return person


def _lock(installation_id: uuid.UUID | None, token_id: int | None, address: Address) -> None:
    """Lock what may change: the installation that is registered, and the one that has the token."""
    of_token = Q(**{f"{address.platform.value}_id": token_id}) if token_id else Q()
    of_id = Q(pk=installation_id) if installation_id else Q()
    if of_token or of_id:
        rows = Installation.objects.select_for_update(of=("self",)).filter(of_id | of_token)
        list(rows.order_by("pk").values_list("pk"))


def _known(installation_id: uuid.UUID | None, secret: str, person: User) -> Installation | None:
    """The installation of this id, if there is one. Raises WrongSecret."""
    if installation_id is None:
        return None
    known = Installation.objects.filter(pk=installation_id).first()
    if known is None:
        return None
    if not known.secret_hash and known.user_id == person.pk:
        return known
    if not hmac.compare_digest(known.secret_hash, _hash(secret)):
        raise WrongSecret
    return known


def _hash(secret: str) -> str:
    """No salt and one round: a secret of an installation is a random key, and no password."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _check_room(person: User, *, beside: Iterable[Installation | None]) -> None:
    """Raises TooManyDevices, if the person would get one more living device than they may have."""
    living = Installation.objects.filter(user=person, dead_since=None)
    if living.filter(pk__in=[row.pk for row in beside if row is not None]).exists():
        return
    if living.count() >= settings.MAX_DEVICES_PER_USER:
        raise TooManyDevices


def _give_way(holder: Installation, target_id: uuid.UUID, *, to: Installation | None) -> None:
    """The person's installation that has the token until now becomes another, or part of it.

    What waits to be sent there goes to the same phone, but for what that is told of anyway.
    """
    # The database checks whom deliveries refer to at the end of the transaction.
    deliveries = Delivery.objects.filter(installation=holder.pk)
    if to is None:
        Installation.objects.filter(pk=holder.pk).update(id=target_id)
        deliveries.update(installation=target_id)
        return
    told = Delivery.objects.filter(installation=target_id).values("notification")
    deliveries.filter(settled_at=None).exclude(notification__in=told).update(installation=target_id)
    holder.delete()


def _changes(
    before: Installation, person: User, *, about: About, secret: str, now: datetime
) -> dict[str, Any]:
    """The columns that a registration changes, but for those of the token."""
    changes: dict[str, Any] = {
        "user": person,
        "dead_since": None,
        # A push service that reports the token dead since before this moment is out of date
        # (`deliveries.bury`), so a registration that is repeated counts as a new one.
        "registered_at": now,
    }
    if before.user_id != person.pk:
        # What its last owner set for it was theirs.
        changes |= {"name": "", "muted_channels": [], "privacy": ""}
    if secret:
        changes["secret_hash"] = _hash(secret)
    return changes | about


def _forget_the_longest_dead(person: User) -> None:
    """With all the dead ones a person has no more devices than may live."""
    own = Installation.objects.filter(user=person)
    beyond = own.count() - settings.MAX_DEVICES_PER_USER
    if beyond > 0:
        dead = own.filter(dead_since__isnull=False).order_by("dead_since", "pk")
        push_tokens.drop(list(dead[:beyond]))


def _introduce(person: User, about: About, *, now: datetime) -> None:
    """Where nobody chose yet, a person's language and time zone are those of their first device."""
    people.localize(
        user=person,
        now=now,
        locale=None if person.locale else _spoken(about.get("locale", "")),
        time_zone=None if person.time_zone else about.get("time_zone") or None,
    )


def _spoken(tag: str) -> str | None:
    try:
        return languages.match(tag)
    except languages.UnknownLanguage:
        return None
