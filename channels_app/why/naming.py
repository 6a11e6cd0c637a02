"""People, events and sources by the names that operators know them by."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from django.db.models import Q, QuerySet

from channels_app.models import Event, Organization, Source, User

# More names than these say less.
SUGGESTED = 5
# Of so many names the similar ones are looked for.
COMPARED = 5000


class Unclear(LookupError):
    """A name that nobody has, or several.

    Attributes:
        name: what was asked for.
        several: several have it; else nobody.
        candidates: who is called so, or nearly so: each with what tells it from others.
    """

    def __init__(self, name: str, candidates: Iterable[str], *, several: bool) -> None:
        super().__init__(name)
        self.name = name
        self.several = several
        self.candidates = list(candidates)[:SUGGESTED]


def organization(slug: str) -> Organization:
    """Raises Unclear."""
    found = Organization.objects.filter(slug=slug).first()
    if found is None:
        slugs = Organization.objects.values_list("slug", flat=True)[:COMPARED]
        raise Unclear(slug, _near(slug, slugs), several=False)
    return found


def event(reference: str, *, within: Organization | None) -> Event:
    """An event by its number (`#12` too) or by its `webhook-id`.

    Raises:
        Unclear: or of another organization than `within`.
    """
    events = Event.objects.select_related("organization")
    if within is not None:
        events = events.filter(organization=within)
    number = reference.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 19:
        found = list(events.filter(pk=int(number)))
    else:
        found = list(events.filter(webhook_id=reference).order_by("pk")[: SUGGESTED + 1])
    if len(found) != 1:
        names = (f"#{one.pk} ({one.type}, {one.organization.slug})" for one in found)
        raise Unclear(reference, names, several=bool(found))
    return found[0]


def person(name: str, *, within: Organization | None) -> User:
    """A person by username, e-mail address, the platform's id, or their own name.

    The first of these by which anybody is found counts.

    Raises:
        Unclear
    """
    people = User.objects.order_by("username")
    member = Q() if within is None else Q(memberships__organization=within)
    first, _, last = name.rpartition(" ")
    whole = Q(first_name__iexact=first, last_name__iexact=last)
    for way in (
        Q(username=name),
        Q(username__iexact=name),
        Q(email__iexact=name),
        Q(memberships__external_id=name),
        whole if first else Q(first_name__iexact=name),
    ):
        found = list(people.filter(way, member).distinct()[: SUGGESTED + 1])
        if len(found) == 1:
            return found[0]
        if found:
            raise Unclear(name, map(_described, found), several=True)
    raise Unclear(name, _similar(name, people.filter(member)), several=False)


def source(name: str, *, kind: Source.Kind, within: Organization | None) -> Source:
    """A bot or workflow by the platform's id or by its name.

    Raises:
        Unclear
    """
    sources = Source.objects.select_related("organization").filter(kind=kind).order_by("pk")
    if within is not None:
        sources = sources.filter(organization=within)
    for way in (Q(external_id=name), Q(name__iexact=name)):
        found = list(sources.filter(way)[: SUGGESTED + 1])
        if len(found) == 1:
            return found[0]
        if found:
            names = (f"{one.external_id} ({one.name}, {one.organization.slug})" for one in found)
            raise Unclear(name, names, several=True)
    known = sources.values_list("external_id", flat=True)[:COMPARED]
    raise Unclear(name, _near(name, known), several=False)


def _near(name: str, known: Iterable[str]) -> list[str]:
    return get_close_matches(name, list(known), SUGGESTED)


def _similar(name: str, people: QuerySet[User]) -> list[str]:
    by_name = {user.username: user for user in people.distinct()[:COMPARED]}
    by_first_name = {user.first_name.lower(): user for user in by_name.values()}
    near = [by_name[found] for found in _near(name, by_name)]
    near += [by_first_name[found] for found in _near(name.lower(), by_first_name) if found]
    return list(dict.fromkeys(map(_described, near)))


def _described(user: User) -> str:
    name = user.get_full_name()
    return f"{user.username} ({name})" if name else user.username
