"""A message as it goes out: signed as Standard Webhooks 1.0 says. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from channels_app.gateways.exchange import Request

USER_AGENT = "Pushbridge"


class BadSecret(ValueError):
    """An endpoint's secret cannot sign. The text never shows it."""


def build(
    *, url: str, webhook_id: str, body: str, secrets: Sequence[str], now: datetime
) -> Request:
    """The request for one try. Each try is signed anew: receivers refuse timestamps of yesterday.

    Args:
        secrets: those that are live; the receiver needs to know one of them.

    Raises:
        BadSecret
    """
    try:
        signatures = " ".join(
            Webhook(secret).sign(webhook_id, now.astimezone(UTC), body) for secret in secrets
        )
    except (ValueError, EmptyWebhookSecretError) as error:
        raise BadSecret("a secret is not whsec_ and base64") from error
    return Request(
        url=url,
        headers=(
            "content-type: application/json",
            f"user-agent: {USER_AGENT}",
            f"webhook-id: {webhook_id}",
            f"webhook-timestamp: {int(now.timestamp())}",
            f"webhook-signature: {signatures}",
        ),
        body=body.encode(),
    )
