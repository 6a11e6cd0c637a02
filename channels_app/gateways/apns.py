"""APNs: a push as a request, and an answer as an outcome.

Sources: Apple, "Sending notification requests to APNs", "Generating a remote notification",
"Establishing a token-based connection to APNs", "Handling notification responses from APNs".
"""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from channels_app.gateways import es256, outcomes, sizes
from channels_app.gateways.banner_actions import app_data
from channels_app.gateways.exchange import Headers, Reply, Request
from channels_app.gateways.outcomes import Outcome, Unsendable
from channels_app.gateways.pushes import Push, Verdict

PRODUCTION_URL = "https://api.push.apple.com"
DEVELOPMENT_URL = "https://api.sandbox.push.apple.com"

TOKEN_SECONDS = 30 * 60
TOKEN_KEPT_SECONDS = 21 * 60
"""Apple takes no second token within 20 minutes on a connection, and none older than 60: whoever
first used one at the end of its window (31 minutes old) keeps it to its 52nd minute."""
TOKEN_HEAD_START_SECONDS = 60
"""A token is used from a minute after its `iat`: our clock may run ahead of Apple's."""

_DEVICE_TOKEN = re.compile(r"[0-9A-Fa-f]{2,200}")
_COLLAPSE_ID = re.compile(r"[!-~]{1,64}")
# libcurl would add these on its own; APNs knows none of them.
_UNWANTED_HEADERS = ("content-length:", "content-type:", "accept:", "user-agent:")
_CRITICAL_SOUND: Mapping[str, object] = MappingProxyType(
    {"critical": 1, "name": "default", "volume": 1.0}
)


@dataclass(frozen=True, slots=True)
class Loudness:
    """How loud a push is on the wire, and whether that is less than was asked for."""

    priority: int
    interruption_level: str
    sound: str | Mapping[str, object] | None
    relevance: float
    downgraded: bool = False


_CRITICAL = Loudness(10, "critical", _CRITICAL_SOUND, 1.0)
_DOWNGRADED = Loudness(10, "time-sensitive", "default", 1.0, downgraded=True)
_LOUD = Loudness(10, "time-sensitive", "default", 0.75)
_QUIET = Loudness(5, "passive", None, 0.25)


def loudness(level: str, *, entitled: bool, allowed: bool) -> Loudness:
    """`level` as APNs has it.

    A critical alert passes the mute switch and Do Not Disturb. It needs Apple's entitlement for
    the app (`entitled`) and the person's consent on the device (`allowed`); without either, the
    loudest thing left is time-sensitive, and `downgraded` says so.
    """
    match level:
        case "critical":
            return _CRITICAL if entitled and allowed else _DOWNGRADED
        case "loud":
            return _LOUD
        case "quiet":
            return _QUIET
        case _:
            raise Unsendable("BadLevel", level)


@dataclass(slots=True)
class ApnsApplication:
    """An iOS app and its team's signing key. The provider token is made once per window."""

    url: str
    topic: str
    team_id: str
    key_id: str
    key: EllipticCurvePrivateKey
    shape: str
    entitled: bool
    _token: str = ""
    _token_window: int = -1
    _token_since: float = -math.inf

    def provider_token(self, now: float) -> str:
        """The bearer token of a window, the same in every process that holds the key.

        Except that no process changes it twice within Apple's 20 minutes, windows or not.
        """
        window = es256.window_start(now - TOKEN_HEAD_START_SECONDS, TOKEN_SECONDS)
        if window != self._token_window and now - self._token_since >= TOKEN_KEPT_SECONDS:
            claims = {"iss": self.team_id, "iat": window}
            self._token = es256.token(claims, self.key, {"kid": self.key_id})
            self._token_window, self._token_since = window, now
        return self._token

    def request(self, push: Push, now: datetime) -> Request:
        """`push` as an HTTP request."""
        return request(push, self, now)

    def outcome(self, reply: Reply, push: Push, now: datetime) -> Outcome:
        """What APNs answered."""
        assert reply.status is not None
        return classify(reply.status, reply.headers, reply.body, now)


