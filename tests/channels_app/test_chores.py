"""What the apps above want done in a lane is done there, and one that fails stops no other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import OperationalError
from psycopg2.errors import AdminShutdown
from pytest_django import Settings
from structlog.testing import capture_logs

from channels_app import chores
from channels_app.levels import Lane

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
done: list[tuple[datetime, int]] = []
HERE = "tests.channels_app.test_chores"


def tidy(*, now: datetime, limit: int) -> int:
    done.append((now, limit))
    return 1


def stumble(*, now: datetime, limit: int) -> int:
    raise ValueError("a stumble")


def lose_the_database(*, now: datetime, limit: int) -> int:
    raise OperationalError from AdminShutdown()


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    done.clear()


def test_the_chores_of_a_lane_are_done_and_no_others(settings: Settings) -> None:
    settings.CHORES = {"escalation": (f"{HERE}.tidy",), "default": (f"{HERE}.stumble",)}
    chores.do(Lane.ESCALATION, clock=lambda: NOW)
    assert done == [(NOW, chores.LIMIT)]


def test_a_lane_without_chores_has_nothing_to_do(settings: Settings) -> None:
    settings.CHORES = {}
    chores.do(Lane.DEFAULT, clock=lambda: NOW)


def test_a_chore_that_fails_is_written_down_and_stops_no_other(settings: Settings) -> None:
    settings.CHORES = {"default": (f"{HERE}.stumble", f"{HERE}.tidy")}
    with capture_logs() as logs:
        chores.do(Lane.DEFAULT, clock=lambda: NOW)
    assert [(line["event"], line["chore"]) for line in logs] == [
        ("chore.failed", f"{HERE}.stumble")
    ]
    assert len(done) == 1


def test_a_database_that_is_gone_is_raised(settings: Settings) -> None:
    settings.CHORES = {"default": (f"{HERE}.lose_the_database",)}
    with pytest.raises(OperationalError):
        chores.do(Lane.DEFAULT, clock=lambda: NOW)
