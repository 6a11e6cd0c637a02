"""People: what they say of themselves, in all organizations alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from channels_app import holds
from channels_app.models import User


@contextmanager
def one_change(user: User) -> Iterator[None]:
    """Let no other change of this person come between what is looked at now and what is changed."""
    with transaction.atomic():
        user.refresh_from_db(from_queryset=User.objects.select_for_update(no_key=True))
        yield


def localize(
    *, user: User, now: datetime, locale: str | None = None, time_zone: str | None = None
) -> None:
    """Change the language of a person's banners, and where their quiet hours are. None: as it is.

    Quiet hours are by another wall clock then: what they hold is judged again.

    Args:
        locale: a language of `settings.LANGUAGES` (`languages.match`).
        time_zone: a name of `quiet_hours.time_zones()`.
    """
    changes = {"locale": locale, "time_zone": time_zone}
    changes = {name: value for name, value in changes.items() if value is not None}
    if not changes:
        return
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(**changes)
        if time_zone is not None:
            memberships = user.memberships.values_list("pk", flat=True)
            holds.reconsider(membership_ids=list(memberships), now=now)
    for name, value in changes.items():
        setattr(user, name, value)