def apns_id(push: Push) -> str:
    """The id of the notification at Apple: derived, so that it is known before it is sent.

    The same on every attempt, because each attempt is the same notification: whichever one Apple
    saw can be found in its Push Notifications Console from our row alone, even if the sender
    died before it could write down an answer. A UUID of version 8 (RFC 9562, section 5.8).
    """
    name = f"{push.target.registration_id}/{push.delivery_id}"
    digits = hashlib.sha256(name.encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"


def request(push: Push, app: ApnsApplication, now: datetime) -> Request:
    """`push` as an HTTP request. Raises Unsendable for what Apple could not take."""
    if not _DEVICE_TOKEN.fullmatch(push.target.registration_id):
        raise Unsendable("BadDeviceToken", "not hexadecimal")
    if not _COLLAPSE_ID.fullmatch(push.collapse_key):
        raise Unsendable("BadCollapseId", "1 to 64 printable ASCII characters")
    loud = loudness(push.level, entitled=app.entitled, allowed=push.target.critical_allowed)
    headers = (
        *_UNWANTED_HEADERS,
        f"authorization: bearer {app.provider_token(now.timestamp())}",
        f"apns-id: {apns_id(push)}",
        f"apns-topic: {app.topic}",
        "apns-push-type: alert",
        f"apns-priority: {loud.priority}",
        f"apns-expiration: {int(push.expires_at.timestamp())}",
        f"apns-collapse-id: {push.collapse_key}",
    )
    body = payload(push, loud, shape=app.shape)
    return Request(f"{app.url}/3/device/{push.target.registration_id}", headers, body)


def payload(push: Push, loud: Loudness, *, shape: str) -> bytes:
    """The JSON of a remote notification, at most 4,096 bytes.

    expo-notifications hands the top-level dictionary `body` to the app as the notification's data;
    any other app finds the same keys at the top level, beside `aps`. There is no
    `mutable-content`: it only wakes a Notification Service Extension, and an Expo app has none.
    """
    data = app_data(push)
    if shape == "plain" and "aps" in data:
        raise Unsendable("BadData", "the key aps is Apple's")
    aps: dict[str, Any] = {}
    message = {"aps": aps, "body": data} if shape == "expo" else {"aps": aps, **data}
    if push.badge is not None:
        aps["badge"] = push.badge
    if loud.sound is not None:
        aps["sound"] = loud.sound if isinstance(loud.sound, str) else dict(loud.sound)
    if push.thread:
        aps["thread-id"] = push.thread
    if push.category:
        aps["category"] = push.category
    aps["interruption-level"] = loud.interruption_level
    aps["relevance-score"] = loud.relevance

    def encoded(title: str, body: str) -> bytes:
        aps["alert"] = {"title": title, "body": body}
        return sizes.encode(message)

    return sizes.fit(push.title, push.body, encoded, sizes.MAX_PAYLOAD_BYTES)


# Apple, "Handling notification responses from APNs", table "Response error strings".
_REASONS: Mapping[str, Verdict] = MappingProxyType(
    {
        # This push is wrong, or does not belong to this device. None of these proves that the
        # device is gone: Apple says so with 410 and nothing else. BadDeviceToken is also what a
        # good token of the other environment (development, production) gets, so it stays.
        "BadCollapseId": Verdict.REJECTED,
        "BadDeviceToken": Verdict.REJECTED,
        "BadExpirationDate": Verdict.REJECTED,
        "BadMessageId": Verdict.REJECTED,
        "BadPath": Verdict.REJECTED,
        "BadPriority": Verdict.REJECTED,
        "DeviceTokenNotForTopic": Verdict.REJECTED,
        "DuplicateHeaders": Verdict.REJECTED,
        "InvalidPushType": Verdict.REJECTED,
        "MethodNotAllowed": Verdict.REJECTED,
        "MissingDeviceToken": Verdict.REJECTED,
        "PayloadEmpty": Verdict.REJECTED,
        "PayloadTooLarge": Verdict.REJECTED,
        # The application's key or topic is wrong, for every device alike.
        "BadCertificate": Verdict.CREDENTIALS,
        "BadCertificateEnvironment": Verdict.CREDENTIALS,
        "BadEnvironmentKeyIdInToken": Verdict.CREDENTIALS,
        "BadEnvironmentKeyInToken": Verdict.CREDENTIALS,
        "BadTopic": Verdict.CREDENTIALS,
        "Forbidden": Verdict.CREDENTIALS,
        "InvalidProviderToken": Verdict.CREDENTIALS,
        "MissingProviderToken": Verdict.CREDENTIALS,
        "MissingTopic": Verdict.CREDENTIALS,
        "TopicDisallowed": Verdict.CREDENTIALS,
        "UnrelatedKeyIdInToken": Verdict.CREDENTIALS,
        # Ours are at most 41 minutes old, so this means that a clock is off by a third of an hour.
        "ExpiredProviderToken": Verdict.CREDENTIALS,
        # The device token is no longer active for the topic.
        "ExpiredToken": Verdict.DEAD,
        "Unregistered": Verdict.DEAD,
        # Another time.
        "IdleTimeout": Verdict.RETRY,
        "InternalServerError": Verdict.RETRY,
        "ServiceUnavailable": Verdict.RETRY,
        "Shutdown": Verdict.RETRY,
        "TooManyProviderTokenUpdates": Verdict.RETRY,
        "TooManyRequests": Verdict.RETRY,
    }
)
_STATUSES: Mapping[int, Verdict] = MappingProxyType(
    {200: Verdict.ACCEPTED, 403: Verdict.CREDENTIALS, 410: Verdict.DEAD}
)


def classify(status: int, headers: Headers, body: bytes, now: datetime) -> Outcome:
    """What APNs answered. A reason decides over its status; unknown ones fall back on it."""
    gateway_id = outcomes.identifier(headers.get("apns-id", ""))
    if status == 200:
        return Outcome(Verdict.ACCEPTED, "", gateway_id=gateway_id)
    content = outcomes.json_object(body)
    reason = outcomes.word(content.get("reason")) or f"HTTP {status}"
    verdict = _REASONS.get(reason) or _STATUSES.get(status)
    outcome = Outcome(verdict, reason) if verdict else outcomes.of_status(status, reason)
    dead_since = _dead_since(content) if verdict is Verdict.DEAD else None
    outcome = replace(outcome, dead_since=dead_since, gateway_id=gateway_id)
    return outcomes.with_retry_after(outcome, headers, now)


def _dead_since(content: Mapping[str, Any]) -> datetime | None:
    """`timestamp`: "the time, in milliseconds since Epoch, at which APNs confirmed the token was
    no longer valid for the topic"."""
    timestamp = content.get("timestamp")
    if isinstance(timestamp, bool) or not isinstance(timestamp, int | float):
        return None
    try:
        return datetime.fromtimestamp(timestamp / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
