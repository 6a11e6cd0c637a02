from __future__ import annotations

from datetime import timedelta

import pytest
from celery import current_app
from django.conf import settings
from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken

from pushbridge import tasks
from tests.factories import UserFactory
from tests.pushbridge.api.app import App


def test_the_scheduler_asks_for_a_task_that_there_is() -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["forget-tokens"]

    assert current_app.tasks[entry["task"]].name == tasks.forget_tokens.name


@pytest.mark.django_db
def test_tokens_go_once_they_let_nobody_in() -> None:
    gone, kept = App(UserFactory.create()), App(UserFactory.create())
    gone.tokens(), kept.tokens()
    long_ago = timezone.now() - timedelta(days=100)
    AccessToken.objects.filter(user=gone.person).update(expires=long_ago)

    tasks.forget_tokens()

    assert AccessToken.objects.get().user_id == kept.person.pk
    assert RefreshToken.objects.get().user_id == kept.person.pk
