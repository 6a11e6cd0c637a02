"""FCM HTTP v1: what Google checks before it takes a message.

Sources: Firebase, "REST Resource: projects.messages", "FCM error codes", "About FCM messages".
"""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from channels_app.sandbox import android, discovery
from channels_app.sandbox.applications import Applications
from channels_app.sandbox.discovery import Violation
from channels_app.sandbox.fcm_errors import Refused, error_reply
from channels_app.sandbox.oauth import OAuth
from channels_app.sandbox.phones import Phone, PhoneBook
from channels_app.sandbox.wire import NotJson, Reply, Request, json_reply, strict_json

PATH = re.compile(r"/v1/projects/([^/:]+)/messages:send")
MAX_MESSAGE_BYTES = 4096
MAX_TTL_SECONDS = 28 * 24 * 3600
REGISTRATION_TOKEN = re.compile(r"[A-Za-z0-9_-]{11,}:[A-Za-z0-9_-]{100,}")
TARGETS = ("token", "topic", "condition", "fid")
RESERVED_KEYS = frozenset({"from", "message_type", "collapse_key"})
RESERVED_PREFIXES = ("google", "gcm")
"""Firebase, "About FCM messages": any word that starts with these. (The discovery document asks for
less, `google.` and `gcm.notification.`; what pleases the stricter page pleases both.)"""
CREDENTIALS_MISSING = (
    "Request is missing required authentication credential. Expected OAuth 2 access token, "
    "login cookie or other valid authentication credential."
)


class Fcm:
    """Answers `POST /v1/projects/<project>/messages:send`."""

    def __init__(self, applications: Applications, phones: PhoneBook, oauth: OAuth) -> None:
        self._apps = applications.google
        self._projects = {app.project_id for app in self._apps.values()}
        self._phones = phones
        self._oauth = oauth

    def answer(self, request: Request, now: float) -> Reply:
        """Take the message or say, as Google does, why not."""
        path = PATH.fullmatch(request.path)
        if path is None or request.method != "POST":
            return Reply(404, {"content-type": "text/html; charset=UTF-8"}, b"<!DOCTYPE html>")
        project_id = path[1]
        try:
            self._authenticate(request, project_id, now)
            message, validate_only = _message(request.body)
            self._deliver(request, project_id, message, validate_only=validate_only, now=now)
        except Refused as no:
            return error_reply(no)
        name = f"projects/{project_id}/messages/0:{int(now * 1e6)}%{secrets.token_hex(8)}"
        return json_reply(200, {"name": name})

    def _authenticate(self, request: Request, project_id: str, now: float) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused("UNAUTHENTICATED", CREDENTIALS_MISSING, error_info="CREDENTIALS_MISSING")
        granted = self._oauth.project_of(token, now)
        if granted is None:
            raise Refused("UNAUTHENTICATED", error_info="ACCESS_TOKEN_EXPIRED")
        if granted != project_id:
            raise Refused("PERMISSION_DENIED", error_info="IAM_PERMISSION_DENIED")

    def _deliver(
        self,
        request: Request,
        project_id: str,
        message: Mapping[str, Any],
        *,
        validate_only: bool,
        now: float,
    ) -> None:
        token = message.get("token") or message.get("fid")
        if token is None:
            return  # Topics and conditions are taken; no phone of ours subscribes to any.
        phone = self._phone(token, project_id)
        if validate_only:
            return
        banner = android.read(message, shape=self._apps[phone.application_id].shape, now=now)
        headers = {name: value for name, value in request.headers.items() if name == "content-type"}
        self._phones.receive(phone, banner, headers=headers, payload=message, now=now)

    def _phone(self, token: str, project_id: str) -> Phone:
        if not REGISTRATION_TOKEN.fullmatch(token):
            text = "The registration token is not a valid FCM registration token"
            raise _invalid("message.token", text)
        phone = self._phones.at("fcm", token)
        if phone is None or phone.dead_since is not None:
            raise Refused("UNREGISTERED")
        if self._apps[phone.application_id].project_id != project_id:
            raise Refused("SENDER_ID_MISMATCH")
        return phone


def _message(body: bytes) -> tuple[Mapping[str, Any], bool]:
    """The message, keys in camelCase, and whether it is only to be validated."""
    try:
        content = strict_json(body)
    except NotJson as error:
        text = f"Invalid JSON payload received. {error}"
        raise Refused("INVALID_ARGUMENT", text, parsed=False) from error
    wrong = discovery.violations(content)
    if wrong:
        text = "\n".join(violation.description for violation in wrong)
        raise Refused("INVALID_ARGUMENT", text, violations=wrong, parsed=False)
    request = discovery.canonical(content)
    message: Mapping[str, Any] = request.get("message") or {}
    if not message:
        raise _invalid("message", "The message is not set.")
    _check_target(message)
    _check_data(message)
    _check_android(message)
    _check_size(message)
    return message, bool(request.get("validateOnly", False))


def _check_target(message: Mapping[str, Any]) -> None:
    named = [target for target in TARGETS if message.get(target)]
    if not named:
        text = "Recipient of the message is not set."
        raise _invalid("message", text)
    if len(named) > 1:
        path = f"message.{named[1]}"
        text = f"Invalid value at 'message' (oneof), oneof field 'target' is already set: {path}"
        raise Refused("INVALID_ARGUMENT", text, violations=[Violation(path, text)], parsed=False)


def _check_data(message: Mapping[str, Any]) -> None:
    android_config = message.get("android", {})
    for path, data in (
        ("message.data", message.get("data", {})),
        ("message.android.data", android_config.get("data", {})),
    ):
        for key in data:
            if not key or key in RESERVED_KEYS or key.startswith(RESERVED_PREFIXES):
                raise _invalid(path, f"Invalid data payload key: {key}")


def _check_android(message: Mapping[str, Any]) -> None:
    if "android" in message and "androidV2" in message:
        raise _invalid("message", "android and android_v2 are mutually exclusive.")
    config = message.get("android", message.get("androidV2", {}))
    ttl = config.get("ttl")
    if ttl is not None and not 0 <= float(ttl[:-1]) <= MAX_TTL_SECONDS:
        text = "Invalid value for TTL. Must be a duration between 0 and 2,419,200 seconds"
        raise _invalid("message.android.ttl", text)
    color = config.get("notification", {}).get("color")
    if color is not None and not re.fullmatch(r"#[0-9A-Fa-f]{6}", color):
        text = "Color must be in the form #RRGGBB"
        raise _invalid("message.android.notification.color", text)


def _check_size(message: Mapping[str, Any]) -> None:
    """4,096 bytes of data and notification texts, keys included."""
    config = message.get("android", {})
    parts = (
        config.get("data", message.get("data", {})),
        message.get("notification", {}),
        config.get("notification", {}),
    )
    size = sum(
        len(key.encode()) + len(value.encode())
        for part in parts
        for key, value in part.items()
        if isinstance(value, str)
    )
    if size > MAX_MESSAGE_BYTES:
        raise Refused("INVALID_ARGUMENT", "Android message is too big")


def _invalid(field: str, description: str) -> Refused:
    return Refused("INVALID_ARGUMENT", description, violations=[Violation(field, description)])
