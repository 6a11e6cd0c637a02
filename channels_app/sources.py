"""Sources are known by the platform's id, and made when an event first names them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db import connection as database
from guardian.shortcuts import assign_perm

from channels_app.models import Bot, Source

RESPOND = "chatbot.respond"

# The source that a message names, and whether it was called otherwise until now. Part of the
# statement of every webhook (`events.Store`).
NAMED = """
    SELECT id, name <> %(source_name)s::text AS renamed FROM chatbot_source
    WHERE organization_id = %(organization_id)s AND kind = %(source_kind)s
        AND external_id = %(source_external_id)s
"""


def parameters(
    *, organization_id: int, kind: Source.Kind, external_id: str, name: str
) -> dict[str, Any]:
    """The parameters of `NAMED`."""
    return {
        "organization_id": organization_id,
        "source_kind": kind.value,
        "source_external_id": external_id,
        "source_name": name,
    }


class Vanished(Exception):
    """What was to be stored belongs to something that was deleted at this moment; it is not."""


def bot(*, organization_id: int, external_id: str, name: str) -> int:
    """The id of a bot, which is made if this is the first time that the platform names it.

    Raises:
        Vanished: the organization is no longer there.
    """
    return known_or_made(
        organization_id=organization_id,
        kind=Source.Kind.BOT,
        external_id=external_id,
        name=name,
        make=_make_bot,
    )


def known_or_made(
    *,
    organization_id: int,
    kind: Source.Kind,
    external_id: str,
    name: str,
    make: Callable[[int, str, str], int],
) -> int:
    """The id of a source, renamed if the platform calls it otherwise now.

    Args:
        make: inserts it, by organization, external id and name, if we do not know it yet.

    Raises:
        Vanished: the organization is no longer there.
    """
    find = partial(
        known, organization_id=organization_id, kind=kind, external_id=external_id, name=name
    )
    if (source_id := find()) is not None:
        return source_id
    try:
        with transaction.atomic():
            return make(organization_id, external_id, name)
    except IntegrityError as error:
        # Another insert was first; or else there is nothing that it could belong to.
        if (source_id := find()) is None:
            raise Vanished from error
        return source_id


def known(*, organization_id: int, kind: Source.Kind, external_id: str, name: str) -> int | None:
    """The id of a source that we know, renamed if the platform calls it otherwise now."""
    with database.cursor() as cursor:
        cursor.execute(
            NAMED,
            parameters(
                organization_id=organization_id, kind=kind, external_id=external_id, name=name
            ),
        )
        row = cursor.fetchone()
    if row is None:
        return None
    source_id, renamed = row
    if renamed:
        Source.objects.filter(pk=source_id).update(name=name)
    return int(source_id)


def _make_bot(organization_id: int, external_id: str, name: str) -> int:
    """Insert a bot, open to the roles that respond to new ones."""
    made = Bot.objects.create(
        organization_id=organization_id, kind=Source.Kind.BOT, external_id=external_id, name=name
    )
    for group in Group.objects.filter(
        role__organization_id=organization_id, role__responds_to_new_bots=True
    ):
        assign_perm(RESPOND, group, made)
    return made.pk
