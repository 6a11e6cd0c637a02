"""One door for all push services: finds the service, the fault to play, and the answer."""

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from channels_app.sandbox import apns_reasons, fcm_errors, webpush
from channels_app.sandbox.apns import PATH_PREFIX as APNS_PREFIX
from channels_app.sandbox.apns import Apns, apns_id_of
from channels_app.sandbox.faults import Fault, Faults
from channels_app.sandbox.fcm import Fcm
from channels_app.sandbox.oauth import PATH as OAUTH_PATH
from channels_app.sandbox.oauth import OAuth
from channels_app.sandbox.phones import PhoneBook
from channels_app.sandbox.webpush import PATH_PREFIX as WEBPUSH_PREFIX
from channels_app.sandbox.webpush import WebPush
from channels_app.sandbox.wire import NotJson, Reply, Request, json_reply, strict_json

REFUSALS_KEPT = 1000
GARBAGE = b"\x00\xff<not>{json"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was answered with an error, for developers to look at."""

    seq: int
    at: float
    platform: str
    phone_id: str | None
    status: int
    reason: str
    detail: str


class Service(Protocol):
    """A push service, or Google's token endpoint."""

    def answer(self, request: Request, now: float) -> Reply:
        """Answer one request."""
        ...


class Gateway:
    """Answers whole requests, by path."""

    def __init__(
        self,
        *,
        phones: PhoneBook,
        faults: Faults,
        apns: Apns,
        fcm: Fcm,
        oauth: OAuth,
        web_push: WebPush,
    ) -> None:
        self.faults = faults
        self._phones = phones
        self._services: dict[str, Service] = {
            "apns": apns,
            "fcm": fcm,
            "oauth": oauth,
            "webpush": web_push,
        }
        self.requests = 0
        self.refusals: deque[Refusal] = deque(maxlen=REFUSALS_KEPT)
        self.on_refusal: list[Callable[[], None]] = []
        self._refusal_seq = 0

    def fault_at_headers(self, request: Request) -> Fault | None:
        """A reset that does not wait for the body."""
        if not self.faults.orders:
            return None
        platform = platform_of(request.path)
        return self.faults.take_at_headers(
            platform=platform, phone_id=self._phone_id(platform, request, with_body=False)
        )

    def fault_for(self, request: Request) -> Fault | None:
        """The fault to play on a whole request."""
        if not self.faults.orders:
            return None
        platform = platform_of(request.path)
        return self.faults.take(platform=platform, phone_id=self._phone_id(platform, request))

    def answer(self, request: Request, now: float) -> Reply:
        """What the service itself answers."""
        self.requests += 1
        platform = platform_of(request.path)
        reply = self._services[platform].answer(request, now)
        if reply.status >= 400:
            self._note(platform, request, reply, now)
        return reply

    def faulty_answer(self, request: Request, fault: Fault, now: float) -> Reply:
        """What the service answers under a fault that `replaces_answer`."""
        self.requests += 1
        platform = platform_of(request.path)
        reply = _faulty(platform, request, fault)
        self._note(platform, request, reply, now)
        return reply

    def _note(self, platform: str, request: Request, reply: Reply, now: float) -> None:
        self._refusal_seq += 1
        self.refusals.append(
            Refusal(
                self._refusal_seq,
                now,
                platform,
                self._phone_id(platform, request),
                reply.status,
                reply.reason,
                reply.detail,
            )
        )
        for listener in self.on_refusal:
            listener()

    def _phone_id(self, platform: str, request: Request, *, with_body: bool = True) -> str | None:
        if platform == "apns":
            address = request.path.removeprefix(APNS_PREFIX).lower()
        elif platform == "webpush":
            address = request.path.removeprefix(WEBPUSH_PREFIX)
        elif platform == "fcm" and with_body:
            address = _fcm_token(request.body)
        else:
            return None
        phone = self._phones.at(platform, address)
        return phone.id if phone else None


def platform_of(path: str) -> str:
    """The service that a path belongs to; what belongs to none is APNs' to refuse."""
    if path.startswith(WEBPUSH_PREFIX):
        return "webpush"
    if path.startswith("/v1/"):
        return "fcm"
    return "oauth" if path == OAUTH_PATH else "apns"


def _fcm_token(body: bytes) -> str:
    try:
        token = strict_json(body)["message"]["token"]
    except (NotJson, LookupError, TypeError):
        return ""
    return token if isinstance(token, str) else ""


def _faulty(platform: str, request: Request, fault: Fault) -> Reply:
    headers: dict[str, str] = {}
    if fault.retry_after is not None:
        headers["retry-after"] = f"{fault.retry_after:g}"
    if fault.redirect:
        headers["location"] = fault.redirect
        return Reply(fault.status or 302, headers, reason="redirect")
    if fault.garbage:
        headers["content-type"] = "application/json"
        return Reply(fault.status or 200, headers, GARBAGE, reason="garbage")
    if fault.huge:
        headers["content-type"] = "application/json"
        body = b'{"reason":"' + b"A" * fault.huge + b'"}'
        return Reply(fault.status or 200, headers, body, reason="huge")
    if fault.reason:
        return _reason_reply(platform, request, fault, headers)
    return json_reply(
        fault.status or 500, _plain_error(platform, fault), headers=headers, reason="status"
    )


def _reason_reply(
    platform: str, request: Request, fault: Fault, headers: Mapping[str, str]
) -> Reply:
    """A reason of the platform's table; one of another platform's is a plain error."""
    if platform == "apns" and fault.reason in apns_reasons.REASONS:
        return apns_reasons.rejection(
            fault.reason, apns_id=apns_id_of(request), timestamp=fault.since, headers=headers
        )
    if platform == "fcm" and fault.reason in fcm_errors.ERROR_CODES:
        return fcm_errors.error_reply(fcm_errors.Refused(fault.reason), headers=headers)
    if platform == "webpush" and fault.reason in webpush.REASONS:
        return webpush.rejection(fault.reason, headers=headers)
    return json_reply(fault.status or 500, {"reason": fault.reason}, reason=fault.reason)


def _plain_error(platform: str, fault: Fault) -> Any:
    if platform == "fcm":
        return {"error": {"code": fault.status, "message": "fault", "status": "UNKNOWN"}}
    return json.loads("{}")
