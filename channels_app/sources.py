"""Sources are known by the platform's id, and made when an event first names them."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db import connection as database
from guardian.shortcuts import assign_perm

from channels_app.models import Bot, Source

RESPOND = "chatbot.respond"

# By hand, because every webhook asks it: the ORM needs ten times as long to write this sentence.
FIND = """
    SELECT id, name FROM chatbot_source
    WHERE organization_id = %s AND kind = %s AND external_id = %s
"""


def bot(*, organization_id: int, external_id: str, name: str) -> int:
    """The id of a bot, which is made if this is the first time that the platform names it."""
    return known(
        organization_id=organization_id,
        kind=Source.Kind.BOT,
        external_id=external_id,
        name=name,
    ) or _make_bot(organization_id=organization_id, external_id=external_id, name=name)


def known(*, organization_id: int, kind: Source.Kind, external_id: str, name: str) -> int | None:
    """The id of a source that we know, renamed if the platform calls it otherwise now."""
    with database.cursor() as cursor:
        cursor.execute(FIND, (organization_id, kind.value, external_id))
        row = cursor.fetchone()
    if row is None:
        return None
    source_id, known_name = row
    if known_name != name:
        Source.objects.filter(pk=source_id).update(name=name)
    return int(source_id)


def _make_bot(*, organization_id: int, external_id: str, name: str) -> int:
    """Insert a bot, open to the roles that respond to new ones; or find whose insert was first."""
    try:
        with transaction.atomic():
            made = Bot.objects.create(
                organization_id=organization_id,
                kind=Source.Kind.BOT,
                external_id=external_id,
                name=name,
            )
            for group in Group.objects.filter(
                role__organization_id=organization_id, role__responds_to_new_bots=True
            ):
                assign_perm(RESPOND, group, made)
    except IntegrityError:
        return Source.objects.values_list("pk", flat=True).get(
            organization_id=organization_id, kind=Source.Kind.BOT, external_id=external_id
        )
    return made.pk
