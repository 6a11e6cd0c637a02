"""Why APNs refuses a notification: Apple's table of statuses and reasons.

Source: Apple, "Handling notification responses from APNs".
"""

from collections.abc import Mapping
from types import MappingProxyType

from channels_app.sandbox.wire import Reply, json_reply

STREAMS_UNTRUSTED = 1

REASONS: Mapping[str, int] = MappingProxyType(
    {
        "BadCollapseId": 400,
        "BadDeviceToken": 400,
        "BadExpirationDate": 400,
        "BadMessageId": 400,
        "BadPriority": 400,
        "BadTopic": 400,
        "DeviceTokenNotForTopic": 400,
        "DuplicateHeaders": 400,
        "IdleTimeout": 400,
        "InvalidPushType": 400,
        "MissingDeviceToken": 400,
        "MissingTopic": 400,
        "PayloadEmpty": 400,
        "TopicDisallowed": 400,
        "BadCertificate": 403,
        "BadCertificateEnvironment": 403,
        "BadEnvironmentKeyIdInToken": 403,
        "BadEnvironmentKeyInToken": 403,
        "ExpiredProviderToken": 403,
        "Forbidden": 403,
        "InvalidProviderToken": 403,
        "MissingProviderToken": 403,
        "UnrelatedKeyIdInToken": 403,
        "BadPath": 404,
        "MethodNotAllowed": 405,
        "ExpiredToken": 410,
        "Unregistered": 410,
        "PayloadTooLarge": 413,
        "TooManyProviderTokenUpdates": 429,
        "TooManyRequests": 429,
        "InternalServerError": 500,
        "ServiceUnavailable": 503,
        "Shutdown": 503,
        "BadPayload": 400,
    }
)
"""Apple's table. Two additions: `BadEnvironmentKeyInToken`, which the servers say where the table
has `BadEnvironmentKeyIdInToken`; and `BadPayload`, our own word for a payload that Apple takes
and the device then silently ignores or misreads."""

UNTRUSTED_REASONS = frozenset(
    {
        "BadDeviceToken",
        "DeviceTokenNotForTopic",
        "ExpiredProviderToken",
        "ExpiredToken",
        "InvalidProviderToken",
        "MissingProviderToken",
        "Unregistered",
    }
)
"""After a rejected token the connection falls back to one stream at a time."""


class Rejected(Exception):
    """APNs says no: `reason` is Apple's word, `detail` tells a developer why."""

    def __init__(self, reason: str, detail: str = "", timestamp: float | None = None) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
        self.timestamp = timestamp


def rejection(
    reason: str,
    *,
    apns_id: str,
    detail: str = "",
    timestamp: float | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """The answer for a reason of the table; `timestamp` in seconds goes out as milliseconds."""
    content: dict[str, object] = {"reason": reason}
    if timestamp is not None:
        content["timestamp"] = int(timestamp * 1000)
    return json_reply(
        REASONS[reason],
        content,
        headers={"apns-id": apns_id, **(headers or {})},
        reason=reason,
        detail=detail,
        streams=STREAMS_UNTRUSTED if reason in UNTRUSTED_REASONS else None,
    )
