"""Chores: what the apps above want done every few seconds, by whoever sweeps their lane.

`settings.CHORES` names them, by lane. A chore takes what is due from its own rows, so several
workers may do it at once; what it leaves over is found by the next sweep.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Protocol, cast

import structlog
from django.conf import settings
from django.db import Error
from django.utils.module_loading import import_string

from channels_app.levels import Lane
from channels_app.outages import is_outage

log = structlog.get_logger(__name__)

# Of things that are due, in one sweep.
LIMIT = 200


class Chore(Protocol):
    """Does what is due, up to a limit, and answers how much that was."""

    def __call__(self, *, now: datetime, limit: int) -> int: ...


def do(lane: Lane, *, clock: Callable[[], datetime]) -> None:
    """Do the chores of a lane, one after the other.

    One that fails is written to the log and tried again by the next sweep; it keeps no push
    waiting. A database that is gone is nobody's fault, and is raised.
    """
    for name in settings.CHORES.get(lane.value, ()):
        try:
            _chore(name)(now=clock(), limit=LIMIT)
        except Exception as error:
            if isinstance(error, Error) and is_outage(error):
                raise
            log.exception("chore.failed", chore=name)


@cache
def _chore(name: str) -> Chore:
    return cast(Chore, import_string(name))
