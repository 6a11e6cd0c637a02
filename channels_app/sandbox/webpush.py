"""Web Push: what a browser vendor's push service checks, with autopush's words and numbers.

Sources: RFC 8030 (protocol), RFC 8188 and 8291 (encryption), RFC 8292 (VAPID); Mozilla,
"Autopush: error codes". Unlike a real service, which cannot read the message, this one is the
browser as well: a message that no browser could decrypt is refused with 400 and says why.
"""

import base64
import json
import re
import secrets
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from channels_app.sandbox import notifications
from channels_app.sandbox.encryption import Undecryptable, decrypt
from channels_app.sandbox.phones import Phone, PhoneBook
from channels_app.sandbox.vapid import Vapid, VapidError
from channels_app.sandbox.wire import Reply, Request, json_reply

PATH_PREFIX = "/wpush/v2/"
MAX_BODY_BYTES = 4096
MAX_TTL_SECONDS = 60 * 24 * 3600
TOPIC = re.compile(r"[0-9A-Za-z_-]+")
MAX_TOPIC_CHARACTERS = 32
URGENCIES = ("very-low", "low", "normal", "high")
PHRASES: Mapping[int, str] = MappingProxyType(
    {
        400: "Bad Request",
        401: "Unauthorized",
        403: "Forbidden",
        404: "Not Found",
        405: "Method Not Allowed",
        410: "Gone",
        413: "Payload Too Large",
        429: "Too Many Requests",
        500: "Internal Server Error",
        502: "Bad Gateway",
        503: "Service Unavailable",
    }
)
REASONS: Mapping[str, tuple[int, int | None, str]] = MappingProxyType(
    {
        "InvalidToken": (404, 102, "Invalid token"),
        "NoUser": (410, 103, "UAID not found"),
        "PayloadTooLarge": (413, 104, "Payload too large"),
        "UserWasDeleted": (410, 105, "User was deleted during routing"),
        "NoSubscription": (410, 106, "No such subscription"),
        "InvalidAuthentication": (401, 109, "Invalid Authentication"),
        "Forbidden": (403, 109, "VAPID public key mismatch"),
        "InvalidEncryption": (400, 110, "Invalid encryption"),
        "NoTTL": (400, 111, "Missing TTL value"),
        "InvalidTopic": (400, 113, "Invalid Topic header"),
        "InvalidTTL": (400, 114, "TTL must be greater than 0"),
        "InvalidUrgency": (400, None, "Invalid Urgency header"),
        "MethodNotAllowed": (405, None, "Only POST is allowed"),
        "TooManyRequests": (429, None, "Too many requests"),
        "InternalError": (500, None, "General error"),
        "BridgeTimeout": (502, 903, "Bridge request timeout"),
        "SaveDb": (503, 201, "Database error while saving notification"),
        "Unavailable": (503, 202, "Service temporarily unavailable"),
    }
)
"""Reason -> (status, autopush's errno, message). 403 is what Google's service says where
autopush says 401; it is never given by itself, only as a fault."""
RETRY_AFTER_SECONDS = 120


class Rejected(Exception):
    """The push service says no."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message


def rejection(reason: str, message: str = "", *, headers: Mapping[str, str] | None = None) -> Reply:
    """The answer for a reason, in autopush's form."""
    status, errno, default = REASONS[reason]
    extra: dict[str, str] = {}
    if status == 410:
        extra["cache-control"] = "max-age=86400"
    if status == 503:
        extra["retry-after"] = str(RETRY_AFTER_SECONDS)
    content = {
        "code": status,
        "errno": errno,
        "error": PHRASES[status],
        "message": message or default,
        "more_info": "http://autopush.readthedocs.io/en/latest/http.html#error-codes",
    }
    return json_reply(
        status, content, headers={**extra, **(headers or {})}, reason=reason, detail=message
    )


