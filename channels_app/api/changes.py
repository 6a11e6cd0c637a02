"""Changes of a member's settings: what a request saw is what it changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from django.db import transaction

from channels_app import memberships
from channels_app.models import Membership
from channels_app.problems import Problem


@contextmanager
def one_change(membership: Membership) -> Iterator[None]:
    """Let no other change of this member's settings come between `etags.check_unchanged` and ours.

    Raises:
        Problem: 404, the membership ended in this moment.
    """
    with transaction.atomic():
        try:
            memberships.lock(membership)
        except Membership.DoesNotExist:
            raise Problem(HTTPStatus.NOT_FOUND, "You belong to no such organization.") from None
        yield
