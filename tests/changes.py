"""A change of state by itself, without the event that it belongs to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from channels_app.events import Change
from channels_app.models import Source


def change(
    changes: Mapping[str, Change],
    type: str,
    source: Source,
    data: Mapping[str, Any],
    at: datetime,
    *,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Do what an event of this type does to its subject; answer the event's facts.

    It is received in the moment in which it happens, unless `now` says when.
    """
    found = changes[type]
    subject = data["conversation" if "conversation" in data else "run"]["id"]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH source AS (SELECT %(source_id)s::bigint AS id), {found.parts}
            change AS ({found.sql})
            SELECT facts FROM change
            """,
            {
                "source_id": source.pk,
                "organization_id": source.organization_id,
                "type": type,
                "subject": subject,
                "occurred_at": at,
                "now": now or at,
                **found.parameters(type, data, at),
            },
        )
        row = cursor.fetchone()
    return json.loads(row[0]) if row else {}
