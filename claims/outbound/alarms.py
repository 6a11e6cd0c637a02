"""Tells the operators that the platform is not told of anything any more."""

from __future__ import annotations

from datetime import datetime

from channels_app import access, events
from claims.models import Endpoint

TYPE = "connection.webhook_disabled"


def endpoint_disabled(endpoint: Endpoint, *, now: datetime) -> int:
    """Publish that we disabled an endpoint, in the transaction that did; answer the event's id."""
    connection = endpoint.connection
    operators = access.operators([connection.organization_id])
    return events.publish(
        organization_id=connection.organization_id,
        connection_id=None,
        webhook_id=f"webhook-disabled-{endpoint.pk}-{now.timestamp():.0f}",
        type=TYPE,
        payload={
            "type": TYPE,
            "timestamp": now.isoformat(),
            "data": {
                "connection": {"id": str(connection.pk), "name": connection.name},
                "reason": endpoint.disabled_reason,
            },
        },
        occurred_at=now,
        now=now,
        facts={"members": list(operators.values_list("pk", flat=True))},
    )
