from __future__ import annotations

import gc
from collections.abc import Iterator
from datetime import timedelta

import pytest
from celery import current_app
from django.conf import settings
from django.utils import timezone

from channels_app import doorbell, tasks
from channels_app.levels import Lane
from channels_app.models import Attempt, Delivery
from tests.factories import DeliveryFactory


@pytest.fixture
def worker() -> Iterator[None]:
    """A worker process starts, and ends: its sender and its garbage collection go with it."""
    thresholds = gc.get_threshold()
    yield
    tasks.sender.cache_clear()
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_the_bell_rings_for_a_task_that_there_is() -> None:
    assert current_app.tasks[doorbell.DRAIN].name == tasks.drain.name


def test_every_lane_is_swept_in_a_queue_of_its_own() -> None:
    swept = {
        (entry["args"], entry["options"]["queue"])
        for entry in settings.CELERY_BEAT_SCHEDULE.values()
        if entry["task"] == tasks.sweep.name
    }
    assert swept == {((lane.value,), lane.value) for lane in Lane}


@pytest.mark.django_db(transaction=True)
def test_a_drain_tries_what_is_due_in_its_lane(worker: None) -> None:
    DeliveryFactory.create(
        notification__event__type="bot.tool_linked", installation__apns__application_id="unknown"
    )
    tasks.drain("escalation")
    assert not Attempt.objects.exists()
    tasks.drain("default")
    assert Attempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_sweep_finds_what_a_dead_sender_had_leased(worker: None) -> None:
    over = timezone.now() - timedelta(seconds=1)
    DeliveryFactory.create(
        notification__event__type="bot.tool_linked", state="sending", attempts=1, due_at=over
    )
    tasks.sweep("default")
    assert [each.verdict for each in Attempt.objects.order_by("number")][0] == "lost"
    assert Delivery.objects.get().attempts == 2


def test_all_tasks_of_a_lane_in_one_process_share_its_connections(worker: None) -> None:
    assert tasks.sender(Lane.DEFAULT) is tasks.sender(Lane.DEFAULT)
    assert tasks.sender(Lane.DEFAULT) is not tasks.sender(Lane.ESCALATION)
