"""`manage.py why EVENT --user NAME`: why somebody was told of an event, or not; and what if."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from channels_app import why
from channels_app.api.answers import AnswerBody
from channels_app.models import Membership, Organization, Source, User
from channels_app.why import Answer, NotImaginable, naming
from channels_app.why.naming import Unclear
from pushbridge.management.why_report import report


class Command(BaseCommand):
    help = (
        "Say in one sentence why a person was told of an event, or was not, which setting decided"
        " and where it can be changed. Without EVENT, and with --type and --bot or --workflow, say"
        " what would be decided of an event that nobody sent. Writes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "event", metavar="EVENT", nargs="?", help="its number, or its webhook-id"
        )
        parser.add_argument(
            "--user",
            required=True,
            metavar="NAME",
            help="username, e-mail address, the platform's id of the person, or their name",
        )
        parser.add_argument(
            "--organization", metavar="SLUG", help="where several have the same names"
        )
        parser.add_argument("--json", action="store_true", help="the answer of the API")
        what_if = parser.add_argument_group("what if")
        what_if.add_argument("--type", help="the type of the imagined event")
        source = what_if.add_mutually_exclusive_group()
        source.add_argument("--bot", metavar="ID", help="the platform's id of the bot, or its name")
        source.add_argument("--workflow", metavar="ID", help="the same of a workflow")
        what_if.add_argument(
            "--at", metavar="TIME", help="such as 2026-11-24T03:00+01:00 (else now)"
        )
        what_if.add_argument(
            "--data", metavar="JSON", help="fields of the event's data; others are as usual"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            slug = options["organization"]
            within = naming.organization(slug) if slug else None
            if options["event"] is not None:
                answer = explained(options, within, now=now)
            else:
                answer = rehearsed(options, within, now=now)
        except Unclear as error:
            raise CommandError(unclear(error)) from error
        if options["json"]:
            told = AnswerBody(answer).data
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2, default=str))
        else:
            self.stdout.write(report(answer), ending="")


def explained(options: dict[str, Any], within: Organization | None, *, now: datetime) -> Answer:
    """The answer about an event that there is.

    Raises:
        Unclear, CommandError
    """
    for name in ("type", "bot", "workflow", "at", "data"):
        if options[name] is not None:
            raise CommandError(f"--{name} is for an imagined event, without EVENT.")
    event = naming.event(options["event"], within=within)
    return why.explain(
        event_id=event.pk, user=_concerned(options["user"], event.organization), now=now
    )


def _concerned(name: str, organization: Organization) -> User:
    """A member of the organization; else whoever is called so, to be told that they are none."""
    try:
        return naming.person(name, within=organization)
    except Unclear as error:
        if error.several:
            raise
        elsewhere = error
    try:
        return naming.person(name, within=None)
    except Unclear:
        raise elsewhere from None


def rehearsed(options: dict[str, Any], within: Organization | None, *, now: datetime) -> Answer:
    """The answer about an event that nobody sent.

    Raises:
        Unclear, CommandError
    """
    if options["type"] is None:
        raise CommandError("Give the number of an EVENT, or --type and --bot or --workflow.")
    if options["type"] not in why.TOLD:
        raise CommandError(f"--type must be one of: {', '.join(why.TOLD)}")
    kind = why.kind_of_source(options["type"])
    name = options[kind.value]
    if name is None:
        raise CommandError(f"{options['type']} comes from a {kind.value}: give --{kind.value}.")
    user = naming.person(options["user"], within=within)
    membership = _membership(user, within, source=name, kind=kind)
    source = naming.source(name, kind=kind, within=membership.organization)
    try:
        return why.rehearse(
            membership=membership,
            source=source,
            type=options["type"],
            at=_moment(options["at"], now),
            now=now,
            data=_data(options["data"]),
        )
    except NotImaginable as error:
        faults = "\n".join(f"  {fault.pointer} {fault.detail}" for fault in error.faults)
        raise CommandError(f"There could be no such event:\n{faults}") from error


def _membership(
    user: User, within: Organization | None, *, source: str, kind: Source.Kind
) -> Membership:
    """Of the organization that is meant: given, their only one, or the one with this source."""
    memberships = list(
        Membership.objects.select_related("user", "organization")
        .filter(user=user)
        .order_by("organization__slug")
    )
    if within is not None:
        memberships = [one for one in memberships if one.organization_id == within.pk]
    if len(memberships) > 1:
        memberships = [one for one in memberships if _has(one.organization, source, kind)] or (
            memberships
        )
    if len(memberships) == 1:
        return memberships[0]
    if not memberships:
        raise CommandError(f"{user.username} is a member of no organization.")
    slugs = ", ".join(one.organization.slug for one in memberships)
    raise CommandError(f"{user.username} belongs to several: give --organization, one of {slugs}.")


def _has(organization: Organization, source: str, kind: Source.Kind) -> bool:
    try:
        naming.source(source, kind=kind, within=organization)
    except Unclear as error:
        return error.several
    return True


def _moment(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise CommandError("--at must be a time with its offset, such as 2026-11-24T03:00+01:00.")
    return at


def _data(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        data = json.loads(text)
    except ValueError as error:
        raise CommandError(f"--data is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise CommandError("--data must be a JSON object.")
    return data


def unclear(error: Unclear) -> str:
    """The sentence about a name that nobody has, or several."""
    candidates = ", ".join(error.candidates)
    if error.several:
        return f"Several are called {error.name!r}: {candidates}."
    if candidates:
        return f"There is no {error.name!r}. Near it: {candidates}."
    return f"There is no {error.name!r}."
