"""APNs: what Apple's servers check before they take a notification.

Sources: Apple, "Sending notification requests to APNs", "Establishing a token-based connection
to APNs", "Handling notification responses from APNs" (its table of statuses and reasons).
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import jwt

from channels_app.sandbox import aps
from channels_app.sandbox.apns_reasons import Rejected, rejection
from channels_app.sandbox.applications import AppleApp, Applications
from channels_app.sandbox.phones import PhoneBook
from channels_app.sandbox.wire import NotJson, Reply, Request, strict_json

PATH_PREFIX = "/3/device/"
MAX_PAYLOAD_BYTES = 4096
MAX_COLLAPSE_ID_BYTES = 64
TOKEN_SECONDS = 60 * 60
TOKEN_UPDATE_SECONDS = 20 * 60
CLOCK_SKEW_SECONDS = 60
STREAMS_TRUSTED = 1000
VERIFIED_LIMIT = 1000

PUSH_TYPES_WITH_TOPIC_SUFFIX: Mapping[str, str] = MappingProxyType(
    {
        "location": ".location-query",
        "voip": ".voip",
        "complication": ".complication",
        "fileprovider": ".pushkit.fileprovider",
        "liveactivity": ".push-type.liveactivity",
        "pushtotalk": ".voip-ptt",
        "widgets": ".push-type.widgets",
        "controls": ".push-type.controls",
    }
)
TOPIC = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,254}")
DEVICE_TOKEN = re.compile(r"(?:[0-9A-Fa-f]{2}){32,100}")
MESSAGE_ID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


@dataclass(frozen=True, slots=True)
class ProviderToken:
    """A provider token whose signature held."""

    team_id: str
    issued_at: float


def apns_id_of(request: Request) -> str:
    """The id of the notification: the sender's own if it is a UUID, else a new one."""
    given = request.headers.get("apns-id", "")
    return given if MESSAGE_ID.fullmatch(given) else str(uuid.uuid4()).upper()


