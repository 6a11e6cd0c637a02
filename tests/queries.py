"""How many statements a piece of work takes, however often they were planned anew for it."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext

# A statement is prepared when a session first needs it, and again from time to time.
PLANNING = ("PREPARE", "DEALLOCATE")


def executed(captured: CaptureQueriesContext) -> int:
    """The number of statements among those that were captured, planning left out."""
    return sum(not query["sql"].startswith(PLANNING) for query in captured.captured_queries)


def taken_by(work: Callable[[], object]) -> int:
    """The number of statements that this takes."""
    with CaptureQueriesContext(connection) as captured:
        work()
    return executed(captured)
