"""Pushes for the tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from channels_app.gateways.pushes import Platform, Push, Target

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

TARGET = Target(
    platform=Platform.APNS,
    application_id="ios",
    registration_id="ab" * 32,
    critical_allowed=True,
)
PUSH = Push(
    delivery_id=7,
    target=TARGET,
    level="critical",
    channel="escalation",
    category="ESCALATION",
    title="🆘 Customer escalation: Bot X",
    body='"I want to talk to a human about my refund."\nTap to claim and respond.',
    link="pushbridge://app/o/acme/conversations/c-1",
    thread="conversation:c-1",
    collapse_key="conversation:c-1:1",
    data={"event_id": "e-1", "notification_id": "n-1", "action_token": "t-1"},
    expires_at=NOW + timedelta(minutes=10),
    badge=3,
)


def push(*, target: dict[str, Any] | None = None, **changes: Any) -> Push:
    """The escalation above with some fields changed, `target`'s among them."""
    return replace(PUSH, target=replace(TARGET, **(target or {})), **changes)