class Apns:
    """Answers `POST /3/device/<token>`."""

    def __init__(self, applications: Applications, phones: PhoneBook) -> None:
        self._phones = phones
        self._apps_by_id = applications.apple
        self._apps_by_topic = {app.topic: app for app in applications.apple.values()}
        self._signing_keys = {app.key_id: app for app in applications.apple.values()}
        self._verified: dict[str, ProviderToken] = {}

    def answer(self, request: Request, now: float) -> Reply:
        """Take the notification or say, as Apple does, why not."""
        apns_id = apns_id_of(request)
        try:
            self._accept(request, now)
        except Rejected as no:
            return rejection(no.reason, apns_id=apns_id, detail=no.detail, timestamp=no.timestamp)
        return Reply(200, {"apns-id": apns_id}, streams=STREAMS_TRUSTED)

    def _accept(self, request: Request, now: float) -> None:
        token = _device_token(request)
        team_id = self._authenticate(request, now)
        _check_headers(request)
        app, base_topic = self._app_for_topic(request, team_id)
        phone = self._phones.at("apns", token.lower())
        if phone is None:
            raise Rejected("BadDeviceToken", "no phone was ever enrolled with this token")
        if self._apps_by_id[phone.application_id].topic != base_topic:
            raise Rejected("DeviceTokenNotForTopic", f"the phone runs {phone.application_id}")
        if phone.dead_since is not None:
            raise Rejected("Unregistered", "the app was deleted", timestamp=phone.dead_since)
        push_type = request.headers["apns-push-type"]
        if push_type not in ("alert", "background"):
            raise Rejected("InvalidPushType", f"the app is not built for {push_type} pushes")
        payload = _payload(request.body)
        aps.check(payload, push_type=push_type, app=app, priority=_priority(request))
        self._phones.receive(
            phone,
            aps.read(payload, app=app, headers=request.headers),
            headers=_shown_headers(request),
            payload=payload,
            now=now,
        )

    def _authenticate(self, request: Request, now: float) -> str:
        """The team that the provider token speaks for."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Rejected("MissingProviderToken", "no authorization: bearer <token>")
        verified = self._verified.get(token)
        if verified is None:
            verified = self._verify(token)
            if len(self._verified) >= VERIFIED_LIMIT:
                self._verified.clear()
            self._verified[token] = verified
        if verified.issued_at > now + CLOCK_SKEW_SECONDS:
            raise Rejected("InvalidProviderToken", "iat lies in the future")
        if verified.issued_at < now - TOKEN_SECONDS:
            raise Rejected("ExpiredProviderToken", "iat is more than an hour ago")
        _check_updates(request, token, now)
        return verified.team_id

    def _verify(self, token: str) -> ProviderToken:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise Rejected("InvalidProviderToken", str(error)) from error
        app = self._signing_keys.get(str(header.get("kid", "")))
        if app is None:
            raise Rejected("InvalidProviderToken", "kid names no known key")
        try:
            claims = jwt.decode(
                token,
                app.public_key,
                algorithms=["ES256"],
                options={"verify_aud": False, "verify_iat": False, "require": ["iss", "iat"]},
            )
        except jwt.InvalidTokenError as error:
            raise Rejected("InvalidProviderToken", str(error)) from error
        issued_at = claims["iat"]
        if claims["iss"] != app.team_id:
            raise Rejected("InvalidProviderToken", "iss is not the team of the key")
        if isinstance(issued_at, bool) or not isinstance(issued_at, int | float):
            raise Rejected("InvalidProviderToken", "iat is no number")
        return ProviderToken(app.team_id, float(issued_at))

    def _app_for_topic(self, request: Request, team_id: str) -> tuple[AppleApp, str]:
        topic = request.headers.get("apns-topic", "")
        if not topic:
            raise Rejected("MissingTopic")
        if not TOPIC.fullmatch(topic):
            raise Rejected("BadTopic", "a topic is a bundle identifier")
        suffix = PUSH_TYPES_WITH_TOPIC_SUFFIX.get(request.headers["apns-push-type"], "")
        base_topic = topic.removesuffix(suffix) if suffix else topic
        app = self._apps_by_topic.get(base_topic)
        if app is None or app.team_id != team_id:
            raise Rejected("TopicDisallowed", "the topic belongs to no app of the key's team")
        if suffix and base_topic == topic:
            raise Rejected("TopicDisallowed", f"this push type wants a topic ending in {suffix}")
        return app, base_topic


def _device_token(request: Request) -> str:
    path = request.path
    if not path.startswith(PATH_PREFIX):
        raise Rejected("BadPath", "the path is /3/device/<token>")
    if request.method != "POST":
        raise Rejected("MethodNotAllowed")
    token = path.removeprefix(PATH_PREFIX)
    if not token:
        raise Rejected("MissingDeviceToken")
    if not DEVICE_TOKEN.fullmatch(token):
        raise Rejected("BadDeviceToken", "a token is hexadecimal, 32 bytes or more")
    return token


def _check_updates(request: Request, token: str, now: float) -> None:
    """Apple: update the provider token no more than once every 20 minutes, per connection."""
    memory = request.connection
    if memory.provider_token == token:
        return
    if memory.provider_token and now - memory.provider_token_since < TOKEN_UPDATE_SECONDS:
        raise Rejected(
            "TooManyProviderTokenUpdates", "this connection had another token in its last 20 min"
        )
    memory.provider_token = token
    memory.provider_token_since = now


def _check_headers(request: Request) -> None:
    if request.repeated_headers:
        raise Rejected("DuplicateHeaders", ", ".join(sorted(request.repeated_headers)))
    headers = request.headers
    message_id = headers.get("apns-id")
    if message_id is not None and not MESSAGE_ID.fullmatch(message_id):
        raise Rejected("BadMessageId", "apns-id is a UUID: 8-4-4-4-12 hexadecimal digits")
    expiration = headers.get("apns-expiration")
    if expiration is not None and not (expiration.isascii() and expiration.isdigit()):
        raise Rejected("BadExpirationDate", "apns-expiration is seconds since the epoch")
    _priority(request)
    collapse_id = headers.get("apns-collapse-id")
    if collapse_id is not None and not 0 < len(collapse_id.encode()) <= MAX_COLLAPSE_ID_BYTES:
        raise Rejected("BadCollapseId", "apns-collapse-id is 1 to 64 bytes")
    push_type = headers.get("apns-push-type")
    if push_type not in ("alert", "background", "mdm", *PUSH_TYPES_WITH_TOPIC_SUFFIX):
        raise Rejected("InvalidPushType", f"apns-push-type is {push_type!r}")


def _priority(request: Request) -> int:
    priority = request.headers.get("apns-priority", "10")
    if priority not in ("1", "5", "10"):
        raise Rejected("BadPriority", "apns-priority is 10, 5 or 1")
    return int(priority)


def _payload(body: bytes) -> dict[str, object]:
    if not body:
        raise Rejected("PayloadEmpty")
    if len(body) > MAX_PAYLOAD_BYTES:
        raise Rejected("PayloadTooLarge", f"{len(body)} bytes; {MAX_PAYLOAD_BYTES} are allowed")
    try:
        payload = strict_json(body)
    except NotJson as error:
        raise Rejected("BadPayload", f"not JSON: {error}") from error
    if not isinstance(payload, dict):
        raise Rejected("BadPayload", "the payload is a JSON dictionary")
    if not payload:
        raise Rejected("PayloadEmpty")
    return payload


def _shown_headers(request: Request) -> dict[str, str]:
    """The headers worth showing; the provider token is nobody's business."""
    return {
        name: value
        for name, value in request.headers.items()
        if name.startswith("apns-") or name == "content-type"
    }
