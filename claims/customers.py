"""The customer of a conversation, as an event names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def customer(data: Mapping[str, Any]) -> dict[str, str]:
    """The parameters of the customer; empty, where the platform does not say."""
    found = data["conversation"].get("customer") or {}
    return {"customer_id": found.get("id", ""), "customer_name": found.get("name", "")}
