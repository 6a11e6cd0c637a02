"""Whose rows a person may see in the admin.

An operator sees the organizations in which they are an active member, a superuser sees all. Every
queryset of the admin starts here.
"""

from __future__ import annotations

from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from channels_app.models import Membership, Organization, User

M = TypeVar("M", bound=Model)


def organizations_of(user: User | AnonymousUser) -> QuerySet[Organization]:
    """The organizations whose rows this person may see."""
    if user.is_superuser:
        return Organization.objects.all()
    return Organization.objects.filter(
        pk__in=Membership.objects.filter(user=user.pk, active=True).values("organization")
    )


def of_request(request: HttpRequest) -> QuerySet[Organization]:
    assert not isinstance(request.user, AnonymousUser)
    return organizations_of(request.user)


def people_of(organizations: QuerySet[Organization]) -> QuerySet[Membership, int]:
    """The ids of the users who are, or were, members of these organizations."""
    return Membership.objects.filter(organization__in=organizations).values_list(
        "user_id", flat=True
    )


def within(
    rows: QuerySet[M],
    *,
    user: User | AnonymousUser,
    organization: str = "",
    person: str = "",
) -> QuerySet[M]:
    """Those rows that this person may see.

    `organization` is the lookup from a row to its organization; `person` the one to its user, for
    what belongs to a person and not to one organization (the person, their devices).
    """
    if user.is_superuser:
        return rows
    own = organizations_of(user)
    if organization:
        return rows.filter(**{f"{organization}__in": own})
    if person:
        return rows.filter(**{f"{person}__in": people_of(own)})
    return rows.none()
