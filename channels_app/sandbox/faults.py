"""Faults on demand: what goes wrong, for whom, how often, in which order.

A fault is described in JSON; docs/sandbox.md lists every key. The oldest fault that fits a
request is played first, so a drill always meets them in the order in which it asked for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from channels_app.sandbox import apns_reasons, fcm_errors, webpush

SCOPES = ("all", "apns", "fcm", "webpush", "oauth")
RESETS = ("before", "after")
HTTP2_ERRORS: Mapping[str, int] = {
    "NO_ERROR": 0x0,
    "PROTOCOL_ERROR": 0x1,
    "INTERNAL_ERROR": 0x2,
    "FLOW_CONTROL_ERROR": 0x3,
    "SETTINGS_TIMEOUT": 0x4,
    "STREAM_CLOSED": 0x5,
    "FRAME_SIZE_ERROR": 0x6,
    "REFUSED_STREAM": 0x7,
    "CANCEL": 0x8,
    "COMPRESSION_ERROR": 0x9,
    "CONNECT_ERROR": 0xA,
    "ENHANCE_YOUR_CALM": 0xB,
    "INADEQUATE_SECURITY": 0xC,
    "HTTP_1_1_REQUIRED": 0xD,
}
"""RFC 9113, section 7."""


class BadFault(ValueError):
    """The description of a fault makes no sense; says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail. Times are seconds.

    `delivered` says that the push reaches its phone all the same: the sender just never learns.
    """

    reason: str = ""
    status: int | None = None
    retry_after: float | None = None
    since: float | None = None
    """With `Unregistered`: since when the token is dead, seconds since the epoch."""
    delay: float = 0.0
    hang: bool = False
    reset: str = ""
    rst_stream: str = ""
    goaway: str = ""
    last_stream: str = "this"
    redirect: str = ""
    garbage: bool = False
    huge: int = 0
    slow: float = 0.0
    refuse_tls: bool = False
    streams: int | None = None
    delivered: bool = False

    @property
    def replaces_answer(self) -> bool:
        """Whether the service's own answer is not given."""
        return bool(self.reason or self.status or self.redirect or self.garbage or self.huge)


@dataclass(slots=True)
class Order:
    """A fault that was asked for: for whom, and how often it is still to be played."""

    id: int
    scope: str
    fault: Fault
    times: int | None
    skip: int = 0
    played: int = 0

    def as_json(self) -> dict[str, Any]:
        """As it was asked for, without the keys left at their defaults."""
        defaults = Fault()
        described = {
            f.name: getattr(self.fault, f.name)
            for f in fields(Fault)
            if getattr(self.fault, f.name) != getattr(defaults, f.name)
        }
        return {
            "id": self.id,
            "scope": self.scope,
            "fault": described,
            "times": self.times,
            "skip": self.skip,
            "played": self.played,
        }


@dataclass(slots=True)
class Faults:
    """The faults waiting to be played, oldest first."""

    orders: list[Order] = field(default_factory=list)
    _last_id: int = 0

    def add(self, *, scope: str, fault: Fault, times: int | None = 1, skip: int = 0) -> Order:
        """Play `fault` on `times` requests (None: until cleared) after letting `skip` pass."""
        self._last_id += 1
        order = Order(self._last_id, scope, fault, times, skip)
        self.orders.append(order)
        return order

    def clear(self, order_id: int | None = None) -> None:
        """Forget one fault, or all."""
        self.orders = [o for o in self.orders if order_id is not None and o.id != order_id]

    def take(self, *, platform: str, phone_id: str | None) -> Fault | None:
        """The fault for one whole request, counted as played."""
        for order in list(self.orders):
            if order.fault.refuse_tls or order.fault.streams is not None:
                continue
            if not _fits(order, platform, phone_id):
                continue
            if order.skip > 0:
                order.skip -= 1
                continue
            return self._play(order)
        return None

    def take_at_headers(self, *, platform: str, phone_id: str | None) -> Fault | None:
        """The same while only the headers are there: resets that do not wait for the body."""
        for order in self.orders:
            if not _fits(order, platform, phone_id) or order.fault.refuse_tls:
                continue
            if order.fault.reset == "before" and order.skip == 0:
                return self._play(order)
            return None
        return None

    def refuses_tls(self) -> bool:
        """Whether this handshake is to fail, counted as played."""
        order = next((o for o in self.orders if o.fault.refuse_tls), None)
        if order is None:
            return False
        self._play(order)
        return True

    def stream_limit(self) -> int | None:
        """A limit on concurrent streams that holds until it is cleared."""
        limits = (o.fault.streams for o in self.orders if o.fault.streams is not None)
        return next(limits, None)

    def _play(self, order: Order) -> Fault:
        order.played += 1
        if order.times is not None:
            order.times -= 1
            if order.times <= 0:
                self.orders.remove(order)
        return order.fault


def parse(content: object) -> Fault:
    """A fault from its JSON description. Raises BadFault."""
    if not isinstance(content, dict) or not content:
        raise BadFault("a fault is a JSON object with at least one key")
    types = {f.name: type(getattr(Fault(), f.name)) for f in fields(Fault)}
    types |= {"status": int, "streams": int, "retry_after": float, "since": float}
    for key, value in content.items():
        if key not in types:
            raise BadFault(f"unknown key {key!r}; known are {', '.join(sorted(types))}")
        kind = types[key]
        fits = isinstance(value, int | float) if kind is float else isinstance(value, kind)
        if not fits or (isinstance(value, bool) and kind is not bool):
            raise BadFault(f"{key} is of type {kind.__name__}")
    fault = Fault(**content)
    _check(fault)
    return fault


def _check(fault: Fault) -> None:
    if fault.reason and not _known_reason(fault.reason):
        raise BadFault(f"{fault.reason!r} is in none of the services' tables")
    if fault.status is not None and not 200 <= fault.status <= 599:
        raise BadFault("status is 200 to 599")
    if fault.reset and fault.reset not in RESETS:
        raise BadFault(f"reset is one of {', '.join(RESETS)}")
    for key in ("rst_stream", "goaway"):
        value = getattr(fault, key)
        if value and value not in HTTP2_ERRORS:
            raise BadFault(f"{key} is one of {', '.join(HTTP2_ERRORS)}")
    if fault.last_stream not in ("this", "previous", "none"):
        raise BadFault("last_stream is this, previous or none")
    if fault.streams is not None and fault.streams < 0:
        raise BadFault("streams is a number from 0")


def _known_reason(reason: str) -> bool:
    tables = (apns_reasons.REASONS, fcm_errors.ERROR_CODES, webpush.REASONS)
    return any(reason in table for table in tables)


def _fits(order: Order, platform: str, phone_id: str | None) -> bool:
    if order.fault.streams is not None:
        return False
    if order.scope == "all":
        return platform != "oauth"
    return order.scope in (platform, phone_id)
