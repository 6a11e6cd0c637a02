"""What is done once in a while, and matters to nobody if it is not."""

from __future__ import annotations

from celery import shared_task
from oauth2_provider.models import clear_expired


@shared_task
def forget_tokens() -> None:
    """Remove tokens that let nobody in any more. They are refused whether they are there or not."""
    clear_expired()
