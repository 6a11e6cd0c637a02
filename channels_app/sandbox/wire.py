"""What travels between a connection and a push service: requests and replies."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class ConnectionMemory:
    """What APNs remembers of one connection: the provider token in use, and since when."""

    provider_token: str = ""
    provider_token_since: float = 0.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request, whole. Header names are lower case; pseudo-headers are not among them."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    repeated_headers: frozenset[str] = frozenset()
    connection: ConnectionMemory = field(default_factory=ConnectionMemory)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `reason` is the service's own word; `detail` is told to developers only."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    reason: str = ""
    detail: str = ""
    streams: int | None = None
    """SETTINGS_MAX_CONCURRENT_STREAMS that the connection goes to with this answer."""


def json_reply(
    status: int, content: Any, *, headers: Mapping[str, str] | None = None, **facts: Any
) -> Reply:
    """A reply with a JSON body; `facts` are the remaining fields of `Reply`."""
    return Reply(
        status,
        {"content-type": "application/json; charset=UTF-8", **(headers or {})},
        json.dumps(content).encode(),
        **facts,
    )


def collect_headers(
    pairs: list[tuple[str, str]],
) -> tuple[dict[str, str], frozenset[str]]:
    """Header fields as a mapping (first value wins), and the names that came more than once."""
    headers: dict[str, str] = {}
    repeated: set[str] = set()
    for name, value in pairs:
        if name in headers:
            repeated.add(name)
        else:
            headers[name] = value
    return headers, frozenset(repeated)


class NotJson(ValueError):
    """The bytes are not a JSON text as RFC 8259 has it."""


def strict_json(body: bytes) -> Any:
    """Parse UTF-8 JSON; NaN and Infinity, which Python would take, are refused.

    Raises NotJson.
    """
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from error


def _refuse_constant(name: str) -> Any:
    raise NotJson(f"{name} is not JSON")