class WebPush:
    """Answers `POST /wpush/v2/<token>`."""

    def __init__(self, phones: PhoneBook, *, origin: str) -> None:
        self._phones = phones
        self._origin = origin
        self._vapid = Vapid(origin)

    def answer(self, request: Request, now: float) -> Reply:
        """Take the message or say, as autopush does, why not."""
        try:
            ttl = self._accept(request, now)
        except Rejected as no:
            return rejection(no.reason, no.message)
        except VapidError as no:
            return rejection("InvalidAuthentication", str(no))
        location = f"{self._origin}/m/{secrets.token_urlsafe(24)}"
        return Reply(201, {"location": location, "ttl": str(ttl)})

    def endpoint(self, phone: Phone) -> str:
        """The push resource of a phone's subscription."""
        return f"{self._origin}{PATH_PREFIX}{phone.address}"

    def _accept(self, request: Request, now: float) -> int:
        phone = self._phones.at("webpush", request.path.removeprefix(PATH_PREFIX))
        if phone is None:
            raise Rejected("InvalidToken")
        if request.method != "POST":
            raise Rejected("MethodNotAllowed")
        self._vapid.check(
            request.headers.get("authorization", ""),
            subscribed_with=phone.application_server_key,
            now=now,
        )
        if phone.dead_since is not None:
            raise Rejected("NoSubscription")
        headers = request.headers
        ttl = _ttl(headers)
        _check_topic(headers.get("topic"))
        urgency = headers.get("urgency", "normal")
        if urgency not in URGENCIES:
            raise Rejected("InvalidUrgency", f"Urgency is one of {', '.join(URGENCIES)}")
        payload = _payload(request, phone)
        banner = notifications.read(
            payload, urgency=urgency, topic=headers.get("topic", ""), expires_at=now + ttl
        )
        self._phones.receive(
            phone, banner, headers=_shown_headers(headers), payload=payload, now=now
        )
        return ttl


def _ttl(headers: Mapping[str, str]) -> int:
    text = headers.get("ttl")
    if text is None or not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise Rejected("NoTTL")
    if text.startswith("-"):
        raise Rejected("InvalidTTL")
    return min(int(text), MAX_TTL_SECONDS)


def _check_topic(topic: str | None) -> None:
    if topic is None:
        return
    if len(topic) > MAX_TOPIC_CHARACTERS:
        raise Rejected("InvalidTopic", "Topic must be no greater than 32 characters")
    if not TOPIC.fullmatch(topic):
        message = "Topic must be URL and Filename safe Base64 alphabet"
        raise Rejected("InvalidTopic", message)


def _payload(request: Request, phone: Phone) -> Any:
    """The decrypted JSON; None for a push without a body; text that is no JSON stays text."""
    if not request.body:
        return None
    if len(request.body) > MAX_BODY_BYTES:
        raise Rejected("PayloadTooLarge", f"{MAX_BODY_BYTES} bytes are allowed")
    encoding = request.headers.get("content-encoding")
    if encoding is None:
        raise Rejected("InvalidEncryption", "Missing Content-Encoding header")
    if encoding != "aes128gcm":
        raise Rejected("InvalidEncryption", "Unknown Content-Encoding header")
    for name, key in (("encryption", "salt"), ("crypto-key", "dh")):
        if f"{key}=" in request.headers.get(name, ""):
            message = f"Do not include '{key}' header in aes128gcm {name.title()} header"
            raise Rejected("InvalidEncryption", message)
    try:
        auth = base64.urlsafe_b64decode(phone.auth + "==")
        text = decrypt(request.body, private_scalar=phone.private_key, auth=auth)
    except Undecryptable as error:
        raise Rejected("InvalidEncryption", f"No browser could decrypt it: {error}") from error
    try:
        return json.loads(text)
    except ValueError:
        return text.decode("utf-8", "replace")


def _shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    shown = ("ttl", "urgency", "topic", "content-encoding", "content-type")
    return {name: headers[name] for name in shown if name in headers}
